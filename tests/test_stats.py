"""Intervals hold what they promise, and verdicts stay silent where the data does."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.errors import UsageError
from bench.stats import Finding, Summary, find, margin_of, share, summarise


def test_a_few_values_give_their_whole_range_with_the_confidence_it_has() -> None:
    assert summarise([3.0, 1.0, 2.0]) == Summary(3, 2.0, 1.0, 3.0, 0.75)
    assert summarise([4.0]) == Summary(1, 4.0, 4.0, 4.0, 0.0)
    assert summarise([]) is None


def test_six_values_are_the_fewest_that_reach_95_percent() -> None:
    five, six = summarise(list(range(5))), summarise(list(range(6)))
    assert five is not None
    assert six is not None
    assert not five.sure
    assert six.sure
    assert six.confidence == pytest.approx(1 - 2 / 64)


def test_more_values_narrow_the_interval_as_the_binomial_table_says() -> None:
    """The published 95 % ranks for n = 10 and n = 20 are the 2nd/9th and the 6th/15th value."""
    ten, twenty = summarise(list(range(1, 11))), summarise(list(range(1, 21)))
    assert ten is not None
    assert twenty is not None
    assert (ten.low, ten.high) == (2, 9)
    assert (twenty.low, twenty.high) == (6, 15)


def test_the_interval_covers_the_true_median_as_often_as_it_says() -> None:
    dice = random.Random(5)  # noqa: S311 - sample data, not a secret
    covered, promised = 0, 0.0
    for _ in range(2000):
        sample = summarise([dice.expovariate(1.0) for _ in range(9)])
        assert sample is not None
        promised = sample.confidence
        covered += sample.low <= 0.6931 <= sample.high
    assert covered / 2000 == pytest.approx(promised, abs=0.02)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=40))
def test_the_median_lies_in_its_interval_and_the_interval_in_the_sample(
    values: list[float],
) -> None:
    summary = summarise(values)
    assert summary is not None
    assert min(values) <= summary.low <= summary.median <= summary.high <= max(values)
    assert 0 <= summary.confidence < 1


@pytest.mark.parametrize(
    ("gains", "finding"),
    [
        ([0.5, 0.6, 0.7], Finding.GAIN),
        ([-0.5, -0.6, -0.7], Finding.LOSS),
        ([-0.1, 0.0, 0.1], Finding.SAME),
        ([-0.1, 0.3, 0.4], Finding.UNCLEAR),
        ([0.1, 0.5, 0.6], Finding.UNCLEAR),
        ([9.0], Finding.UNCLEAR),
        ([], Finding.UNCLEAR),
    ],
)
def test_a_finding_compares_the_whole_interval_with_the_margin(
    gains: list[float], finding: Finding
) -> None:
    assert find(summarise(gains), 0.2) is finding


def test_no_difference_at_all_is_the_same_even_without_a_margin() -> None:
    assert find(summarise([0.0, 0.0, 0.0]), 0.0) is Finding.SAME


def test_a_share_is_given_only_where_the_gain_is_surely_not_zero() -> None:
    baseline = summarise([2.0, 2.0, 2.2])
    assert share(summarise([0.5, 0.6, 0.4, 0.5, 0.5, 0.5]), baseline) == pytest.approx(0.25)
    assert share(summarise([0.5, 0.6, 0.4, 0.5, 0.5]), baseline) is None
    assert share(summarise([0.5, -0.1, 0.4, 0.5, 0.5, 0.5]), baseline) is None
    assert share(summarise([0.5] * 6), summarise([0.0, 0.1])) is None
    assert share(None, baseline) is None


def test_margins_are_read_in_the_unit_of_the_metric() -> None:
    assert margin_of("5%", 4.0) == pytest.approx(0.2)
    assert margin_of("0.5s", 4.0) == 0.5
    assert margin_of("200 ms", 4.0) == pytest.approx(0.2)
    assert margin_of(2, 4.0) == 2
    with pytest.raises(UsageError, match="not a margin"):
        margin_of("a bit", 4.0)
