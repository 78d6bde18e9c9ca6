"""The figures in the README are those of the committed reference run."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.dataset import load_dataset
from bench.report.answer import hit_share
from bench.report.compare import Comparison, comparisons
from bench.report.names import seconds, signed, signed_seconds
from bench.report.worth import worth_of_hits

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
DATASET = load_dataset([ROOT / "results/reference/java-expose"])
COMPARISONS = comparisons(DATASET)


@pytest.mark.parametrize(
    "one", COMPARISONS, ids=[f"{one.setup.builder}-{one.change}" for one in COMPARISONS]
)
def test_every_comparison_stands_in_the_readme_as_measured(one: Comparison) -> None:
    gain = one.seconds_gained
    assert gain is not None
    row = (
        f"| {one.setup.builder} | {one.change} "
        f"| {hit_share(one.hits_baseline, one.scored_baseline)} "
        f"| {hit_share(one.hits_variant, one.scored_variant)} "
        f"| {signed(one.hits_gained[0])} "
        f"| {signed_seconds(gain.median)} "
        f"({signed_seconds(gain.low)} to {signed_seconds(gain.high)}) |"
    )

    assert row in README


def test_the_worth_of_the_gained_hits_stands_in_the_readme() -> None:
    [classic] = [
        one for one in COMPARISONS if (one.setup.builder, one.change) == ("classic", "edit-source")
    ]

    assert f"saves two steps, {seconds(worth_of_hits(DATASET, classic).gained_seconds)}" in README
