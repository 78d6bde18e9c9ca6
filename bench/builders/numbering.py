"""Which instruction a BuildKit vertex name ``[stage i/n] …`` speaks of.

Source: moby/buildkit ``frontend/dockerfile/dockerfile2llb/convert.go``: `toDispatchState` counts
``n`` (FROM of an image, RUN, COPY, ADD, and every WORKDIR), `prefixCommand` counts ``i`` as it
emits vertices, which it does not for ``WORKDIR /``. Triggers of the base (ONBUILD) come right
after FROM and are counted like instructions. Names hold expanded variables and may be merged
with another stage's, so only stage and index are trusted, never the text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bench.dockerfile import StageState, global_variables, parse

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.builders.protocol import BaseImageConfig, BuildRequest
    from bench.dockerfile import Instruction, Stage

VERTEX_KEYWORDS = frozenset({"RUN", "COPY", "ADD", "WORKDIR"})
"""The instructions that make a vertex, beside FROM of an image."""

_NAME = re.compile(r"\A\[(?:(?P<prefix>[^\]]*?)\s+)?(?P<i>\d+)/(?P<n>\d+)\] (?P<rest>.*)\Z", re.S)
_UNNAMED = re.compile(r"\Astage-(\d+)\Z")


@dataclass(frozen=True)
class VertexName:
    """A parsed vertex name. ``stage`` is None where the build has one state and no prefix."""

    stage: str | None
    index: int
    total: int
    rest: str


def parse_vertex_name(name: str) -> VertexName | None:
    """Parse ``[platform stage i/n] text``; None for ``[internal] …``, ``exporting …`` and such."""
    match = _NAME.match(name)
    if match is None:
        return None
    words = (match["prefix"] or "").split()
    # A platform may stand before the stage: linux/amd64. A stage's name holds no slash.
    stage = next((word for word in reversed(words) if "/" not in word), None)
    return VertexName(stage, int(match["i"]), int(match["n"]), match["rest"])


@dataclass(frozen=True)
class StepKey:
    """One instruction: stage index, and the place in its stage counted from 1."""

    stage_index: int
    step: int


@dataclass
class _Numbered:
    """A stage's vertices: index in the stage's count → step (None for a trigger of the base)."""

    state: StageState
    triggers: tuple[str, ...]
    steps: dict[int, int | None] = field(default_factory=dict)


class StepNumbering:
    """Maps vertex names of one build to the instructions of its Dockerfile."""

    def __init__(self, request: BuildRequest) -> None:
        self._dockerfile = request.dockerfile
        self._build_args = request.build_args
        self._globals = global_variables(request.dockerfile, request.build_args)
        self._bases = request.base_images
        self._stages: list[_Numbered] = []
        for stage in request.dockerfile.stages:
            self._stages.append(self._number(stage))
        self._reachable = request.dockerfile.reachable(request.target, request.build_args)

    def find(self, name: VertexName) -> StepKey | None:
        """Return the instruction that ``name`` speaks of; None for a trigger or an unknown."""
        stage_index = self._stage_index(name)
        if stage_index is None:
            return None
        step = self._stages[stage_index].steps.get(name.index)
        return None if step is None else StepKey(stage_index, step)

    def makes_vertex(self, key: StepKey) -> bool:
        """Tell whether BuildKit makes a vertex of its own for this instruction."""
        return key.step in self._stages[key.stage_index].steps.values()

    def _stage_index(self, name: VertexName) -> int | None:
        if name.stage is None:
            return next(iter(self._reachable)) if len(self._reachable) == 1 else None
        stages = self._dockerfile.stages
        wanted = name.stage.lower()
        for stage in reversed(stages):
            named = stage.name is not None and stage.name.lower() == wanted
            if named and stage.index in self._reachable:
                return stage.index
        unnamed = _UNNAMED.match(wanted)
        if unnamed is not None and int(unnamed[1]) < len(stages):
            return int(unnamed[1])
        return None

    def _number(self, stage: Stage) -> _Numbered:
        parent = self._dockerfile.parent(stage, self._globals)
        if parent is None:
            base = self._bases.get(stage.base)
            numbered = _Numbered(_state_of(base), base.on_build if base else ())
            index = 0 if stage.base == "scratch" else 1  # an empty stage has no vertex to name
            if index:
                numbered.steps[index] = 1
        else:
            triggers = tuple(
                instruction.text.partition(" ")[2]
                for instruction in parent.instructions
                if instruction.keyword == "ONBUILD"
            )
            numbered = _Numbered(self._stages[parent.index].state.copy(), triggers)
            index = 0
        own = list(enumerate(stage.instructions[1:], start=2))
        for step, instruction in [*_triggered(numbered.triggers), *own]:
            numbered.state.apply(instruction, self._build_args, self._globals)
            is_root = instruction.keyword == "WORKDIR" and numbered.state.working_dir == "/"
            if instruction.keyword in VERTEX_KEYWORDS and not is_root:
                index += 1
                numbered.steps[index] = step
        return numbered


def _triggered(triggers: Sequence[str]) -> list[tuple[None, Instruction]]:
    """Return the instructions that a base's ONBUILD adds; they are no step of the Dockerfile."""
    if not triggers:
        return []
    stage = parse("\n".join(["FROM scratch", *triggers]), "ONBUILD").stages[0]
    return [(None, instruction) for instruction in stage.instructions[1:]]


def _state_of(base: BaseImageConfig | None) -> StageState:
    if base is None:
        return StageState()
    variables: Mapping[str, str] = base.env
    return StageState(dict(variables), base.working_dir or "/")
