"""When the steps of a simulated build run: one after the other, or stages side by side."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bench.dockerfile import global_variables
from bench.dockerfile.model import copy_sources

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.builders.stages import Interval
    from bench.cache_model import StepPlace
    from bench.dockerfile import Dockerfile, Stage


@dataclass(frozen=True)
class Schedule:
    """``intervals`` are seconds since the build's first step; ``critical`` seconds by stage."""

    intervals: Mapping[StepPlace, Interval]
    critical: Mapping[int, float]

    @property
    def seconds(self) -> float:
        """From the first start to the last end."""
        return max((end for _, end in self.intervals.values()), default=0.0)


def in_order(seconds: Mapping[StepPlace, float]) -> Schedule:
    """Run steps one after the other, as the classic builder does; all of it is critical."""
    intervals: dict[StepPlace, Interval] = {}
    critical: dict[int, float] = {}
    now = 0.0
    for place, took in seconds.items():
        intervals[place] = (now, now + took)
        critical[place.stage_index] = critical.get(place.stage_index, 0.0) + took
        now += took
    return Schedule(intervals, critical)


def side_by_side(
    dockerfile: Dockerfile,
    build_args: Mapping[str, str],
    seconds: Mapping[StepPlace, float],
    twins: Mapping[StepPlace, StepPlace],
) -> Schedule:
    """Run every step as soon as what it needs is there, as BuildKit does with cores enough.

    A step needs the one before it in its stage; the first one the stage that FROM names; one that
    copies or mounts from another stage the end of that stage too; and one of ``twins`` the equal
    step that is done for both. ``seconds`` is in the order of the Dockerfile and holds every step
    that takes part.
    """
    needs = _needs(dockerfile, build_args, list(seconds))
    for place, twin in twins.items():
        needs[place].append(twin)
    intervals: dict[StepPlace, Interval] = {}
    waited_for: dict[StepPlace, StepPlace | None] = {}
    for place, took in seconds.items():
        last = max(needs[place], key=lambda one: intervals[one][1], default=None)
        began = intervals[last][1] if last is not None else 0.0
        intervals[place] = (began, began + took)
        waited_for[place] = last
    critical: dict[int, float] = {}
    at = max(intervals, key=lambda one: intervals[one][1], default=None)
    while at is not None:
        began, ended = intervals[at]
        critical[at.stage_index] = critical.get(at.stage_index, 0.0) + ended - began
        at = waited_for[at]
    return Schedule(intervals, critical)


def _needs(
    dockerfile: Dockerfile, build_args: Mapping[str, str], places: Sequence[StepPlace]
) -> dict[StepPlace, list[StepPlace]]:
    variables = global_variables(dockerfile, build_args)
    ends: dict[int, StepPlace] = {}
    needs: dict[StepPlace, list[StepPlace]] = {}
    for place in places:
        stage = dockerfile.stages[place.stage_index]
        above = ends.get(place.stage_index)
        if above is None:
            parent = dockerfile.parent(stage, variables)
            above = ends.get(parent.index) if parent is not None else None
        needs[place] = [] if above is None else [above]
        needs[place] += [ends[index] for index in _taken_from(dockerfile, stage, place.step, ends)]
        ends[place.stage_index] = place
    return needs


def _taken_from(
    dockerfile: Dockerfile, stage: Stage, step: int, ends: Mapping[int, StepPlace]
) -> list[int]:
    """Return the stages that one instruction copies or mounts from."""
    instruction = stage.instructions[step - 1]
    alone = replace(stage, instructions=(stage.instructions[0], instruction))
    found = (dockerfile.find_stage(one, before=stage.index) for one in copy_sources(alone))
    return [one.index for one in found if one is not None and one.index in ends]
