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


def measured_costs(
    dockerfile: Dockerfile, times: StepTimes, cold: Timed, warm: Timed, *, builder: str
) -> StepCosts:
    """Return the costs that a cold build and a warm one show.

    What the cold build takes beside its steps (above all the export of the layers they made) is
    spread over them, so that its own wall is what is expected of it: half of it evenly, since
    every layer costs something, and half by their seconds, since large layers cost more.

    Args:
        dockerfile: whose costs are wanted: the one that was built, or another with steps of its.
        times: the times of these builds.
        cold: a build in which every step missed.
        warm: a build after it, in which everything hit; its wall is the floor.
        builder: the builder of both.

    """
    known = recorded_costs(dockerfile, times, variant="", builder=builder, changes=())
    steps = sum(one.critical_seconds for one in cold.stages)
    layers = sum(one.outcome is StepOutcome.MISS for one in cold.steps)
    half = max(0.0, cold.wall_seconds - warm.wall_seconds - steps) / 2
    each = half / max(1, layers)
    ratio = 1.0 + half / steps if steps > 0 else 1.0
    return StepCosts(
        seconds={place: each + ratio * seconds for place, seconds in known.seconds.items()},
        floor=warm.wall_seconds,
        source=MEASURED,
    )
