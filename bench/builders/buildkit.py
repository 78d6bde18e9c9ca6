"""BuildKit inside the engine: ``POST /build`` version 2 with a tar body and no session.

Needs no binary beside the engine. Times are the daemon's own start and completion stamps.
"""

from __future__ import annotations

import base64
import binascii
import secrets
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import networkx as nx

from bench.builders.classic import LOG_LINES, log_lines
from bench.builders.numbering import StepKey, StepNumbering, parse_vertex_name
from bench.builders.protocol import Build, BuildOutcome, Step, StepOutcome
from bench.builders.reading import read_build
from bench.builders.stages import Interval, busy, stage_timings, union
from bench.builders.status import decode_status
from bench.builders.transport import Arrival, BuildStream
from bench.dockerfile import GLOBAL_STAGE_INDEX

if TYPE_CHECKING:
    from collections.abc import Mapping

    from docker import DockerClient

    from bench.builders.protocol import BuildRequest
    from bench.builders.status import VertexEvent
    from bench.dockerfile import Instruction, Stage

_TRACE = "moby.buildkit.trace"
_IMAGE = "moby.image.id"
_CANCELED = "context canceled"


class BuildKitBuilder:
    """Builds with the BuildKit that is part of one engine."""

    name = "buildkit"

    def __init__(self, client: DockerClient) -> None:
        self._client = client

    def build(self, request: BuildRequest) -> Build:
        """Build ``request``; see `bench.builders.protocol.Builder`."""
        build_id = f"cachebench-{secrets.token_hex(8)}"
        stream = BuildStream(self._client, request, version="2", build_id=build_id)
        return read_build(stream, BuildKitReading(request))


@dataclass
class Vertex:
    """All that the stream told of one vertex, over however many events."""

    name: str
    inputs: tuple[str, ...] = ()
    error: str = ""
    starts: dict[float, bool] = field(default_factory=dict)
    """When it started, and whether that start was one from the cache."""
    inferred: bool = False
    """Whether it was called cached without ever starting."""
    loaded: bool = False
    """Whether it was taken from the cache in a time that can be measured."""
    intervals: list[Interval] = field(default_factory=list)

    @property
    def cached(self) -> bool:
        """Whether the cache answered for it: it was loaded, or its last start was a cached one.

        A vertex that is not done when one that needs it starts is declared cached at that very
        moment, as if it never came to run (moby/buildkit ``solver/progress.go``
        vertexStream.append); it may well run afterwards, as merges of linked copies do.
        """
        if self.loaded or not self.starts:
            return self.loaded or self.inferred
        return self.starts[max(self.starts)]

    @property
    def ran(self) -> bool:
        """Whether it was worked on and not taken from the cache, in a build that ended well."""
        return bool(self.starts) and not self.cached

    def take(self, event: VertexEvent) -> None:
        """Take in one more event: a vertex starts and completes up to four times."""
        self.name = event.name or self.name
        self.inputs = event.inputs or self.inputs
        self.error = event.error or self.error
        if event.started is None:
            self.inferred = self.inferred or event.cached
        else:
            before = self.starts.get(event.started, False)
            self.starts[event.started] = before or event.cached
            took_time = event.completed is not None and event.completed > event.started
            self.loaded = self.loaded or (event.cached and took_time)
            if event.completed is not None:
                self.intervals.append((event.started, event.completed))


