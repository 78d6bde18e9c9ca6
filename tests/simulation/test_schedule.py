"""When simulated steps run: in order, or as soon as what they need is there."""

from __future__ import annotations

import pytest

from bench.cache_model import StepPlace
from bench.dockerfile import parse
from bench.simulation.schedule import Schedule, in_order, side_by_side

TEXT = """\
FROM base AS one
RUN a
FROM base AS two
RUN b
RUN c
FROM one
COPY --from=two /x /x
RUN --mount=type=bind,from=one,target=/y d
"""


def schedule(seconds: dict[tuple[int, int], float]) -> Schedule:
    times = {StepPlace(*place): took for place, took in seconds.items()}
    return side_by_side(parse(TEXT), {}, times, {})


SECONDS = {(0, 2): 1.0, (1, 2): 2.0, (1, 3): 3.0, (2, 2): 0.5, (2, 3): 0.25}


def test_stages_run_side_by_side_and_wait_for_what_they_copy() -> None:
    made = schedule(SECONDS)

    assert made.intervals[StepPlace(0, 2)] == (0.0, 1.0)
    assert made.intervals[StepPlace(1, 2)] == (0.0, 2.0)
    assert made.intervals[StepPlace(2, 2)] == (5.0, 5.5)  # FROM one, but --from=two ends later
    assert made.intervals[StepPlace(2, 3)] == (5.5, 5.75)
    assert made.seconds == 5.75


def test_the_critical_path_is_the_chain_that_was_waited_for() -> None:
    assert schedule(SECONDS).critical == {2: 0.75, 1: 5.0}


def test_a_stage_that_starts_from_another_begins_at_its_end() -> None:
    made = schedule({(0, 2): 9.0, (2, 2): 1.0})

    assert made.intervals[StepPlace(2, 2)] == (9.0, 10.0)


def test_a_step_that_is_merged_ends_with_its_twin() -> None:
    dockerfile = parse("FROM a AS x\nRUN t\nFROM a\nRUN t\nRUN u\n")
    first, twin, last = StepPlace(0, 2), StepPlace(1, 2), StepPlace(1, 3)

    made = side_by_side(dockerfile, {}, {first: 4.0, twin: 0.0, last: 1.0}, {twin: first})

    assert made.intervals[last] == (4.0, 5.0)


def test_the_classic_builder_does_one_step_after_the_other() -> None:
    made = in_order({StepPlace(0, 2): 1.0, StepPlace(1, 2): 2.0})

    assert made.intervals[StepPlace(1, 2)] == (1.0, 3.0)
    assert made.critical == {0: 1.0, 1: 2.0}


@pytest.mark.parametrize("empty", [in_order({}), side_by_side(parse(TEXT), {}, {}, {})])
def test_a_build_without_timed_steps_takes_no_time(empty: Schedule) -> None:
    assert (empty.seconds, dict(empty.critical)) == (0.0, {})
