"""A first scenario for a project: from its Dockerfile and its git history to a scenario.toml."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.dockerfile import parse
from bench.errors import UsageError
from bench.scenario.choosing import choose
from bench.scenario.dockerfiles import DEFAULT_PLACE, read_text
from bench.scenario.edits import LARGEST_EDIT
from bench.scenario.history import read_history
from bench.scenario.intake import intakes
from bench.scenario.loading import SCENARIO_FILE, load_scenario
from bench.scenario.metadata import metadata_move, port_edit
from bench.scenario.starter_text import Starter, render
from bench.workspace.errors import explained
from bench.workspace.select import IGNORE_FILE, select
from bench.workspace.tree import Kind

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bench.scenario.models import Scenario

DOCKERFILES = ("Dockerfile", "dockerfile", "Containerfile", "docker/Dockerfile", "build/Dockerfile")
"""Where a project's Dockerfile is looked for, in this order."""


@dataclass(frozen=True)
class Started:
    """The file that was written, what it says, and whether builds see it."""

    file: Path
    scenario: Scenario
    in_context: bool
    """The scenario folder is part of the build context: ``COPY . .`` takes it in."""


def start_scenario(project: Path, folder: Path, dockerfile: Path | None = None) -> Started:
    """Write a first ``scenario.toml`` into ``folder`` for the project; nothing is overwritten.

    ``dockerfile`` names the Dockerfile where it is in none of the usual places.

    Raises:
        UsageError: the project or its Dockerfile is not there, there is a scenario already, or
            it cannot be written.
        DockerfileError: the Dockerfile is not UTF-8 or does not parse.
        WorkspaceError: the context cannot be read, or holds what no context can.

    """
    target = folder / SCENARIO_FILE
    with explained("look at the project"):
        if not project.is_dir():
            kind = "is no folder" if project.exists() else "does not exist"
            raise UsageError(f"{project} {kind}", remedy="give the folder of your project")
        _refuse_existing(target)
        source = find_dockerfile(project, dockerfile)
    starter = survey(project, folder, source)
    text = render(starter, _readable(str(folder)))
    _write(target, text)
    try:
        scenario = load_scenario(target)
    except BaseException:
        target.unlink()  # nothing is left behind that bench plan would refuse
        raise
    return Started(target, scenario, _is_sent(target.resolve(), project.resolve(), source))


def _refuse_existing(target: Path) -> None:
    if target.exists() or target.is_symlink():
        raise UsageError(
            f"{target} is there already and is not overwritten",
            remedy="give another folder with --out, or remove it first",
        )


def find_dockerfile(project: Path, asked: Path | None) -> Path:
    """Return the project's Dockerfile.

    Raises:
        UsageError: it is in none of the places looked at.

    """
    if asked is not None:
        places = [asked] if asked.is_absolute() else [asked, project / asked]
    else:
        places = [project / place for place in DOCKERFILES]
    found = next((place for place in places if place.is_file()), None)
    if found is not None:
        return found
    looked = ", ".join(dict.fromkeys(str(place) for place in places))
    near = sorted(one.name for one in project.iterdir() if "dockerfile" in one.name.lower())
    example = near[0] if near else "FILE"
    raise UsageError(
        f"there is no Dockerfile; looked at {looked}",
        remedy=f"name it: --dockerfile {example}"
        + (f" (there are {_names(near)})" if near else ""),
    )


def _names(names: list[str]) -> str:
    return ", ".join(names[:5]) + (" and others" if len(names) > 5 else "")


def survey(project: Path, folder: Path, dockerfile: Path) -> Starter:
    """Look at the project and decide what its first scenario says; nothing is written.

    Raises:
        UsageError: a path cannot be written in a scenario file.
        DockerfileError: the Dockerfile is not UTF-8 or does not parse.
        WorkspaceError: the context cannot be read, or holds what no context can.

    """
    root, place = project.resolve(), _place(dockerfile)
    parsed = parse(read_text(dockerfile), str(dockerfile))
    files = _files(root, place, folder.resolve())
    taken = intakes(parsed, files)
    history = read_history(root)
    choice = choose(taken, history, _reader(root))
    measured = any(history.counts[one.path] for one in choice.chosen)
    return Starter(
        title=_readable(" ".join(root.name.split()) or "project"),
        context=_writable(os.path.relpath(root, folder.resolve())),
        dockerfile_path=_writable(_dockerfile_path(root, folder.resolve(), place)),
        dockerfile=parsed,
        choice=choice,
        commits=history.commits if measured else 0,
        no_history=_readable(history.fault),
        taken=taken,
        move=metadata_move(parsed),
        port=port_edit(parsed),
    )


def _place(dockerfile: Path) -> Path:
    # Where it stands counts, not what it links to: so do the builders see it.
    return dockerfile.parent.resolve() / dockerfile.name


def _files(root: Path, dockerfile: Path, folder: Path) -> list[str]:
    """Return the regular files of the context that a change may edit."""
    place = _in_context(root, dockerfile)
    sent = select(root, place).nodes
    apart = {place, IGNORE_FILE, place + IGNORE_FILE}
    within = folder.is_relative_to(root) and folder != root
    own = f"{folder.relative_to(root).as_posix()}/" if within else None
    return [
        node.path
        for node in sent
        if node.kind is Kind.FILE
        and node.path not in apart
        and not node.path.startswith(".git/")
        and not (own is not None and node.path.startswith(own))
    ]


def _in_context(root: Path, dockerfile: Path) -> str:
    inside = dockerfile.is_relative_to(root)
    return dockerfile.relative_to(root).as_posix() if inside else DEFAULT_PLACE


def _is_sent(file: Path, root: Path, dockerfile: Path) -> bool:
    if not file.is_relative_to(root):
        return False
    sent = select(root, _in_context(root, _place(dockerfile))).nodes
    return file.relative_to(root).as_posix() in {node.path for node in sent}


def _dockerfile_path(root: Path, folder: Path, dockerfile: Path) -> str:
    """Return how the scenario names the Dockerfile: inside the context where that is clear."""
    if dockerfile.is_relative_to(root):
        inside = dockerfile.relative_to(root)
        hidden = folder / inside  # the scenario folder is looked at first
        if not hidden.exists() or hidden.samefile(dockerfile):
            return inside.as_posix()
    return os.path.relpath(dockerfile, folder)


def _readable(text: str) -> str:
    """Return the text with what is not UTF-8 in it written as escapes."""
    return text.encode("utf-8", "backslashreplace").decode()


def _writable(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise UsageError(
            f"{_readable(text)} is not UTF-8, so no scenario can name it",
            remedy="rename the folder or file",
        ) from error
    return text


def _reader(root: Path) -> Callable[[str], bytes | None]:
    def read(path: str) -> bytes | None:
        try:
            with (root / path).open("rb") as file:
                return file.read(LARGEST_EDIT + 1)  # one more tells that it is too large
        except OSError:
            return None

    return read


def _write(target: Path, text: str) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except OSError as error:
        _refuse_existing(target)
        raise UsageError(
            f"{target} cannot be written: {error.strerror}", remedy="give another --out"
        ) from error
