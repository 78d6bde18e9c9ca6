"""What a replay builds: which commits, which folder of them, and which Dockerfiles.

All of it comes from the repository's commits. The working tree is not looked at, except for a
Dockerfile that no commit has.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from bench.changes.fields import NAME_LENGTH
from bench.commits import folder_in, read_history
from bench.dockerfile import external_images, parse
from bench.errors import DockerfileError, UsageError
from bench.explain.git import Repository
from bench.predicting import read_dockerfile
from bench.scenario import Change, Scenario, Variant
from bench.scenario.dockerfiles import DEFAULT_PLACE
from bench.scenario.loading import scenario_name
from bench.workspace.select import IGNORE_FILE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.commits import Commit, CommitHistory

DEFAULT_COMMITS = 20
"""How many commits are built where no number is asked for, and there are so many."""
FEWEST_COMMITS = 2
"""With one alone there is nothing but a cold build."""
_NO_REPOSITORY = "name the folder of a git repository: bench replay REPO"
_SUBJECT_LENGTH = 40


@dataclass(frozen=True)
class Recipe:
    """One Dockerfile of a replay, and so one variant.

    ``tracked`` is its path from the top of the repository where it is taken as each commit has it;
    else ``text`` holds for all of them. ``place`` is where it lies in the build context. ``ignore``
    is the text of an ignore file of its own that lies beside a Dockerfile from outside.
    """

    name: str
    title: str
    place: str
    tracked: str | None = None
    text: str = ""
    ignore: str | None = None


@dataclass(frozen=True)
class Step:
    """One commit to build; ``change`` is its name in the records."""

    change: str
    id: str
    title: str
    is_merge: bool


@dataclass(frozen=True)
class Wanted:
    """What was asked for; ``commits`` is None where no number was."""

    commits: int | None = None
    context: Path = field(default_factory=Path)
    dockerfiles: tuple[Path, ...] = ()
    build_args: Mapping[str, str] = field(default_factory=dict)
    target: str | None = None
    network: str = "none"


@dataclass(frozen=True)
class ReplaySource:
    """The repository, and what is built of it; ``folder`` is the context's path from its top."""

    repository: Repository
    folder: str
    steps: tuple[Step, ...]
    recipes: tuple[Recipe, ...]
    build_args: Mapping[str, str] = field(default_factory=dict)
    target: str | None = None
    network: str = "none"
    notes: tuple[str, ...] = ()

    @cached_property
    def by_change(self) -> dict[str, Step]:
        """The commits by their names in the records."""
        return {step.change: step for step in self.steps}

    @cached_property
    def name(self) -> str:
        """The name of the repository's folder."""
        return Path(self.repository.top).name.removesuffix(".git") or "repository"

    def dockerfile(self, recipe: Recipe, step: Step) -> str | None:
        """Return the text of a Dockerfile as a commit has it; None where it has none.

        Raises:
            DockerfileError: it is not UTF-8.

        """
        if recipe.tracked is None:
            return recipe.text
        content = self.repository.blob(step.id, recipe.tracked)
        try:
            return None if content is None else content.decode("utf-8")
        except UnicodeDecodeError as error:
            raise DockerfileError(
                f"{recipe.tracked} at {step.title}: is not UTF-8", remedy="leave this commit out"
            ) from error

    def ignore_file(self, recipe: Recipe, step: Step) -> str | None:
        """Return the ignore file that a Dockerfile outside of the context has beside it, if any.

        One inside of it comes with the files of the commit.
        """
        if recipe.tracked is None or is_below(recipe.tracked, self.folder):
            return recipe.ignore
        content = self.repository.blob(step.id, recipe.tracked + IGNORE_FILE)
        return None if content is None else content.decode("utf-8", "surrogateescape")

    def newest_text(self, recipe: Recipe) -> str:
        """Return the text of the newest commit that has one, for the records."""
        for step in reversed(self.steps):
            try:
                text = self.dockerfile(recipe, step)
            except DockerfileError:
                continue
            if text is not None:
                return text
        return ""

    def images(self) -> list[str]:
        """Return every image that some Dockerfile of some commit takes from outside, each once."""
        found: dict[str, None] = {}
        texts: set[str] = set()
        for recipe in self.recipes:
            for step in self.steps:
                try:
                    text = self.dockerfile(recipe, step)
                    if text is None or text in texts:
                        continue
                    texts.add(text)
                    uses = external_images(parse(text, recipe.title), self.build_args)
                except DockerfileError:
                    continue  # its builds will fail, and say so
                found.update(dict.fromkeys(use.image for use in uses))
        return list(found)

    def scenario(self) -> Scenario:
        """Return the replay as a scenario: every Dockerfile a variant, every commit a change."""
        top = Path(self.repository.top)
        return Scenario(
            name=scenario_name(f"replay-{self.name}"),
            directory=top,
            file=top,
            title=f"Replay of {self.name}: {len(self.steps)} commits",
            question="How well do rebuilds of these commits, one after the other, use the cache?",
            context=top / self.folder,
            baseline=self.recipes[0].name,
            network=self.network,
            variants=tuple(
                Variant(
                    name=recipe.name,
                    dockerfile=recipe.place,
                    title=recipe.title,
                    target=self.target,
                    build_args=dict(self.build_args),
                )
                for recipe in self.recipes
            ),
            changes=tuple(
                Change.model_validate(
                    {"name": step.change, "title": step.title, "steps": ({"git": step.id},)}
                )
                for step in self.steps
            ),
        )

    def document(self) -> dict[str, object]:
        """Return what ``run.json`` holds of it; see `bench.dataset.run.ReplayInfo`."""
        return {
            "repository": self.repository.top,
            "folder": self.folder,
            "commits": [
                {
                    "change": step.change,
                    "id": step.id,
                    "title": step.title,
                    "is_merge": step.is_merge,
                }
                for step in self.steps
            ],
            "places": {recipe.name: recipe.place for recipe in self.recipes},
            "ignore_files": {
                recipe.name: recipe.ignore for recipe in self.recipes if recipe.ignore is not None
            },
            "tracked": {
                recipe.name: recipe.tracked for recipe in self.recipes if recipe.tracked is not None
            },
            "build_args": dict(self.build_args),
            "target": self.target,
            "network": self.network,
            "notes": list(self.notes),
        }


