"""Declared hits and misses against what builds did."""

from __future__ import annotations

import pytest

from bench.builders.protocol import BuildOutcome, Step, StepOutcome
from bench.journal import BuildRecord
from bench.runner.expectations import (
    check_expectations,
    check_steps,
    refers_to,
    unstable_controls,
)
from bench.scenario import Expect

HIT, MISS = StepOutcome.HIT, StepOutcome.MISS


def step(text: str, outcome: StepOutcome, stage: str = "builder", index: int = 0) -> Step:
    return Step(
        stage=stage,
        stage_index=index,
        step=2,
        line=2,
        instruction=text.split()[0],
        text=text,
        outcome=outcome,
    )


def expect(**keys: object) -> Expect:
    return Expect.model_validate({"variant": "v", "change": "c", **keys})


def record(
    steps: tuple[Step, ...],
    phase: str = "change",
    outcome: BuildOutcome = BuildOutcome.OK,
    builder: str = "classic",
) -> BuildRecord:
    return BuildRecord(
        run="r",
        build=0,
        scenario="s",
        variant="v",
        builder=builder,
        round=0,
        position=0,
        phase=phase,
        change="c" if phase == "change" else "",
        outcome=outcome,
        wall_seconds=1.0,
        context_seconds=0.0,
        context_bytes=0,
        hits=sum(one.outcome is HIT for one in steps),
        misses=sum(one.outcome is MISS for one in steps),
        image_id=None,
        image_bytes=None,
        new_layer_bytes=None,
        started_at="2026-01-01T00:00:00+00:00",
        steps=steps,
    )


STEPS = (
    step("FROM base AS builder", StepOutcome.BASE),
    step("COPY pom.xml .", HIT),
    step("RUN mvn -B dependency:go-offline", HIT),
    step("COPY . .", MISS),
    step("RUN mvn package", MISS),
    step("EXPOSE 80", StepOutcome.CONFIG, "1", 1),
)


def test_misses_alone_are_exact() -> None:
    assert check_steps(expect(miss=["builder:COPY . .", "builder:RUN mvn package"]), STEPS) == []
    assert check_steps(expect(miss=["builder:COPY . ."]), STEPS) == [
        "builder:RUN mvn package was a miss, though it is not listed"
    ]


def test_hits_alone_are_exact() -> None:
    assert check_steps(expect(hit=["builder:COPY pom.xml", "0:RUN mvn -B"]), STEPS) == []
    assert check_steps(expect(hit=["builder:COPY pom.xml"]), STEPS) == [
        "builder:RUN mvn -B dependency:go-offline was a hit, though it is not listed"
    ]


def test_with_both_lists_only_the_named_steps_count() -> None:
    assert (
        check_steps(expect(hit=["builder:COPY pom.xml"], miss=["builder:RUN mvn package"]), STEPS)
        == []
    )


def test_a_step_that_did_the_opposite_is_named() -> None:
    problems = check_steps(expect(miss=["builder:COPY pom.xml"], hit=[]), STEPS)

    assert problems == ["builder:COPY pom.xml . was to be a miss, but was a hit"]


def test_no_misses_at_all_can_be_declared() -> None:
    cached = tuple(one for one in STEPS if one.outcome is not MISS)

    assert check_steps(expect(miss=[]), cached) == []
    assert len(check_steps(expect(miss=[]), STEPS)) == 2


def test_a_reference_to_an_unscored_step_is_a_problem() -> None:
    assert check_steps(expect(miss=["1:EXPOSE"], hit=[]), STEPS) == [
        "1:EXPOSE names no step that was scored"
    ]


@pytest.mark.parametrize(
    ("reference", "found"),
    [
        ("builder:COPY", True),
        ("Builder:copy . .", True),
        ("0:COPY   .", True),
        ("1:COPY", False),
        ("builder:COP", False),
        ("builder:RUN", False),
    ],
)
def test_references_match_stage_and_whole_words(reference: str, found: bool) -> None:
    assert refers_to(reference, step("COPY . .", HIT)) is found


def test_results_are_per_builder_and_leave_out_failed_builds() -> None:
    good = record(STEPS)
    failed = record(STEPS, outcome=BuildOutcome.FAILED, builder="buildkit")

    results = check_expectations([expect(miss=[])], ["classic", "buildkit"], [good, good, failed])

    assert [(result.builder, result.builds, result.met) for result in results] == [
        ("classic", 2, False)
    ]
    assert len(results[0].problems) == 2


def test_an_expectation_of_one_builder_is_not_asked_of_another() -> None:
    results = check_expectations(
        [expect(miss=[], builder="buildkit")], ["classic", "buildkit"], [record(STEPS)]
    )

    assert results == []


def test_a_control_that_missed_is_unstable() -> None:
    steady = record(STEPS[:3], phase="control")
    unsteady = record(STEPS, phase="control")

    assert unstable_controls([steady, unsteady, record(STEPS)]) == [unsteady]
