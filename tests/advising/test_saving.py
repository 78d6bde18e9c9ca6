"""What was saved: weighted by the changes, paired by round."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest

from bench.advising.saving import Saving, measured_saving
from bench.builders.protocol import BuildOutcome
from bench.stats import Finding
from tests.explain.records import record

if TYPE_CHECKING:
    from bench.journal import BuildRecord

WEIGHTS = {"often": 3.0, "seldom": 1.0, "never": 0.0}


def build(variant: str, change: str, number: int, seconds: float) -> BuildRecord:
    made = record(0)
    return dataclasses.replace(
        made,
        variant=variant,
        builder="buildkit",
        phase="change",
        change=change,
        round=number,
        outcome=BuildOutcome.OK,
        wall_seconds=seconds,
        hits=4 if change == "seldom" else 8,
    )


def saving(records: list[BuildRecord]) -> Saving | None:
    return measured_saving(
        records, WEIGHTS, "buildkit", before="old", after="new", margin_share=0.05
    )


def rounds(count: int, gain: float) -> list[BuildRecord]:
    return [
        build(variant, change, number, seconds + number * 0.1 - (gain if variant == "new" else 0))
        for number in range(count)
        for variant in ("old", "new")
        for change, seconds in (("often", 2.0), ("seldom", 6.0))
    ]


def test_seconds_and_hits_are_weighted_and_paired() -> None:
    found = saving(rounds(6, gain=1.0))
    assert found is not None
    assert found.before.n == 6
    assert found.before.median == pytest.approx(3.25)  # (3·2 + 1·6) / 4, and a drift of 0.25
    assert found.gain.median == pytest.approx(1.0)
    assert found.gain.low == pytest.approx(found.gain.high)  # the drift is in both of a round
    assert found.hits_before == pytest.approx(7.0)
    assert found.finding is Finding.GAIN
    assert found.share == pytest.approx(1.0 / 3.25)


@pytest.mark.parametrize(
    ("gain", "finding"), [(-1.0, Finding.LOSS), (0.0, Finding.SAME), (0.1, Finding.SAME)]
)
def test_what_is_no_gain_is_said_so(gain: float, finding: Finding) -> None:
    found = saving(rounds(6, gain))
    assert found is not None
    assert found.finding is finding


def test_only_whole_rounds_count() -> None:
    records = rounds(3, gain=1.0)
    broken = dataclasses.replace(records[0], outcome=BuildOutcome.FAILED)
    found = saving([broken, *records[1:]])
    assert found is not None
    assert found.before.n == 2
    assert saving(records[:3]) is None
