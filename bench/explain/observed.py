"""What the builder did with every instruction, from a recorded log and the Dockerfile it is of."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bench.builders.buildkit import BuildKitReading, Vertex
from bench.builders.numbering import StepNumbering, parse_vertex_name
from bench.builders.protocol import BuildOutcome, BuildRequest, PackedContext, StepOutcome
from bench.cache_model import StepPlace
from bench.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench.builders.numbering import VertexName
    from bench.builders.protocol import Build
    from bench.dockerfile import Dockerfile
    from bench.explain.rawjson import BuildLog

SCORED = frozenset({StepOutcome.HIT, StepOutcome.MISS})
_NAMED_ONCE = frozenset({"RUN", "COPY", "ADD", "WORKDIR", "FROM"})


def observe(
    log: BuildLog,
    dockerfile: Dockerfile,
    *,
    build_args: Mapping[str, str],
    target: str | None,
) -> Build:
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
    _check_names(log, request, [vertex.name for vertex in reading.vertices.values()])
    return reading.result(BuildOutcome.FAILED if log.error else BuildOutcome.OK, log.error, 0.0)


def outcomes_of(build: Build) -> dict[StepPlace, str]:
    """Return the outcome of every step by its place."""
    return {StepPlace(one.stage_index, one.step): one.outcome.value for one in build.steps}


def is_link_merged(log: BuildLog) -> bool:
    """Tell whether the log is of an engine that really links: a step has a LINK vertex."""
    parsed = (parse_vertex_name(event.name) for event in log.events)
    return any(name is not None and name.rest.startswith("LINK ") for name in parsed)


def _check_names(log: BuildLog, request: BuildRequest, names: list[str]) -> None:
    numbering = StepNumbering(request)
    steps = 0
    for text in names:
        name = parse_vertex_name(text)
        if name is None or name.rest.startswith("ONBUILD "):
            continue
        steps += 1
        _check_name(log, request.dockerfile, numbering, name, text)
    if not steps:
        ended = f"; the build ended with: {log.error}" if log.error else ""
        raise UsageError(
            f"{log.path}: the log names no step of a Dockerfile{ended}",
            remedy="give the log of a build that came as far as its first step",
        )


def _check_name(
    log: BuildLog,
    dockerfile: Dockerfile,
    numbering: StepNumbering,
    name: VertexName,
    text: str,
) -> None:
    keyword = name.rest.removeprefix("LINK ").partition(" ")[0].upper()
    key = numbering.find(name)
    if key is None or keyword not in _NAMED_ONCE:
        found = "has no such step"
    else:
        instruction = dockerfile.stages[key.stage_index].instructions[key.step - 1]
        if instruction.keyword == keyword:
            return
        found = f"has {instruction.text[:60]!r} there (line {instruction.line})"
    raise UsageError(
        f"{log.path}: the log is of another Dockerfile: it names {text[:80]!r}, and "
        f"{dockerfile.path} {found}",
        remedy="give the Dockerfile as it was built, with the same --build-arg and --target",
    )