@dataclass
class BuildKitReading:
    """Turns the status messages of one build into steps. Pure: a recorded stream will do."""

    request: BuildRequest
    error: str = ""
    image_id: str | None = None
    vertices: dict[str, Vertex] = field(default_factory=dict)
    _log: deque[str] = field(default_factory=lambda: deque(maxlen=LOG_LINES))

    def take(self, arrival: Arrival) -> None:
        """Take one message of the stream."""
        message = arrival.message
        if "error" in message:
            self.error = str(message["error"]).strip()
        elif message.get("id") == _IMAGE:
            self.image_id = message["aux"]["ID"]
        elif message.get("id") == _TRACE:
            self._take_status(message["aux"])

    def _take_status(self, encoded: str) -> None:
        try:
            status = decode_status(base64.b64decode(encoded))
        except (binascii.Error, ValueError):
            # One unreadable message must not lose the build; a step it alone told of shows up
            # as merged or not-run instead of being guessed at.
            return
        self._log.extend(line for text in status.log_lines for line in log_lines(text))
        for event in status.vertices:
            self.vertices.setdefault(event.digest, Vertex(event.name)).take(event)

    def result(self, outcome: BuildOutcome, error: str, wall_seconds: float) -> Build:
        """Return the build, once the stream has ended."""
        scoring = _Scoring(self, outcome)
        steps = tuple(scoring.steps())
        return Build(
            builder=BuildKitBuilder.name,
            outcome=outcome,
            wall_seconds=wall_seconds,
            steps=steps,
            stages=stage_timings(
                self.request.dockerfile, steps, scoring.stage_intervals(), scoring.critical()
            ),
            image_id=self.image_id if outcome is BuildOutcome.OK else None,
            error=error,
            log_tail=() if outcome is BuildOutcome.OK else tuple(self._log),
        )


