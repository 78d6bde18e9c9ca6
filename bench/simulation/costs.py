"""What the steps of a Dockerfile cost: by a recorded run, by one measured build, or by a guess."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from bench.builders.protocol import StepOutcome
from bench.cache_model import StepPlace
from bench.dockerfile import copy_sources
from bench.orderings.costs import StepCosts
from bench.simulation.times import Moment, guessed_times

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bench.builders.protocol import StageTiming, Step
    from bench.dockerfile import Dockerfile
    from bench.simulation.times import StepTimes

GUESSED = "guessed: one flat time for each kind of instruction"
MEASURED = "one measured build"


class Timed(Protocol):
    """What is read of a build here: one just made, or the record of one."""

    @property
    def wall_seconds(self) -> float:
        """Seconds of the whole build."""

    @property
    def steps(self) -> tuple[Step, ...]:
        """Its instructions."""

    @property
    def stages(self) -> tuple[StageTiming, ...]:
        """Its stages."""


@dataclass(frozen=True)
class _Written:
    """A step as the Dockerfile has it, to look its time up."""

    stage: str
    step: int
    instruction: str
    text: str


def recorded_costs(
    dockerfile: Dockerfile,
    times: StepTimes,
    *,
    variant: str,
    builder: str,
    changes: Iterable[str],
) -> StepCosts:
    """Return the costs that a recorded run shows, or flat guesses where ``times`` are guesses.

    Args:
        dockerfile: the variant's, as written.
        times: the times of the run.
        variant: the variant's name in the run.
        builder: ``classic`` or ``buildkit``.
        changes: the changes after which a step may have been seen to hit that an artefact decides.

    """
    control = Moment(variant, builder, "control")
    changed = Moment(variant, builder, "change")
    seconds: dict[StepPlace, float] = {}
    hits: set[tuple[str, StepPlace]] = set()
    warm: dict[int, float] = {}
    names = tuple(changes)
    for stage in dockerfile.stages:
        first = stage.instructions[0]
        for step, one in enumerate(stage.instructions, start=1):
            place = StepPlace(stage.index, step)
            written = _Written(stage.label, step, one.keyword, one.text)
            seconds[place], _ = times.seconds(changed, written, StepOutcome.MISS)
            outcome = StepOutcome.BASE if step == 1 else StepOutcome.HIT
            took = times.seconds(control, written, outcome)[0]
            warm[stage.index] = warm.get(stage.index, 0.0) + took
            # Of any other step a hit says where it stood, and not what it does elsewhere.
            taken = copy_sources(replace(stage, instructions=(first, one)))
            if step > 1 and any(dockerfile.find_stage(name, before=stage.index) for name in taken):
                hits |= {
                    (name, place)
                    for name in names
                    if times.artefact_hits(Moment(variant, builder, "change", name), written)
                }
    return StepCosts(
        seconds=seconds,
        # Stages of the classic builder are built one after the other, those of BuildKit at once.
        floor=times.outside(control) + (sum if builder == "classic" else max)(warm.values()),
        source=f"the run {times.run}" if times.run else GUESSED,
        extra=max(0.0, times.outside(changed) - times.outside(control)),
        hits=frozenset(hits),
    )


def guessed_costs(dockerfile: Dockerfile) -> StepCosts:
    """Return one flat guess per instruction: nothing was ever measured."""
    return recorded_costs(dockerfile, guessed_times(), variant="", builder="", changes=())


def measured_costs(cold: Timed, warm: Timed | None = None) -> StepCosts:
    """Return the costs that a build of the Dockerfile as written shows.

    Args:
        cold: a build in which every step missed.
        warm: the build after it, in which everything hit. Without it, what the cold build took
            beside its steps is taken for the floor.

    """
    seconds = {
        StepPlace(step.stage_index, step.step): step.seconds
        for step in cold.steps
        if step.outcome is StepOutcome.MISS and step.seconds is not None
    }
    outside = _outside(cold)
    floor = outside if warm is None else warm.wall_seconds
    return StepCosts(
        seconds=seconds,
        floor=floor,
        source=MEASURED,
        extra=0.0 if warm is None else max(0.0, outside - _outside(warm)),
    )


def _outside(build: Timed) -> float:
    """Return what a build took beside its steps: sending the context, exporting the image."""
    return max(0.0, build.wall_seconds - sum(one.critical_seconds for one in build.stages))
