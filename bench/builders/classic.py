"""The classic builder: ``POST /build`` version 1.

It prints text and no times: ``Step i/n : …`` begins an instruction, `` ---> Using cache`` says
that the cache answered (moby ``builder/dockerfile/builder.go``, ``internals.go``). Each line is
stamped when it arrives. Every stage up to the target is built, in file order, used or not.
"""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bench.builders.protocol import Build, BuildOutcome, Step, StepOutcome
from bench.builders.reading import read_build
from bench.builders.stages import Interval, stage_timings
from bench.builders.transport import Arrival, BuildStream
from bench.dockerfile import GLOBAL_STAGE_INDEX

if TYPE_CHECKING:
    from docker import DockerClient

    from bench.builders.protocol import BuildRequest
    from bench.dockerfile import Dockerfile, Instruction

LOG_LINES = 40
_STEP = re.compile(r"\AStep (\d+)/(\d+) : (\S+)")
_USING_CACHE = " ---> Using cache"
_RUNNING = re.compile(r"\A ---> Running in ([0-9a-f]+)")
_REMOVED = re.compile(r"\A(?: ---> Removed|Removing) intermediate container ")
_COLOUR = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


@dataclass
class _Place:
    """One instruction in the order in which the builder counts, and what was seen of it."""

    stage: str
    stage_index: int
    step: int
    instruction: Instruction
    began: float | None = None
    ended: float | None = None
    cached: bool = False


class ClassicBuilder:
    """Builds with the classic builder of one engine."""

    name = "classic"

    def __init__(self, client: DockerClient) -> None:
        self._client = client

    def build(self, request: BuildRequest) -> Build:
        """Build ``request``; see `bench.builders.protocol.Builder`."""
        stream = BuildStream(self._client, request, version="1", build_id="")
        return read_build(stream, ClassicReading(request.dockerfile, request.target))


@dataclass
class ClassicReading:
    """Turns the stream of one classic build into steps. Pure: it can be fed a recorded stream."""

    dockerfile: Dockerfile
    target: str | None = None
    error: str = ""
    image_id: str | None = None
    _places: list[_Place] = field(default_factory=list)
    _current: int = -1
    _container: str | None = None
    """The container that an instruction runs in just now, as the stream names it."""
    _log: deque[str] = field(default_factory=lambda: deque(maxlen=LOG_LINES))

    def __post_init__(self) -> None:
        self._places = _places(self.dockerfile, self.target)

    def take(self, arrival: Arrival) -> None:
        """Take one message of the stream."""
        message = arrival.message
        if "error" in message:
            self.error = str(message["error"]).strip()
        aux = message.get("aux")
        if isinstance(aux, dict) and "ID" in aux:
            self.image_id = aux["ID"]
        text = message.get("stream")
        if isinstance(text, str):
            self._take_text(text, arrival.at)

    def _take_text(self, text: str, at: float) -> None:
        self._log.extend(log_lines(text))
        if self._container is not None:
            # All this may be a RUN's own output, which can look like anything.
            if self._container in text and _REMOVED.match(text):
                self._container = None
            return
        running = _RUNNING.match(text)
        step = _STEP.match(text)
        if running is not None:
            self._container = running[1]
        elif step is not None and self._is_next(int(step[1]), int(step[2]), step[3]):
            self._finish(at)
            self._current += 1
            self._places[self._current].began = at
        elif self._current >= 0 and text.rstrip("\n") == _USING_CACHE:
            self._places[self._current].cached = True
        elif text.startswith("Successfully built "):
            self._finish(at)

    def _is_next(self, number: int, total: int, keyword: str) -> bool:
        if number != self._current + 2 or number > len(self._places) or total < len(self._places):
            return False
        return keyword.upper() == self._places[number - 1].instruction.keyword

    def _finish(self, at: float) -> None:
        if self._current >= 0 and self._places[self._current].ended is None:
            self._places[self._current].ended = at

    def result(self, outcome: BuildOutcome, error: str, wall_seconds: float) -> Build:
        """Return the build, once the stream has ended."""
        self._finish(wall_seconds)
        first = next((place.began for place in self._places if place.began is not None), 0.0)
        steps = [self._step(number, first, outcome) for number in range(len(self._places))]
        steps += _beyond_target(self.dockerfile, self.target)
        intervals: dict[int, list[Interval]] = {}
        for place in self._places:
            if place.began is not None and place.ended is not None:
                intervals.setdefault(place.stage_index, []).append((place.began, place.ended))
        # Nothing runs in parallel here: every second of a stage is on the critical path.
        critical = {
            index: sum(end - start for start, end in spans) for index, spans in intervals.items()
        }
        return Build(
            builder=ClassicBuilder.name,
            outcome=outcome,
            wall_seconds=wall_seconds,
            steps=tuple(steps),
            stages=stage_timings(self.dockerfile, steps, intervals, critical),
            image_id=self.image_id if outcome is BuildOutcome.OK else None,
            error=error,
            log_tail=() if outcome is BuildOutcome.OK else tuple(self._log),
        )

    def _step(self, number: int, first: float, outcome: BuildOutcome) -> Step:
        place = self._places[number]
        began, ended = place.began, place.ended
        seconds = ended - began if began is not None and ended is not None else None
        return Step(
            stage=place.stage,
            stage_index=place.stage_index,
            step=place.step,
            line=place.instruction.line,
            instruction=place.instruction.keyword,
            text=place.instruction.text,
            outcome=self._outcome(number, outcome),
            seconds=seconds,
            offset_seconds=None if began is None else began - first,
        )

    def _outcome(self, number: int, build_outcome: BuildOutcome) -> StepOutcome:
        place = self._places[number]
        if place.began is None:
            return StepOutcome.NOT_RUN
        if build_outcome is not BuildOutcome.OK and number == self._current:
            return StepOutcome.FAILED
        if place.stage_index == GLOBAL_STAGE_INDEX:
            return StepOutcome.CONFIG
        if place.instruction.keyword == "FROM":
            return StepOutcome.BASE
        return StepOutcome.HIT if place.cached else StepOutcome.MISS


def log_lines(text: str) -> list[str]:
    """Return the lines of a piece of output that say something, without terminal colours."""
    return [line for line in _COLOUR.sub("", text).splitlines() if line.strip()]


def _places(dockerfile: Dockerfile, target: str | None) -> list[_Place]:
    places = [
        _Place("", GLOBAL_STAGE_INDEX, step, instruction)
        for step, instruction in enumerate(dockerfile.global_args, start=1)
    ]
    last = dockerfile.target_stage(target).index
    for stage in dockerfile.stages[: last + 1]:
        places += [
            _Place(stage.label, stage.index, step, instruction)
            for step, instruction in enumerate(stage.instructions, start=1)
        ]
    return places


def _beyond_target(dockerfile: Dockerfile, target: str | None) -> list[Step]:
    last = dockerfile.target_stage(target).index
    return [
        Step(
            stage=stage.label,
            stage_index=stage.index,
            step=step,
            line=instruction.line,
            instruction=instruction.keyword,
            text=instruction.text,
            outcome=StepOutcome.UNREACHED,
        )
        for stage in dockerfile.stages[last + 1 :]
        for step, instruction in enumerate(stage.instructions, start=1)
    ]
