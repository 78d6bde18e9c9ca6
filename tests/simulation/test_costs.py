"""What a recorded run says of the steps of an ordering that it never built."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from bench.builders.protocol import StageTiming, Step, StepOutcome
from bench.cache_model import StepPlace
from bench.dockerfile import parse
from bench.simulation.costs import measured_costs, recorded_costs
from bench.simulation.times import StepTimes

TEXT = """\
FROM base AS make
COPY src /src
RUN make
FROM base
LABEL a=b
COPY --from=make /out /out
COPY --from=busybox:1.36 /bin/busybox /bin/
RUN --mount=type=bind,from=make,target=/make check
"""


def times_in_which_all_hit() -> StepTimes:
    dockerfile = parse(TEXT)
    return StepTimes(
        run="a",
        _hits={
            ("classic", "v", "change", "edit", stage.label, one.text): 1.0
            for stage in dockerfile.stages
            for one in stage.instructions
        },
    )


def test_only_a_step_that_takes_from_a_stage_is_known_to_hit_wherever_it_stands() -> None:
    """A LABEL that hit stood above what changed; below it, it would have missed."""
    costs = recorded_costs(
        parse(TEXT), times_in_which_all_hit(), variant="v", builder="classic", changes=["edit"]
    )
    assert costs.hits == {("edit", StepPlace(1, 3)), ("edit", StepPlace(1, 5))}


def test_nothing_is_known_of_another_change_or_builder() -> None:
    times = times_in_which_all_hit()
    for builder, change in (("buildkit", "edit"), ("classic", "other")):
        costs = recorded_costs(parse(TEXT), times, variant="v", builder=builder, changes=[change])
        assert costs.hits == frozenset()


@dataclass(frozen=True)
class Built:
    """As much of a build as is looked at."""

    wall_seconds: float
    stages: tuple[StageTiming, ...]
    steps: tuple[Step, ...]


def test_what_a_cold_build_takes_beside_its_steps_is_spread_over_them() -> None:
    """So that what is expected of a cold build is what it took, and of a small rebuild little."""
    text = "FROM base\nCOPY a /a\nRUN long\n"
    times = StepTimes(
        run="a",
        _seconds={
            ("stage", "miss", "buildkit", "0", "COPY a /a"): 0.1,
            ("stage", "miss", "buildkit", "0", "RUN long"): 0.9,
        },
    )
    stage = StageTiming("0", 0, 1.0, 1.0, 1.0, 0, 2)
    steps = tuple(
        Step("0", 0, number, number, one.keyword, one.text, StepOutcome.MISS)
        for number, one in enumerate(parse(text).stages[0].instructions[1:], start=2)
    )
    cold, warm = Built(1.6, (stage,), steps), Built(0.1, (), ())

    costs = measured_costs(parse(text), times, cold, warm, builder="buildkit")

    assert costs.floor == 0.1
    assert costs.extra == 0.0
    assert costs.seconds[StepPlace(0, 2)] == pytest.approx(
        0.1 + 0.125 + 0.025
    )  # of 0.5 s beside: each, and by time
    assert costs.floor + sum(costs.seconds[StepPlace(0, step)] for step in (2, 3)) == pytest.approx(
        1.6
    )