def survey(repo: Path, wanted: Wanted) -> ReplaySource:
    """Find out what a replay of ``repo`` builds; nothing is written.

    Commits that touch neither the context nor a Dockerfile are left out: they rebuild nothing.

    Raises:
        UsageError: there is no repository, too few commits, or no such Dockerfile.
        DockerfileError: a Dockerfile from outside cannot be read or is not right.

    """
    repository = Repository(repo, remedy=_NO_REPOSITORY)
    if repository.head() is None:
        raise UsageError(
            f"{repository.top}: there is no commit yet", remedy="commit something first"
        )
    folder = folder_in(repository, wanted.context)
    default = f"{folder}/{DEFAULT_PLACE}" if folder else DEFAULT_PLACE
    asked = wanted.dockerfiles or (Path(repository.top) / default,)
    paths = [_in_repository(repository, path) for path in asked]
    beside = [path for path in paths if path is not None and not is_below(path, folder)]
    count = DEFAULT_COMMITS if wanted.commits is None else wanted.commits
    history = read_history(repository, folder, count, beside)
    _check_count(len(history.commits), wanted.commits, repository, folder, history.notes)
    steps = _steps(history.commits)
    finder = _Finder(repository, folder, steps)
    return ReplaySource(
        repository=repository,
        folder=folder,
        steps=steps,
        recipes=finder.recipes(asked, paths),
        build_args=dict(wanted.build_args),
        target=wanted.target,
        network=wanted.network,
        notes=_notes(history, wanted.commits),
    )


def _notes(history: CommitHistory, asked: int | None) -> tuple[str, ...]:
    """Return what cuts the history short, as far as that was not to be expected."""
    found = len(history.commits)
    if asked is not None or found == history.asked:
        return history.notes
    return (*history.notes[:-1], f"there are only {found} commits: all of them are built")


