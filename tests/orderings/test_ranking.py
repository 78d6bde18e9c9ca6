"""Ranking and searching, held against costing every legal ordering with the whole cache model."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.cache_model import PROFILES, History, Predicted, StepPlace, predict
from bench.orderings.classes import Classes
from bench.orderings.costs import StepCosts
from bench.orderings.legality import partial_order
from bench.orderings.ordering import Ordering, arranged
from bench.orderings.outcomes import Outcomes
from bench.orderings.ranking import Ranking, WeightedState, rank
from bench.simulation.schedule import in_order, side_by_side
from tests.orderings.states import state

if TYPE_CHECKING:
    from bench.cache_model import Profile
    from bench.orderings.legality import PartialOrder
    from bench.predicting import BuildState

BOTH = pytest.mark.parametrize("name", ["classic-26", "buildkit-28"])
PYTHON = """\
FROM python AS base
WORKDIR /app
FROM base AS build
COPY src /app/src
COPY requirements /app/requirements
RUN pip install -r requirements
FROM base
COPY data /data/
LABEL a=b
COPY --from=build /app /app
EXPOSE 80
CMD ["run"]
"""
FILES = {"src": "s", "requirements": "r", "data": "d"}
SHARED = """\
FROM node AS build
WORKDIR /app
COPY package /app/package
RUN npm ci
COPY src /app/src
RUN npm run build
FROM node
WORKDIR /app
COPY package /app/package
COPY data /data/
RUN npm ci
COPY --from=build /app/dist /app/dist
"""
SHARED_FILES = {"package": "p", "src": "s", "data": "d"}


def costs_of(one: BuildState, seconds: int = 1) -> StepCosts:
    """Let every step take a time of its own."""
    places = [
        StepPlace(stage.index, step)
        for stage in one.dockerfile.stages
        for step in range(2, len(stage.instructions) + 1)
    ]
    return StepCosts(
        {place: seconds + 0.25 * number for number, place in enumerate(places)},
        floor=0.5,
        extra=0.125,
        source="the test",
    )


def setting(
    text: str, files: dict[str, str], profile: Profile, weights: tuple[float, ...] = (5, 2, 1)
) -> tuple[BuildState, list[WeightedState], PartialOrder]:
    base = state(text, **files)
    changes = [
        WeightedState(state(text, change=f"edit {name}", **{**files, name: "new"}), weight)
        for name, weight in zip(files, weights, strict=False)
    ]
    return base, changes, partial_order(base.input_for(profile), [profile])


def ranking_of(
    text: str, files: dict[str, str], name: str, *, limit: int = 10_000, seconds: int = 1
) -> Ranking:
    profile = PROFILES[name]
    base, changes, order = setting(text, files, profile)
    return rank(base, changes, profile, order, costs_of(base, seconds), limit=limit)


def whole_seconds(
    base: BuildState, changes: list[WeightedState], profile: Profile, ordering: Ordering
) -> float:
    """Return the expected seconds of one ordering by whole predictions and a simulated schedule."""
    costs = costs_of(base)
    total = 0.0
    for one in changes:
        history = History()
        first, after = (
            dataclasses.replace(each, dockerfile=arranged(each.dockerfile, ordering))
            for each in (base, one.state)
        )
        history.add(predict(first.input_for(profile), profile, history))
        prediction = predict(after.input_for(profile), profile, history)
        seconds = {}
        for decision in prediction.decisions:
            steps = ordering.stages[decision.stage_index]
            written = StepPlace(decision.stage_index, steps[decision.step - 1])
            if decision.outcome in {Predicted.MISS, Predicted.DEPENDS}:
                seconds[decision.place] = costs.seconds.get(written, 0.0)
            elif decision.outcome in {Predicted.HIT, Predicted.MERGED}:
                seconds[decision.place] = 0.0
        twins: dict[StepPlace, StepPlace] = {}
        for group in {one.group for one in prediction.decisions if one.group is not None}:
            first_of, *others = [d.place for d in prediction.decisions if d.group == group]
            twins |= dict.fromkeys(others, first_of)
        schedule = (
            in_order(seconds)
            if profile.family.value == "classic"
            else side_by_side(after.dockerfile, {}, seconds, twins)
        )
        misses = any(d.outcome in {Predicted.MISS, Predicted.DEPENDS} for d in prediction.decisions)
        wall = costs.floor + (costs.extra if misses else 0.0) + schedule.seconds
        total += wall * one.weight
    return total / sum(one.weight for one in changes)


def every_ordering(order: PartialOrder) -> list[Ordering]:
    everything = {one.index: frozenset(range(2, one.count + 1)) for one in order.stages}
    return list(Classes.of(order, everything).members())


@BOTH
@pytest.mark.parametrize(("text", "files"), [(PYTHON, FILES), (SHARED, SHARED_FILES)])
def test_expected_seconds_are_those_of_whole_predictions(
    name: str, text: str, files: dict[str, str]
) -> None:
    profile = PROFILES[name]
    base, changes, order = setting(text, files, profile)
    ranking = ranking_of(text, files, name)
    assert ranking.complete
    for one in ranking.ranked:
        assert order.allows(one.ordering)
        assert one.expected_seconds == pytest.approx(
            whole_seconds(base, changes, profile, one.ordering)
        )
    seconds = [one.expected_seconds for one in ranking.ranked]
    assert seconds == sorted(seconds)


@BOTH
@pytest.mark.parametrize(("text", "files"), [(PYTHON, FILES), (SHARED, SHARED_FILES)])
def test_every_legal_ordering_is_as_fast_as_the_one_that_stands_for_its_class(
    name: str, text: str, files: dict[str, str]
) -> None:
    profile = PROFILES[name]
    base, changes, order = setting(text, files, profile)
    ranking = ranking_of(text, files, name)
    outcomes = Outcomes(base, [one.state for one in changes], profile)
    classes = Classes.of(order, outcomes.features.relevant)
    by_member = {one.ordering: one for one in ranking.ranked}
    every = every_ordering(order)
    assert len(every) == ranking.orderings.value
    assert len(by_member) == ranking.classes.value
    found: dict[Ordering, int] = {}
    for ordering in every:
        member = classes.member(ordering)
        found[member] = found.get(member, 0) + 1
    assert {one.ordering: one.alike.value for one in ranking.ranked} == found
    for ordering in every[:: max(1, len(every) // 25)]:
        mine = by_member[classes.member(ordering)]
        assert whole_seconds(base, changes, profile, ordering) == pytest.approx(
            mine.expected_seconds
        )


def test_what_is_edited_most_goes_behind_what_takes_long() -> None:
    ranking = ranking_of(PYTHON, FILES, "buildkit-28")
    _, build, last = ranking.best.ordering.stages
    assert build == (1, 3, 2, 4)  # src is edited more often than requirements
    assert last[1] == 2  # data is edited less often than what the other stage makes of both
    assert ranking.written.ordering.is_written
    assert ranking.worst.expected_seconds >= ranking.written.expected_seconds


def test_buildkit_tells_only_vertices_apart() -> None:
    ranking = ranking_of(PYTHON, FILES, "buildkit-28")
    assert ranking.classes.value == 4  # two COPYs in the second stage, two in the last
    assert ranking.orderings.value == sum(one.alike.value for one in ranking.ranked)
    assert ranking_of(PYTHON, FILES, "classic-26").classes.value == ranking.orderings.value


MANY = """\
FROM base AS make
COPY a /a/
COPY b /b/
COPY c /c/
COPY d /d/
RUN make
COPY e /e/
RUN again
FROM base
COPY f /f/
COPY g /g/
COPY --from=make /out /out/
"""
MANY_FILES = {name: name for name in "abcdefg"}


@BOTH
@pytest.mark.parametrize("limit", [1, 3, 20])
@pytest.mark.parametrize(
    ("text", "files"), [(PYTHON, FILES), (MANY, MANY_FILES), (SHARED, SHARED_FILES)]
)
def test_a_search_never_promises_more_than_there_is(
    name: str, limit: int, text: str, files: dict[str, str]
) -> None:
    whole = ranking_of(text, files, name)
    part = ranking_of(text, files, name, limit=limit)
    if whole.classes.value <= limit:
        assert part.complete
        return
    assert not part.complete
    assert part.bound_seconds <= whole.best.expected_seconds + 1e-9
    assert len(part.ranked) <= limit
    if part.is_optimal:
        assert part.best.expected_seconds == pytest.approx(whole.best.expected_seconds)
    assert all(one.rank in {None, 1} for one in part.ranked)


@BOTH
def test_a_search_finds_the_best_of_very_many_and_proves_it(name: str) -> None:
    copies = "".join(f"COPY f{number} /d{number}/\n" for number in range(11))
    text = f"FROM base\n{copies}RUN make\nCOPY src /src/\nRUN test\n"
    files = {f"f{number}": "x" for number in range(10, -1, -1)} | {"src": "s"}
    profile = PROFILES[name]
    base, changes, order = setting(text, files, profile, tuple(range(1, 13)))
    ranking = rank(base, changes, profile, order, costs_of(base), limit=50)
    assert ranking.classes.value > 1_000_000
    assert not ranking.complete
    assert ranking.is_optimal
    assert ranking.best.expected_seconds < ranking.written.expected_seconds
    assert ranking.written.expected_seconds <= ranking.worst.expected_seconds


@given(st.permutations(range(6)), st.lists(st.integers(0, 9), min_size=6, max_size=6))
@settings(max_examples=25, deadline=None)
@BOTH
def test_a_search_finds_as_good_a_first_as_trying_all(
    name: str, written: list[int], weights: list[int]
) -> None:
    text = "FROM base\n" + "".join(f"COPY f{number} /d{number}/\n" for number in written)
    files = {f"f{number}": "x" for number in range(6)}
    profile = PROFILES[name]
    base, changes, order = setting(text, files, profile, tuple(map(float, weights)))
    whole = rank(base, changes, profile, order, costs_of(base))
    part = rank(base, changes, profile, order, costs_of(base), limit=3)
    assert whole.complete
    assert part.is_optimal
    assert part.best.expected_seconds == pytest.approx(whole.best.expected_seconds)


def test_without_changes_every_ordering_is_as_good_as_any() -> None:
    profile = PROFILES["classic-26"]
    base = state(PYTHON, **FILES)
    order = partial_order(base.input_for(profile), [profile])
    ranking = rank(base, [], profile, order, costs_of(base))
    assert {one.rank for one in ranking.ranked} == {1}
    assert ranking.best.ordering.is_written


def test_a_step_that_finds_what_another_stage_built_is_not_counted_into_the_bound() -> None:
    profile = PROFILES["buildkit-28"]  # the classic builder hashes the name of a source, too
    text = """\
FROM base AS one
COPY x/f /f
COPY a /a/
COPY b /b/
FROM base
COPY y/f /f
COPY --from=one /a /c/
"""
    files = {"x/f": "1", "y/f": "2", "a": "a", "b": "b"}
    swapped = {**files, "x/f": "2", "y/f": "1"}
    base = state(text, **files)
    changes = [WeightedState(state(text, change="swap", **swapped), 1)]
    order = partial_order(base.input_for(profile), [profile])
    costs = costs_of(base)
    costs = dataclasses.replace(costs, seconds={**costs.seconds, StepPlace(0, 2): 1000.0})
    whole = rank(base, changes, profile, order, costs)
    part = rank(base, changes, profile, order, costs, limit=1)
    assert whole.written.hits[0] > 0  # each stage finds its first step in the other
    assert not part.complete
    assert part.bound_seconds <= whole.best.expected_seconds
