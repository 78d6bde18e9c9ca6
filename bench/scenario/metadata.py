"""The instructions of the final stage that only describe the image: moving them, another port.

An instruction is moved only where its place surely makes no difference to the image: EXPOSE,
LABEL, STOPSIGNAL, and CMD, ENTRYPOINT and HEALTHCHECK in exec form (the shell form depends on
SHELL), none of them with a ``$``, whose value may depend on the place. No RUN, COPY or WORKDIR
reads what they set, and they keep their order among themselves.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from bench.dockerfile import parse, reorder
from bench.errors import DockerfileError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.dockerfile import Dockerfile, Instruction, Stage

_MOVABLE = ("EXPOSE", "LABEL", "STOPSIGNAL")
_MOVABLE_IN_EXEC_FORM = ("CMD", "ENTRYPOINT", "HEALTHCHECK")
_MAKES_A_LAYER = {"RUN", "COPY", "ADD", "WORKDIR"}
_PORT = re.compile(r"(\s*EXPOSE[ \t]+)(\d{1,5})(?:/(?:tcp|udp|sctp))?(?=\s|\Z)", re.IGNORECASE)


class Move(NamedTuple):
    """A reorder of the final stage; ``place`` is the keyword at the ``edge``."""

    name: str
    stage: str | int
    keywords: tuple[str, ...]
    edge: str
    """``before`` or ``after``."""
    place: str


def metadata_move(dockerfile: Dockerfile) -> Move | None:
    """Return how to put the final stage's metadata on top, or at its end where it is on top.

    None where there is nothing to move, or nothing that makes a layer to move it past.
    """
    stage = dockerfile.stages[-1]
    body = stage.instructions[1:]
    keywords = _movable(body)
    rest = [one for one in body if one.keyword not in keywords]
    layers = [index for index, one in enumerate(body) if one.keyword in _MAKES_A_LAYER]
    places = [index for index, one in enumerate(body) if one.keyword in keywords]
    if not layers or not places:
        return None
    if places[-1] > layers[0]:
        move = Move("metadata-first", _label(dockerfile), keywords, "before", rest[0].keyword)
    else:
        move = Move("metadata-last", _label(dockerfile), keywords, "after", rest[-1].keyword)
    return move if _works(dockerfile, move) else None


def _movable(body: Sequence[Instruction]) -> tuple[str, ...]:
    """Return the keywords all of whose instructions may be moved, in the Dockerfile's order."""
    fixed = {one.keyword for one in body if not _may_move(one)}
    return tuple(dict.fromkeys(one.keyword for one in body if one.keyword not in fixed))


def _may_move(instruction: Instruction) -> bool:
    if "$" in instruction.text:
        return False
    if instruction.keyword in _MOVABLE_IN_EXEC_FORM:
        # HEALTHCHECK NONE has no command whose form could matter.
        return instruction.exec_form or instruction.text.upper() == "HEALTHCHECK NONE"
    return instruction.keyword in _MOVABLE


def _label(dockerfile: Dockerfile) -> str | int:
    stage = dockerfile.stages[-1]
    named = stage.name is not None and dockerfile.find_stage(stage.name) is stage
    return stage.label if named else stage.index


def _works(dockerfile: Dockerfile, move: Move) -> bool:
    try:
        text = reorder(
            dockerfile.text,
            stage=move.stage,
            move=move.keywords,
            before=move.place if move.edge == "before" else None,
            after=move.place if move.edge == "after" else None,
        )
        moved = parse(text).stages[-1]
    except DockerfileError:
        return False
    return text != dockerfile.text and _texts(moved) == _texts(dockerfile.stages[-1])


def _texts(stage: Stage) -> list[str]:
    return sorted(one.text for one in stage.instructions)


class PortEdit(NamedTuple):
    """The two texts of a ``dockerfile`` operation that gives EXPOSE another port."""

    old: str
    new: str


def port_edit(dockerfile: Dockerfile) -> PortEdit | None:
    """Return how to change the first literal port of the final stage's EXPOSE.

    None where there is no such port, or its text cannot be told from others of the Dockerfile.
    """
    text = dockerfile.text
    lines = text.split("\n")
    for instruction in dockerfile.stages[-1].instructions:
        if instruction.keyword != "EXPOSE":
            continue
        start = sum(len(line) + 1 for line in lines[: instruction.line - 1])
        match = _PORT.match(text, start)
        if match is None or not 0 < int(match[2]) < 1 << 16:
            continue
        end = match.end(2)
        # The line break before it and the character after it tell it from comments and prefixes.
        for first, last in ((start, end), (start - 1, end), (start, end + 1), (start - 1, end + 1)):
            old = text[first:last]
            if text.count(old) == 1:
                return PortEdit(old, f"{text[first:start]}{match[1]}{{port}}{text[end:last]}")
    return None
