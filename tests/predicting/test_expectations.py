"""The model, without any engine, against the hits and misses that the shipped scenarios declare.

The declarations were met by real builds on every engine: a truth that no code of the model made.
"""

from __future__ import annotations

from collections import Counter
from functools import cache
from typing import TYPE_CHECKING

import pytest

from bench.builders.protocol import Step, StepOutcome
from bench.cache_model import (
    PROFILES,
    History,
    Predicted,
    ReasonKind,
    disagreements,
    find_profile,
    predict,
)
from bench.predicting import scenario_states
from bench.runner.expectations import check_steps, refers_to
from bench.workspace import ClientRule
from tests.scenarios.shipped import NAMES, shipped

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from bench.cache_model import Decision, Prediction, StepPlace
    from bench.predicting import BuildState
    from bench.scenario import Expect

CASES = [
    (name, expect, profile.name)
    for name in NAMES
    for expect in shipped(name).expects
    for profile in PROFILES.values()
    if profile.family in {"classic", "buildkit"}  # the builders that the scenarios were run on
    if expect.builder in {None, profile.family}
]


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("scratch")


@cache
def states_of(name: str, variant: str, scratch: Path) -> dict[str, BuildState]:
    scenario = shipped(name)
    found = scenario_states(
        scenario,
        variant,
        [one.name for one in scenario.changes],
        ClientRule,
        scratch / name / variant,
    )
    return {state.change: state for state in found}


def as_step(decision: Decision, outcome: StepOutcome) -> Step:
    return Step(
        stage=decision.stage,
        stage_index=decision.stage_index,
        step=decision.step,
        line=decision.line,
        instruction=decision.instruction,
        text=decision.text,
        outcome=outcome,
    )


def declared(expect: Expect, prediction: Prediction) -> dict[StepPlace, str]:
    """What the scenario says of every scored step; each of these scenarios lists the misses."""
    assert expect.miss is not None
    assert expect.hit is None
    return {
        one.place: "miss"
        if any(refers_to(reference, as_step(one, StepOutcome.HIT)) for reference in expect.miss)
        else "hit"
        for one in prediction.decisions
        if one.outcome in {Predicted.HIT, Predicted.MISS, Predicted.DEPENDS}
    }


def steps_of(prediction: Prediction, truth: Mapping[StepPlace, str]) -> list[Step]:
    """The predicted steps as a builder would record them, the open ones as they were declared."""
    return [
        as_step(
            one,
            StepOutcome(
                truth[one.place] if one.outcome is Predicted.DEPENDS else one.outcome.value
            ),
        )
        for one in prediction.decisions
    ]


@pytest.mark.parametrize(
    ("name", "expect", "profile_name"),
    CASES,
    ids=[f"{name}-{one.variant}-{one.change}-{profile}" for name, one, profile in CASES],
)
def test_predicted_misses_are_those_that_the_scenario_declares(
    name: str, expect: Expect, profile_name: str, scratch: Path
) -> None:
    states = states_of(name, expect.variant, scratch)
    profile = find_profile(profile_name)
    history = History()
    history.add(predict(states[""].input_for(profile), profile, history))
    build = states[expect.change].input_for(profile)
    before = predict(build, profile, history)
    truth = declared(expect, before)

    after = predict(build, profile, history, observed=truth)

    assert not after.problems
    assert disagreements(before, truth) == []
    assert disagreements(after, truth) == []
    assert check_steps(expect, steps_of(after, truth)) == []
    for one in after.decisions:
        if one.outcome is Predicted.DEPENDS:
            assert one.reason is not None
            assert one.reason.kind is ReasonKind.ARTEFACT_CHANGED


def test_few_steps_are_left_open(scratch: Path) -> None:
    """A model that left everything open would agree with anything."""
    before: Counter[str] = Counter()
    after: Counter[str] = Counter()
    for name, expect, profile_name in CASES:
        states = states_of(name, expect.variant, scratch)
        profile = find_profile(profile_name)
        history = History()
        history.add(predict(states[""].input_for(profile), profile, history))
        build = states[expect.change].input_for(profile)
        said = predict(build, profile, history)
        known = predict(build, profile, history, observed=declared(expect, said))
        before.update(one.outcome.value for one in said.decisions)
        # A COPY from another stage stays open; what stands on it is settled by what it did.
        after.update(one.outcome.value for one in known.decisions if one.instruction != "COPY")

    print(f"\n{len(CASES)} rebuilds: {dict(before)}")  # noqa: T201
    assert before["depends"] < (before["hit"] + before["miss"]) / 5
    assert after["depends"] < (after["hit"] + after["miss"]) / 100
    assert not before["unknown"]
