"""A case: one Dockerfile and its context, in the sequence of states that are built one by one.

Texts hold placeholders where a build needs names of its own: ``img/base:1`` and its like for base
images, ``%SALT%`` for what must differ from case to case. `Text` values are otherwise exactly what
is sent.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

Kind = Literal["file", "dir", "link", "tar"]

SALT = "%SALT%"
DOCKERFILE = "Dockerfile"
IGNORE_FILE = ".dockerignore"
_MTIME = 1_600_000_000
_MODES: dict[Kind, int] = {"file": 0o644, "dir": 0o755, "link": 0o777, "tar": 0o644}


@dataclass(frozen=True)
class File:
    """One path of a context. ``content`` is a file's text, a link's target, a tar's one file."""

    kind: Kind = "file"
    content: str = ""
    mode: int = 0o644
    uid: int = 0
    gid: int = 0
    mtime: int = _MTIME

    def plain(self) -> File:
        """Return the same with usual metadata."""
        return File(self.kind, self.content, _MODES[self.kind])


def directory(mode: int = 0o755) -> File:
    """Return a directory."""
    return File("dir", mode=mode)


@dataclass(frozen=True)
class Line:
    """One instruction, or a comment. ``id`` is the same in every state that has it, edited or not.

    ``text`` may span lines. The id -1 is given to what is never changed by itself.
    """

    id: int
    text: str

    @property
    def keyword(self) -> str:
        """The keyword in capitals, ``#`` for a comment."""
        return self.text.split(None, 1)[0].upper() if self.text.strip() else ""


@dataclass(frozen=True)
class CaseStage:
    """One stage; its first line is FROM. ``id`` is the same in every state that has it."""

    id: int
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class State:
    """All that decides one build. ``bases`` says which variant of a base image is used."""

    stages: tuple[CaseStage, ...]
    files: Mapping[str, File]
    head: tuple[Line, ...] = ()
    build_args: Mapping[str, str] = field(default_factory=dict)
    target: str | None = None
    bases: Mapping[str, str] = field(default_factory=dict)
    change: str = "first build"
    """What was changed to get here, in the words of the summary."""

    @property
    def text(self) -> str:
        """The Dockerfile, with placeholders."""
        lines = [line.text for line in (*self.head, *self.all_lines())]
        return "\n".join(lines) + "\n"

    def all_lines(self) -> list[Line]:
        """Return the lines of all stages."""
        return [line for stage in self.stages for line in stage.lines]

    def built_like(self, other: State) -> bool:
        """Tell whether both are the same build."""
        return replace(self, change="") == replace(other, change="")


@dataclass(frozen=True)
class Case:
    """States to build in order on one empty cache. ``name`` is seed, number and dialect."""

    name: str
    states: tuple[State, ...]


def to_json(case: Case, **about: Any) -> str:
    """Return a case as text: the first state whole, of every later one what differs from it."""
    first = case.states[0]
    document = {
        "case": case.name,
        **about,
        "states": [_state_out(first), *(_difference(first, one) for one in case.states[1:])],
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _state_out(state: State) -> dict[str, Any]:
    return {
        "change": state.change,
        "dockerfile": [
            [line.text for line in state.head],
            *([line.text for line in stage.lines] for stage in state.stages),
        ],
        "files": {path: _file_out(file) for path, file in sorted(state.files.items())},
        "build_args": dict(state.build_args),
        "target": state.target,
        "bases": dict(state.bases),
    }


def _difference(first: State, state: State) -> dict[str, Any]:
    before, after = _state_out(first), _state_out(state)
    found = {
        name: value for name, value in after.items() if name == "change" or value != before[name]
    }
    if "files" in found:
        paths = sorted({*before["files"], *after["files"]})
        found["files"] = {
            path: after["files"].get(path)
            for path in paths
            if after["files"].get(path) != before["files"].get(path)
        }
    return found


def _file_out(file: File) -> dict[str, Any]:
    usual = File(file.kind, mode=_MODES[file.kind])
    out = {
        name: getattr(file, name)
        for name in ("kind", "content", "mode", "uid", "gid", "mtime")
        if getattr(file, name) != getattr(usual, name) or name == "kind"
    }
    if "mode" in out:
        out["mode"] = f"{file.mode:o}"
    return out


def from_json(text: str) -> Case:
    """Read what `to_json` wrote."""
    document = json.loads(text)
    first, *rest = document["states"]
    states = [_state_in(first)]
    for raw in rest:
        files = dict(first["files"])
        for path, file in raw.get("files", {}).items():
            if file is None:
                files.pop(path, None)
            else:
                files[path] = file
        states.append(_state_in({**first, **raw, "files": files}))
    return Case(document["case"], tuple(states))


def _state_in(raw: Mapping[str, Any]) -> State:
    head, *stages = raw["dockerfile"]
    return State(
        head=tuple(Line(number, text) for number, text in enumerate(head)),
        stages=tuple(
            CaseStage(
                index,
                tuple(Line(100 * (index + 1) + number, text) for number, text in enumerate(s)),
            )
            for index, s in enumerate(stages)
        ),
        files={path: _file_in(file) for path, file in raw["files"].items()},
        build_args=dict(raw["build_args"]),
        target=raw["target"],
        bases=dict(raw["bases"]),
        change=raw["change"],
    )


def _file_in(raw: Mapping[str, Any]) -> File:
    kind: Kind = raw["kind"]
    values = {"mode": f"{_MODES[kind]:o}", **raw}
    return File(**{**values, "mode": int(values["mode"], 8)})


def load(path: Path) -> tuple[Case, str]:
    """Read a case from a file, and the name of the dialect that it is written in."""
    text = path.read_text(encoding="utf-8")
    return from_json(text), str(json.loads(text)["dialect"])