class _Scoring:
    """Decides the outcome of every instruction from the vertices of a finished build."""

    def __init__(self, reading: BuildKitReading, outcome: BuildOutcome) -> None:
        self._request = reading.request
        self._vertices = reading.vertices
        self._ok = outcome is BuildOutcome.OK
        self._timed_out = outcome is BuildOutcome.TIMEOUT
        self._numbering = StepNumbering(reading.request)
        self._reachable = reading.request.dockerfile.reachable(
            reading.request.target, reading.request.build_args
        )
        self._by_step: dict[StepKey, list[tuple[str, Vertex]]] = {}
        self._key_of: dict[str, StepKey] = {}
        for digest, vertex in reading.vertices.items():
            name = parse_vertex_name(vertex.name)
            key = None if name is None else self._numbering.find(name)
            if name is not None and key is not None:
                self._by_step.setdefault(key, []).append((name.rest, vertex))
                self._key_of[digest] = key
        self._zero = min(
            (start for vertex in reading.vertices.values() for start in vertex.starts),
            default=0.0,
        )

    def steps(self) -> list[Step]:
        """Return one step for every instruction, global ARGs first."""
        dockerfile = self._request.dockerfile
        found = [
            _step("", GLOBAL_STAGE_INDEX, number, instruction, StepOutcome.CONFIG)
            for number, instruction in enumerate(dockerfile.global_args, start=1)
        ]
        for stage in dockerfile.stages:
            for number, instruction in enumerate(stage.instructions, start=1):
                found.append(self._scored(stage, number, instruction))
        return found

    def _scored(self, stage: Stage, number: int, instruction: Instruction) -> Step:
        key = StepKey(stage.index, number)
        vertices = self._by_step.get(key, [])
        outcome = self._outcome(key, instruction, vertices)
        intervals = [interval for _, vertex in vertices for interval in vertex.intervals]
        if not intervals:
            return _step(stage.label, stage.index, number, instruction, outcome)
        start = min(start for start, _ in intervals)
        return _step(
            stage.label,
            stage.index,
            number,
            instruction,
            outcome,
            seconds=busy(intervals),
            offset_seconds=start - self._zero,
        )

    def _outcome(
        self, key: StepKey, instruction: Instruction, vertices: list[tuple[str, Vertex]]
    ) -> StepOutcome:
        if key.stage_index not in self._reachable:
            return StepOutcome.UNREACHED
        if any(vertex.error and _CANCELED not in vertex.error for _, vertex in vertices):
            return StepOutcome.FAILED
        if instruction.keyword == "FROM":
            return StepOutcome.BASE
        if not self._numbering.makes_vertex(key):
            return StepOutcome.CONFIG
        if not vertices:
            return StepOutcome.MERGED if self._ok else StepOutcome.NOT_RUN
        # COPY --link with the containerd image store is two vertices of one index; the LINK (a
        # merge with what stood before) is what later steps build on.
        linked = [vertex for rest, vertex in vertices if rest.startswith("LINK ")]
        decisive = linked or [vertex for _, vertex in vertices]
        if self._ok:
            # What never started in a build that ended well was not run: the cache answered for
            # it, or for a step that needs it.
            ran = any(vertex.ran and self._was_needed(vertex) for vertex in decisive)
            return StepOutcome.MISS if ran else StepOutcome.HIT
        return self._outcome_in_failure(decisive)

    def _was_needed(self, vertex: Vertex) -> bool:
        """Tell whether the result of ``vertex`` was needed, by what is built on it.

        A vertex without inputs (WORKDIR onto scratch) starts and completes when its key is made,
        used or not (moby/buildkit ``solver/jobs.go`` CacheMap). If all that stands on it came from
        the cache, it was neither run nor loaded: the cache had an answer for it.
        """
        if vertex.inputs:
            return True
        digest = next(digest for digest, one in self._vertices.items() if one is vertex)
        users = [one for one in self._vertices.values() if digest in one.inputs]
        return not users or any(one.ran for one in users)

    def _outcome_in_failure(self, vertices: list[Vertex]) -> StepOutcome:
        # A failed build shows steps it never came to as cached (moby/buildkit#5644), and gives
        # steps that were cut off an end and the error of the cancellation.
        if any(vertex.cached or vertex.error for vertex in vertices):
            return StepOutcome.NOT_RUN
        if any(vertex.intervals for vertex in vertices):
            return StepOutcome.MISS
        under_way = any(vertex.starts for vertex in vertices)
        return StepOutcome.FAILED if self._timed_out and under_way else StepOutcome.NOT_RUN

    def stage_intervals(self) -> dict[int, list[Interval]]:
        """Return when each stage's vertices were worked on, FROM included."""
        intervals: dict[int, list[Interval]] = {}
        for digest, key in self._key_of.items():
            intervals.setdefault(key.stage_index, []).extend(self._vertices[digest].intervals)
        return {index: union(spans) for index, spans in intervals.items()}

    def critical(self) -> dict[int, float]:
        """Return each stage's seconds on the critical path: the chain of longest total work.

        When a vertex completed does not tell who waited for whom: one that was found in the cache
        is reported late, together with the first vertex that needed it.
        """
        chain = critical_chain(self._vertices)
        shares: dict[int, float] = {}
        for digest in chain:
            key = self._key_of.get(digest)
            if key is not None:
                own = busy(self._vertices[digest].intervals)
                shares[key.stage_index] = shares.get(key.stage_index, 0.0) + own
        return shares


def critical_chain(vertices: Mapping[str, Vertex]) -> list[str]:
    """Return the digests of the chain of inputs with the most seconds of work, last one first."""
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(vertices)
    for digest, vertex in vertices.items():
        work = busy(vertex.intervals)
        # The work of a vertex is put on the edges to it; the source gives the first one its edge.
        for source in ("", *(one for one in vertex.inputs if one in vertices)):
            graph.add_edge(source, digest, weight=work)
    if not nx.is_directed_acyclic_graph(graph):
        return []  # no BuildKit sends that; a stream that does must not end the run
    chain: list[str] = nx.dag_longest_path(graph)
    return [digest for digest in reversed(chain) if digest]


def _step(
    stage: str,
    stage_index: int,
    number: int,
    instruction: Instruction,
    outcome: StepOutcome,
    *,
    seconds: float | None = None,
    offset_seconds: float | None = None,
) -> Step:
    return Step(
        stage=stage,
        stage_index=stage_index,
        step=number,
        line=instruction.line,
        instruction=instruction.keyword,
        text=instruction.text,
        outcome=outcome,
        seconds=seconds,
        offset_seconds=offset_seconds,
    )
