"""Choosing the files whose edits are measured: those that change most often, or look like it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

from bench.changes.fields import NAME_LENGTH
from bench.scenario.edits import Edit, LeftOut, edit_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from bench.scenario.history import History
    from bench.scenario.intake import Intake

MOST_CHANGED = 3
"""So many files are chosen by their number of changes alone."""
MOST_FILES = 5
"""So many at most, with those for instructions that take none of the first."""
SOURCE_WEIGHT, MANIFEST_WEIGHT = 10, 1
"""What stands for the history where there is none: code changes more often than dependencies."""

_MOST_LOOKED_AT = 200
_MANIFESTS = re.compile(
    r"package\.json|pom\.xml|go\.mod|requirements[^/]*\.(?:txt|in)|pyproject\.toml|setup\.py|"
    r"setup\.cfg|pipfile|cargo\.toml|gemfile|composer\.json|build\.gradle(?:\.kts)?|build\.sbt|"
    r"mix\.exs|pubspec\.yaml|cmakelists\.txt|package\.swift|deno\.json|[^/]+\.(?:cs|fs|vb)proj"
)
_SOURCES = (
    "java js mjs cjs jsx ts tsx go c cc cpp cxx cs kt scala swift rs groovy dart zig fs php py rb "
    "ex exs erl hs clj lua jl cr nim r sh vue svelte html css"
)
_MAIN = frozenset({"main", "app", "application", "server", "index", "program", "__main__"})
_NOT_OURS = frozenset({"node_modules", "vendor", "dist", "build", "target", "__pycache__", "venv"})
_TEST = re.compile(r"(?:^|[/._-])(?:tests?|specs?|__tests__)(?:[/._-]|$)|Tests?\.\w+$")


class Chosen(NamedTuple):
    """A file whose edit is a change of the scenario."""

    name: str
    path: str
    edit: Edit
    weight: int


@dataclass
class Choice:
    """The files chosen, and those passed over with the reason."""

    chosen: list[Chosen] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)


def choose(
    taken: Sequence[Intake], history: History, read: Callable[[str], bytes | None]
) -> Choice:
    """Choose among the files that the Dockerfile takes in; ``read`` gives a file's content.

    With a history: the files changed most often, weighted by how often, then for each
    instruction that takes none of these the most often changed that it takes. Without one for
    these files: one that looks like source and one that looks like a list of dependencies.
    """
    chooser = _Chooser(read)
    files = {file for one in taken for file in one.files}
    counts = {file: history.counts[file] for file in files if history.counts[file] > 0}
    ranked = sorted(counts, key=lambda file: (-counts[file], file))
    if ranked:
        chooser.take(ranked, counts, MOST_CHANGED)
        for one in taken:
            if not one.files & chooser.paths and len(chooser.paths) < MOST_FILES:
                chooser.take([file for file in ranked if file in one.files], counts, 1)
    if not chooser.paths:
        chooser.guess(files)
    return chooser.choice


class _Chooser:
    def __init__(self, read: Callable[[str], bytes | None]) -> None:
        self._read = read
        self._names = {"none", "edit-port"}
        self.choice = Choice()

    @property
    def paths(self) -> set[str]:
        return {one.path for one in self.choice.chosen}

    def take(self, ranked: Iterable[str], weights: dict[str, int], number: int) -> None:
        """Take the first ``number`` of the files that can be edited."""
        for path in list(ranked)[:_MOST_LOOKED_AT]:
            if number == 0:
                return
            if path in self.choice.left_out:
                continue
            content = self._read(path)
            edit = LeftOut("cannot be read") if content is None else edit_of(path, content)
            if isinstance(edit, LeftOut):
                self.choice.left_out[path] = edit.reason
                continue
            name = change_name(path, self._names)
            self._names.add(name)
            self.choice.chosen.append(Chosen(name, path, edit, weights[path]))
            number -= 1

    def guess(self, files: Iterable[str]) -> None:
        """Take one file that looks like source, and one that lists dependencies."""
        ours = sorted((file for file in files if not _foreign(file)), key=_closeness)
        manifests = [file for file in ours if _is_manifest(file)]
        sources = [file for file in ours if file not in manifests and _is_source(file)]
        others = [file for file in ours if file not in {*manifests, *sources}]
        self.take(sources, dict.fromkeys(sources, SOURCE_WEIGHT), 1)
        if not self.paths:
            self.take(others, dict.fromkeys(others, SOURCE_WEIGHT), 1)
        self.take(manifests, dict.fromkeys(manifests, MANIFEST_WEIGHT), 1)


def _foreign(file: str) -> bool:
    folders = file.split("/")[:-1]
    return any(part in _NOT_OURS or part.startswith(".") for part in folders)


def _is_manifest(file: str) -> bool:
    return _MANIFESTS.fullmatch(PurePosixPath(file).name.lower()) is not None


def _is_source(file: str) -> bool:
    return PurePosixPath(file).suffix.lower().lstrip(".") in _SOURCES.split()


def _closeness(file: str) -> tuple[bool, bool, bool, int, str]:
    """Order files by how surely they are what a developer works on."""
    path = PurePosixPath(file)
    return (
        _TEST.search(file) is not None,
        path.suffix.lower() in {".html", ".css"},
        path.stem.lower() not in _MAIN,
        len(path.parts),
        file,
    )


def change_name(path: str, taken: Iterable[str]) -> str:
    """Return a name for the edit of a file that is none of ``taken``."""
    used = set(taken)
    parts = path.split("/")
    for depth in (1, 2):
        name = f"edit-{_slug('-'.join(parts[-depth:]))}"
        if name not in used:
            return name
    number = 2
    while f"{name}-{number}" in used:
        number += 1
    return f"{name}-{number}"


def _slug(text: str) -> str:
    """Return ``text`` as part of a change's name, with room for a number behind it."""
    plain = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
    return plain[: NAME_LENGTH - 15].strip("-") or "file"
