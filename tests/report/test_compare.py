"""Variants against the baseline: exact pairs, setups apart, nothing failed in the numbers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest

from bench.builders.protocol import BuildOutcome
from bench.dataset import load_dataset
from bench.errors import RecordsError
from bench.report.compare import (
    METRICS,
    Setup,
    comparisons,
    expected_seconds,
    paired_gains,
    rounds_gained,
    setups,
    variants_of,
)
from tests.report.factory import ENGINE, JAVA, java

if TYPE_CHECKING:
    from pathlib import Path

    from bench.report.compare import Comparison

CLASSIC = Setup("classic", "20.10.24 graphdriver")


def pick(found: tuple[Comparison, ...], setup: Setup, change: str) -> Comparison:
    (chosen,) = [item for item in found if (item.setup, item.change) == (setup, change)]
    return chosen


def test_hits_are_compared_exactly_and_with_their_denominator(tmp_path: Path) -> None:
    found = comparisons(load_dataset([java().write(tmp_path)]))
    source = pick(found, CLASSIC, "edit-source")
    port = pick(found, CLASSIC, "edit-port")

    assert source.hits_gained == (2, 2, 2)
    assert (set(source.hits_variant), set(source.scored_variant)) == ({6}, {9})
    assert port.hits_gained == (-2, -2, -2)
    buildkit = pick(found, Setup("buildkit", "20.10.24 graphdriver"), "edit-source")
    assert set(buildkit.scored_baseline) == {7}


def test_seconds_are_paired_within_the_round(tmp_path: Path) -> None:
    dataset = load_dataset([java().write(tmp_path)])
    source = pick(comparisons(dataset), CLASSIC, "edit-source")
    builds = dataset.scored
    own = builds[(builds["builder"] == "classic") & (builds["change"] == "edit-source")]
    wall = own.set_index(["variant", "round"])["wall_seconds"]
    by_hand = sorted(wall["as-written", n] - wall["metadata-first", n] for n in range(3))

    assert source.seconds_gained is not None
    assert source.seconds_gained.median == pytest.approx(by_hand[1])
    assert (source.seconds_gained.low, source.seconds_gained.high) == pytest.approx(
        (by_hand[0], by_hand[2])
    )
    pairs = rounds_gained(dataset)
    mine = pairs[(pairs["builder"] == "classic") & (pairs["change"] == "edit-source")]
    assert sorted(mine["seconds_gained"]) == pytest.approx(by_hand)


def test_a_failed_build_leaves_its_round_without_a_pair(tmp_path: Path) -> None:
    maker = java(broken={("metadata-first", "edit-pom"): BuildOutcome.TIMEOUT})
    pom = pick(comparisons(load_dataset([maker.write(tmp_path)])), CLASSIC, "edit-pom")
    assert (pom.pairs, pom.seconds_variant, pom.seconds_gained) == (0, None, None)
    assert pom.seconds_baseline is not None
    assert pom.seconds_baseline.n == 3


def test_rounds_of_two_runs_on_one_engine_are_pooled_but_never_paired_across(
    tmp_path: Path,
) -> None:
    runs = [java().write(tmp_path / "a"), java(run="run-2", seed=9).write(tmp_path / "b")]
    dataset = load_dataset(runs)
    assert setups(dataset) == [CLASSIC, Setup("buildkit", "20.10.24 graphdriver")]
    assert pick(comparisons(dataset), CLASSIC, "edit-source").pairs == 6


def test_two_engines_are_two_setups(tmp_path: Path) -> None:
    modern = {**ENGINE, "version": "28.5.1", "image_store": "containerd"}
    runs = [java().write(tmp_path / "a"), java(run="run-2", engine=modern).write(tmp_path / "b")]
    found = comparisons(load_dataset(runs))
    assert {item.setup.engine for item in found} == {"20.10.24 graphdriver", "28.5.1 containerd"}
    assert {item.pairs for item in found} == {3}


def test_a_variant_can_be_held_against_another_than_the_baseline(tmp_path: Path) -> None:
    dataset = load_dataset([java().write(tmp_path)])
    turned = pick(comparisons(dataset, "metadata-first"), CLASSIC, "edit-source")
    assert (turned.variant, turned.hits_gained) == ("as-written", (-2, -2, -2))


def test_every_metric_has_a_gain_whose_sign_says_better(tmp_path: Path) -> None:
    dataset = load_dataset([java(noise=0.0).write(tmp_path)])
    source = pick(comparisons(dataset), CLASSIC, "edit-source")
    gains = {name: paired_gains(dataset, source, metric)[1] for name, metric in METRICS.items()}
    medians = {name: gain.median for name, gain in gains.items() if gain is not None}

    assert set(medians) == set(METRICS)
    assert medians["hits"] == medians["misses"] == 2
    assert medians["hit_ratio"] == pytest.approx(2 / 9)
    assert medians["new_layer_bytes"] == 60_000
    assert medians["rebuild_seconds"] == pytest.approx(0.2 - 2 * 0.001)
    assert gains["cold_seconds"] is not None
    assert gains["cold_seconds"].n == 1


def test_expected_seconds_weigh_the_changes(tmp_path: Path) -> None:
    dataset = load_dataset([java(noise=0.0).write(tmp_path)])
    wall = dataset.scored.groupby(["builder", "variant", "change"])["wall_seconds"].median()
    weights = {"edit-source": 80, "edit-pom": 10, "edit-port": 1, "none": 1}
    by_hand = sum(
        weight * wall["classic", "as-written", change] for change, weight in weights.items()
    ) / sum(weights.values())
    first, second = [item for item in expected_seconds(dataset) if item.setup == CLASSIC]

    assert first.seconds is not None
    assert first.seconds.median == pytest.approx(by_hand)
    assert first.gained is None
    assert second.gained is not None
    assert second.gained.median > 0


def test_a_change_some_variant_never_built_is_left_out_of_all_expected_seconds(
    tmp_path: Path,
) -> None:
    maker = java(broken={("metadata-first", "edit-pom"): BuildOutcome.FAILED})
    for item in expected_seconds(load_dataset([maker.write(tmp_path)])):
        assert item.left_out == ("edit-pom",)
        assert item.seconds is not None
        assert math.isfinite(item.seconds.median)


def test_the_baseline_comes_first_and_runs_must_agree_on_it(tmp_path: Path) -> None:
    one = java(extra={"baseline": "metadata-first"}).write(tmp_path / "a")
    assert variants_of(load_dataset([one])) == ["metadata-first", "as-written"]
    two = java(run="run-2").write(tmp_path / "b")
    with pytest.raises(RecordsError, match="different baselines"):
        comparisons(load_dataset([one, two]))


def test_a_baseline_that_was_not_measured_leaves_nothing_to_compare(tmp_path: Path) -> None:
    dataset = load_dataset(
        [java(variants={"as-written": JAVA}, extra={"baseline": "absent"}).write(tmp_path)]
    )
    assert [item.pairs for item in comparisons(dataset)] == [0] * 8
