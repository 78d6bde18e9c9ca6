"""The plan of a run: which builds, in which order."""

from __future__ import annotations

import itertools
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from bench.changes import Change
from bench.runner.plan import (
    NO_ROUND,
    Phase,
    Settings,
    make_plan,
    make_sequence,
    repeats_content,
)

EDIT = Change.model_validate(
    {"name": "edit", "steps": [{"append": "a.txt", "text": "{id}\n"}], "weight": 1}
)
CHMOD = Change.model_validate({"name": "chmod", "steps": [{"chmod": "a.txt", "mode": "0755"}]})
TOUCH = Change.model_validate({"name": "touch", "steps": [{"touch": "a.txt"}]})
NONE = Change.model_validate({"name": "none", "steps": [{"none": True}]})


def settings(**changed: object) -> Settings:
    values: dict[str, object] = {
        "builders": ("classic", "buildkit"),
        "variants": ("a", "b"),
        "changes": ("edit", "touch"),
        "rounds": 3,
        "seed": 7,
    }
    return Settings(**{**values, **changed})  # type: ignore[arg-type]  # a test's shorthand


def test_every_round_holds_every_combination_once() -> None:
    plan = make_plan(settings(), [EDIT, TOUCH])

    for round_number in range(3):
        changes = Counter(
            (build.variant, build.builder, build.change)
            for build in plan
            if build.round == round_number and build.phase is Phase.CHANGE
        )
        assert set(changes.values()) == {1}
        assert len(changes) == 2 * 2 * 2


def test_a_change_follows_a_control_of_the_same_variant_and_builder() -> None:
    plan = make_plan(settings(), [EDIT, TOUCH])

    for before, build in itertools.pairwise(plan):
        if build.phase is Phase.CHANGE:
            assert before.phase is Phase.CONTROL
            assert (before.variant, before.builder) == (build.variant, build.builder)


def test_cold_builds_come_first_and_begin_on_a_fresh_salt() -> None:
    plan = make_plan(settings(cold=2, warmup=1), [EDIT, TOUCH])

    assert [build.phase for build in plan[:8]] == [Phase.COLD] * 8
    assert all(build.fresh and build.round == NO_ROUND for build in plan[:8])
    assert [build.phase for build in plan[8:12]] == [Phase.WARMUP] * 4


def test_a_change_without_new_content_gets_a_fresh_cache_in_every_later_round() -> None:
    plan = make_plan(settings(changes=("chmod",)), [CHMOD])

    for number, build in enumerate(plan):
        if build.phase is Phase.CHANGE and build.round > 0:
            prime = plan[number - 2]
            assert (prime.phase, prime.fresh) == (Phase.COLD, True)
            assert (prime.variant, prime.builder) == (build.variant, build.builder)
    assert not any(build.fresh for build in plan if build.round == 0)


def test_only_changes_that_a_key_can_see_need_new_content() -> None:
    assert repeats_content(CHMOD)
    assert not any(repeats_content(change) for change in (EDIT, TOUCH, NONE))


def test_rounds_differ_in_order_and_the_seed_decides_it() -> None:
    def order(plan: object, round_number: int) -> list[object]:
        return [
            (build.variant, build.builder, build.change)
            for build in plan  # type: ignore[attr-defined]  # a tuple of planned builds
            if build.round == round_number and build.phase is Phase.CHANGE
        ]

    plan = make_plan(settings(), [EDIT, TOUCH])

    assert order(plan, 0) != order(plan, 1)
    assert make_plan(settings(), [EDIT, TOUCH]) == plan
    assert make_plan(settings(seed=8), [EDIT, TOUCH]) != plan


@given(
    rounds=st.integers(1, 5), cold=st.integers(1, 3), warmup=st.integers(0, 2), seed=st.integers()
)
def test_numbers_are_the_places_in_the_plan(rounds: int, cold: int, warmup: int, seed: int) -> None:
    """A resumed run finds what is missing by the numbers alone."""
    plan = make_plan(settings(rounds=rounds, cold=cold, warmup=warmup, seed=seed), [EDIT, TOUCH])

    assert [build.number for build in plan] == list(range(len(plan)))
    assert len(plan) == 4 * (cold + warmup) + rounds * 8 * 2


def test_a_sequence_builds_every_change_in_turn_on_every_pair() -> None:
    chosen = Settings(
        builders=("classic", "buildkit"), variants=("a", "b"), changes=("one", "two", "three")
    )
    plan = make_sequence(chosen)

    assert [build.number for build in plan] == list(range(12))
    assert [build.change for build in plan] == ["one"] * 4 + ["two"] * 4 + ["three"] * 4
    assert [build.fresh for build in plan] == [True] * 4 + [False] * 8
    assert {build.phase for build in plan[:4]} == {Phase.COLD}
    assert {build.phase for build in plan[4:]} == {Phase.CHANGE}
    for start in (0, 4, 8):
        assert len({(one.variant, one.builder) for one in plan[start : start + 4]}) == 4
    assert make_sequence(chosen) == plan