def _check_count(
    found: int, asked: int | None, repository: Repository, folder: str, notes: Sequence[str]
) -> None:
    fewest = FEWEST_COMMITS if asked is None else asked
    if found >= fewest:
        return
    what = folder or "the repository"
    why = f" ({notes[0]})" if len(notes) > 1 else ""
    remedy = (
        f"ask for --commits {found}"
        if found >= FEWEST_COMMITS
        else f"a replay takes {FEWEST_COMMITS} commits at least: name another --context, or "
        "another repository"
    )
    raise UsageError(
        f"{repository.top}: only {found} commits touch {what}, fewer than {fewest}{why}",
        remedy=remedy,
    )


def _in_repository(repository: Repository, path: Path) -> str | None:
    """Return a file's path from the top of the repository; None if it lies elsewhere.

    A relative path is looked for from here first, then from the top.
    """
    if path.exists() or path.is_absolute():
        place = repository.place(path.absolute())
        if not place.startswith("../"):
            return place
        return None
    if path.parts[:1] == ("..",):
        return None
    return path.as_posix()


def is_below(path: str, folder: str) -> bool:
    """Tell whether a path from the top lies in a folder, which is ``""`` for the top itself."""
    return not folder or path.startswith(f"{folder}/")


def _steps(commits: Sequence[Commit]) -> tuple[Step, ...]:
    found = []
    for commit in commits:
        plain = unicodedata.normalize("NFKD", commit.subject).encode("ascii", "ignore").decode()
        words = re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")
        name = f"{commit.short}-{words[:_SUBJECT_LENGTH]}".strip("-")[:NAME_LENGTH]
        title = " ".join(commit.title.replace("\0", "").split())
        found.append(Step(name, commit.id, title, commit.is_merge))
    return tuple(found)


class _Finder:
    """Finds the Dockerfiles of a replay."""

    def __init__(self, repository: Repository, folder: str, steps: Sequence[Step]) -> None:
        self._repository = repository
        self._folder = folder
        self._steps = steps
        self._names: set[str] = set()

    def recipes(self, asked: Sequence[Path], paths: Sequence[str | None]) -> tuple[Recipe, ...]:
        return tuple(self._recipe(path, inside) for path, inside in zip(asked, paths, strict=True))

    def _recipe(self, path: Path, inside: str | None) -> Recipe:
        if inside is not None and any(self._has(step, inside) for step in self._steps):
            place = inside.removeprefix(f"{self._folder}/") if self._folder else inside
            if not is_below(inside, self._folder):
                place = self._vacancy()
            return Recipe(self._name(inside), inside, place, tracked=inside)
        if not path.is_file():
            raise UsageError(
                f"{inside or path}: none of the {len(self._steps)} commits has this Dockerfile, "
                "and there is no such file",
                remedy="name the Dockerfile with --dockerfile, as its path in the repository or "
                "outside of it",
            )
        beside = path.with_name(path.name + IGNORE_FILE)
        return Recipe(
            self._name(path.absolute().as_posix()),
            str(path),
            DEFAULT_PLACE,
            text=read_dockerfile(path).text,
            ignore=beside.read_text(errors="surrogateescape") if beside.is_file() else None,
        )

    def _has(self, step: Step, path: str) -> bool:
        return self._repository.blob(step.id, path) is not None

    def _vacancy(self) -> str:
        """Return a place in the context that no commit has a file at."""
        inside = f"{self._folder}/" if self._folder else ""
        number = 0
        while True:
            place = DEFAULT_PLACE + (f".{number}" if number else "")
            if not any(self._has(step, inside + place) for step in self._steps):
                return place
            number += 1

    def _name(self, path: str) -> str:
        """Return a name for a variant: the file's, with as much of its path as makes it unique."""
        parts = [part for part in path.split("/") if part not in {"", ".", ".."}]
        for count in range(1, len(parts) + 1):
            name = _slug("-".join(parts[-count:]))
            if name not in self._names:
                break
        else:
            name = f"{name}-{len(self._names) + 1}"
        self._names.add(name)
        return name


def _slug(text: str) -> str:
    words = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
    return words[-NAME_LENGTH + 4 :].strip("-") or "dockerfile"
