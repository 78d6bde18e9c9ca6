"""What the builder did with every instruction, from a recorded log and the Dockerfile it is of."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench.builders.buildkit import BuildKitReading, Vertex
from bench.builders.numbering import VERTEX_KEYWORDS, StepNumbering, parse_vertex_name
from bench.builders.protocol import BuildOutcome, BuildRequest, PackedContext
from bench.cache_model import StepPlace
from bench.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench.builders.numbering import VertexName
    from bench.builders.protocol import Build
    from bench.dockerfile import Dockerfile, Instruction
    from bench.explain.rawjson import BuildLog

_KEYWORDS = VERTEX_KEYWORDS | {"FROM"}
_NOT_PLAIN = frozenset("$<\\`")
_SHOWN = 80


@dataclass(frozen=True)
class Observed:
    """A build as its log tells of it, and what raises doubts that it is of this Dockerfile."""

    build: Build
    doubts: tuple[str, ...] = ()


def observe(
    log: BuildLog,
    dockerfile: Dockerfile,
    *,
    build_args: Mapping[str, str],
    target: str | None,
) -> Observed:
    """Score every instruction of ``dockerfile`` by the log of its build.

    Raises:
        UsageError: the log is of another Dockerfile: an index of it names another instruction.

    """
    request = BuildRequest(
        context=PackedContext(Path(), 0, "", 0.0),  # was sent when the log was made
        dockerfile=dockerfile,
        dockerfile_path=dockerfile.path,
        tag="",
        build_args=build_args,
        target=target,
    )
    reading = BuildKitReading(request)
    for event in log.events:
        reading.vertices.setdefault(event.digest, Vertex(event.name)).take(event)
    doubts = _check_names(log, request, [vertex.name for vertex in reading.vertices.values()])
    outcome = BuildOutcome.FAILED if log.error else BuildOutcome.OK
    return Observed(reading.result(outcome, log.error, 0.0), tuple(doubts))


def outcomes_of(build: Build) -> dict[StepPlace, str]:
    """Return the outcome of every step by its place."""
    return {StepPlace(one.stage_index, one.step): one.outcome.value for one in build.steps}


def is_link_merged(log: BuildLog) -> bool:
    """Tell whether the log is of an engine that really links: a step has a LINK vertex."""
    parsed = (parse_vertex_name(event.name) for event in log.events)
    return any(name is not None and name.rest.startswith("LINK ") for name in parsed)


def _check_names(log: BuildLog, request: BuildRequest, names: list[str]) -> list[str]:
    """Hold the names of the log against the Dockerfile; return doubts, one at most."""
    numbering = StepNumbering(request)
    parsed = [(name, text) for text in names if (name := parse_vertex_name(text)) is not None]
    if not parsed:
        ended = f"; the build ended with: {log.error}" if log.error else ""
        raise UsageError(
            f"{log.path}: the log names no step of a Dockerfile{ended}",
            remedy="give the log of a build that came as far as its first step",
        )
    doubts = []
    # Engines tell of the last steps first, or of the first ones: the lowest number is named.
    for name, text in sorted(parsed, key=lambda one: one[0].index):
        if not name.rest.startswith("ONBUILD "):
            instruction = _instruction(log, request.dockerfile, numbering, name, text)
            if _reads_otherwise(instruction, name):
                doubts.append(
                    f"the log has {text[:_SHOWN]!r} where {request.dockerfile.path} has "
                    f"{instruction.text[:_SHOWN]!r} (line {instruction.line}): is it the log of "
                    "this Dockerfile?"
                )
    return doubts[:1]


def _instruction(
    log: BuildLog,
    dockerfile: Dockerfile,
    numbering: StepNumbering,
    name: VertexName,
    text: str,
) -> Instruction:
    """Return the instruction that a name speaks of, which must be of its kind."""
    keyword = _said(name).partition(" ")[0].upper()
    key = numbering.find(name)
    if key is None or keyword not in _KEYWORDS:
        found = "has no such step"
    else:
        instruction = dockerfile.stages[key.stage_index].instructions[key.step - 1]
        if instruction.keyword == keyword:
            return instruction
        found = f"has {instruction.text[:_SHOWN]!r} there (line {instruction.line})"
    raise UsageError(
        f"{log.path}: the log is of another Dockerfile: it names {text[:_SHOWN]!r}, and "
        f"{dockerfile.path} {found}",
        remedy="give the Dockerfile as it was built, with the same --build-arg and --target",
    )


def _said(name: VertexName) -> str:
    return " ".join(name.rest.removeprefix("LINK ").split())


def _reads_otherwise(instruction: Instruction, name: VertexName) -> bool:
    """Tell whether a name is not the instruction's text, where names are plain copies of it.

    In names variables are expanded and here-documents cut; that of FROM holds a digest.
    """
    if instruction.keyword == "FROM" or _NOT_PLAIN & set(instruction.text):
        return False
    return _said(name).lower() != instruction.text.lower()
