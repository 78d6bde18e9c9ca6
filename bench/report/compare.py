"""Every variant against the baseline, change by change and builder by builder, in exact pairs.

Within one round the two builds of a pair ran minutes apart on the same machine, so their
difference is free of the drift that separates rounds. Hits are counts and compared exactly.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import pandas as pd

from bench.errors import RecordsError
from bench.stats import Summary, summarise

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.dataset import Dataset


@dataclass(frozen=True)
class Setup:
    """What ran the builds: a builder of an engine. Numbers of two setups are never pooled."""

    builder: str
    engine: str

    @property
    def label(self) -> str:
        """Builder and engine in words."""
        return f"{self.builder} (engine {self.engine})"


@dataclass(frozen=True)
class Metric:
    """A column of ``builds`` that can be compared; ``lower_is_better`` gives a gain its sign.

    ``phase`` says which builds it is taken from: rebuilds after a change, or cold ones.
    """

    name: str
    column: str
    unit: str
    lower_is_better: bool = True
    phase: str = "change"


METRICS = {
    metric.name: metric
    for metric in (
        Metric("rebuild_seconds", "wall_seconds", "s"),
        Metric("cold_seconds", "wall_seconds", "s", phase="cold"),
        Metric("context_seconds", "context_seconds", "s"),
        Metric("hits", "hits", "hits", lower_is_better=False),
        Metric("misses", "misses", "misses"),
        Metric("hit_ratio", "hit_ratio", "of the scored steps", lower_is_better=False),
        Metric("image_bytes", "image_bytes", "B"),
        Metric("new_layer_bytes", "new_layer_bytes", "B"),
    )
}


@dataclass(frozen=True)
class Comparison:
    """One variant against the baseline under one change on one setup.

    ``hits_gained`` holds one exact count per paired round; ``seconds_gained`` sums up the paired
    differences baseline minus variant (positive: the variant is faster). The plain summaries are
    over all rounds of the one side.
    """

    setup: Setup
    baseline: str
    variant: str
    change: str
    weight: float
    hits_baseline: tuple[int, ...]
    hits_variant: tuple[int, ...]
    scored_baseline: tuple[int, ...]
    scored_variant: tuple[int, ...]
    hits_gained: tuple[int, ...]
    seconds_baseline: Summary | None
    seconds_variant: Summary | None
    seconds_gained: Summary | None
    bytes_baseline: float | None
    bytes_variant: float | None

    @property
    def pairs(self) -> int:
        """Rounds in which both sides have a build that counts."""
        return len(self.hits_gained)


@dataclass(frozen=True)
class Expected:
    """Expected rebuild seconds of a variant when changes come as often as their weights say.

    One value per round: the weighted mean over ``changes``. ``gained`` pairs it with the
    baseline's. ``left_out`` names weighted changes some variant has no build for.
    """

    setup: Setup
    variant: str
    seconds: Summary | None
    gained: Summary | None
    changes: tuple[str, ...]
    left_out: tuple[str, ...]


def setups(dataset: Dataset) -> list[Setup]:
    """Return the setups that made any build, in order of first appearance."""
    pairs = dataset.tables.builds[["builder", "engine"]].drop_duplicates()
    return [Setup(str(row.builder), str(row.engine)) for row in pairs.itertuples()]


def baseline_of(dataset: Dataset) -> str:
    """Return the variant all others are held against.

    Raises:
        RecordsError: the runs of the scenario disagree about it.

    """
    names = {run.baseline for run in dataset.runs}
    if len(names) > 1:
        raise RecordsError(
            f"the runs of {dataset.runs[0].scenario} have different baselines: "
            f"{', '.join(sorted(names))}",
            remedy="report them apart",
        )
    return names.pop()


def variants_of(dataset: Dataset) -> list[str]:
    """Return the measured variants, the baseline first, then as the scenario lists them."""
    return _in_order(
        set(dataset.tables.builds["variant"]),
        [baseline_of(dataset)] + [variant.name for run in dataset.runs for variant in run.variants],
    )


def changes_of(dataset: Dataset) -> list[str]:
    """Return the measured changes as the scenario lists them."""
    builds = dataset.tables.builds
    return _in_order(
        set(builds.loc[builds["phase"] == "change", "change"]), list(_weights(dataset))
    )


@lru_cache(maxsize=32)
def comparisons(dataset: Dataset, against: str | None = None) -> tuple[Comparison, ...]:
    """Compare every other variant with ``against`` (the baseline), per setup and change."""
    baseline = against or baseline_of(dataset)
    weights = _weights(dataset)
    cells = _cells(dataset.scored)
    none = dataset.scored.iloc[:0]
    found = []
    for setup in setups(dataset):
        for variant in variants_of(dataset):
            for change in changes_of(dataset):
                left = cells.get((setup, baseline, change), none)
                right = cells.get((setup, variant, change), none)
                if variant == baseline or (left.empty and right.empty):
                    continue
                found.append(_comparison(left, right, (setup, baseline, variant, change), weights))
    return tuple(found)


def paired_gains(
    dataset: Dataset, comparison: Comparison, metric: Metric
) -> tuple[Summary | None, Summary | None]:
    """Return the values of the comparison's baseline in a metric, and the paired gains over it."""
    cold = metric.phase == "cold"
    builds = dataset.cold if cold else dataset.scored
    if cold:  # cold builds belong to no round: pair the first with the first, and so on
        cell = ["run", "builder", "variant"]
        builds = builds.assign(round=builds.groupby(cell).cumcount())
    ratio = builds["hits"] / (builds["hits"] + builds["misses"]).where(lambda scored: scored > 0)
    cells = _cells(builds.assign(hit_ratio=ratio))
    change = "" if cold else comparison.change
    left = cells.get((comparison.setup, comparison.baseline, change))
    right = cells.get((comparison.setup, comparison.variant, change))
    if left is None or right is None:
        return None, None
    gains = [gain for _, gain in _paired(left, right, metric)]
    return summarise(_numbers(left, metric.column)), summarise(gains)


def rounds_gained(dataset: Dataset) -> pd.DataFrame:
    """Return one row per pair: builder, engine, variant, change, run, round, seconds_gained."""
    cells = _cells(dataset.scored)
    baseline = baseline_of(dataset)
    metric = METRICS["rebuild_seconds"]
    rows = [
        (setup.builder, setup.engine, variant, change, run, number, gain)
        for (setup, variant, change), right in cells.items()
        if variant != baseline and (setup, baseline, change) in cells
        for (run, number), gain in _paired(cells[setup, baseline, change], right, metric)
    ]
    columns = ["builder", "engine", "variant", "change", "run", "round", "seconds_gained"]
    return pd.DataFrame(rows, columns=columns)


def expected_seconds(dataset: Dataset) -> list[Expected]:
    """Weigh each variant's rebuild seconds by how often the changes come.

    Only changes that every variant has a build for count, else the sums would not compare.
    """
    weights = _weights(dataset)
    baseline = baseline_of(dataset)
    found = []
    for setup in setups(dataset):
        scored = dataset.scored
        own = scored[(scored["builder"] == setup.builder) & (scored["engine"] == setup.engine)]
        variants = [name for name in variants_of(dataset) if name in set(own["variant"])]
        weighted = [name for name in changes_of(dataset) if weights.get(name, 0) > 0]
        common = [
            change
            for change in weighted
            if set(own.loc[own["change"] == change, "variant"]) >= set(variants)
        ]
        means = {name: weighted_rounds(own, name, common, weights) for name in variants}
        found += [
            Expected(
                setup=setup,
                variant=name,
                seconds=summarise(list(means[name].values())),
                gained=None
                if name == baseline or baseline not in means
                else summarise(_differences(means[baseline], means[name])),
                changes=tuple(common),
                left_out=tuple(change for change in weighted if change not in common),
            )
            for name in variants
        ]
    return found


def weighted_rounds(
    builds: pd.DataFrame, variant: str, changes: Sequence[str], weights: dict[str, float]
) -> dict[tuple[str, int], float]:
    """Return the weighted mean per (run, round) that has a build of every change."""
    own = builds[(builds["variant"] == variant) & builds["change"].isin(changes)]
    total = sum(weights[change] for change in changes)
    means = {}
    for _, group in own.groupby(["run", "round"]):
        by_change = group.groupby("change")["wall_seconds"].median()
        if len(by_change) == len(changes):
            weighted = sum(weights[change] * float(by_change[change]) for change in changes)
            means[str(group["run"].iloc[0]), int(group["round"].iloc[0])] = weighted / total
    return means


def _differences(
    left: dict[tuple[str, int], float], right: dict[tuple[str, int], float]
) -> list[float]:
    return [left[key] - right[key] for key in left if key in right]


def _comparison(
    left: pd.DataFrame,
    right: pd.DataFrame,
    names: tuple[Setup, str, str, str],
    weights: dict[str, float],
) -> Comparison:
    setup, baseline, variant, change = names
    return Comparison(
        setup=setup,
        baseline=baseline,
        variant=variant,
        change=change,
        weight=weights.get(change, 1.0),
        hits_baseline=_counts(left["hits"]),
        hits_variant=_counts(right["hits"]),
        scored_baseline=_counts(left["hits"] + left["misses"]),
        scored_variant=_counts(right["hits"] + right["misses"]),
        hits_gained=tuple(int(gain) for _, gain in _paired(left, right, METRICS["hits"])),
        seconds_baseline=summarise(_numbers(left, "wall_seconds")),
        seconds_variant=summarise(_numbers(right, "wall_seconds")),
        seconds_gained=summarise(
            [gain for _, gain in _paired(left, right, METRICS["rebuild_seconds"])]
        ),
        bytes_baseline=_median(left, "new_layer_bytes"),
        bytes_variant=_median(right, "new_layer_bytes"),
    )


def _cells(scored: pd.DataFrame) -> dict[tuple[Setup, str, str], pd.DataFrame]:
    keys = ["builder", "engine", "variant", "change"]
    return {
        (Setup(str(builder), str(engine)), str(variant), str(change)): group
        for (builder, engine, variant, change), group in scored.groupby(keys, sort=False)
    }


def _paired(
    left: pd.DataFrame, right: pd.DataFrame, metric: Metric
) -> list[tuple[tuple[str, int], float]]:
    """Return the gain of each (run, round) both sides have, in the order of the rounds."""
    before, after = _by_round(left, metric.column), _by_round(right, metric.column)
    sign = 1 if metric.lower_is_better else -1
    return [(key, sign * (before[key] - after[key])) for key in before if key in after]


def _by_round(builds: pd.DataFrame, column: str) -> dict[tuple[str, int], float]:
    """Return the value of each (run, round); a build without the figure is not there."""
    values = zip(builds["run"], builds["round"], builds[column], strict=True)
    return {(run, number): float(value) for run, number, value in values if not pd.isna(value)}


def _numbers(builds: pd.DataFrame, column: str) -> list[float]:
    return [float(value) for value in builds[column].dropna()]


def _median(builds: pd.DataFrame, column: str) -> float | None:
    summary = summarise(_numbers(builds, column))
    return None if summary is None else summary.median


def _counts(values: pd.Series) -> tuple[int, ...]:
    return tuple(int(value) for value in values)


def _weights(dataset: Dataset) -> dict[str, float]:
    return {change.name: change.weight for run in dataset.runs for change in run.changes}


def _in_order(present: set[str], order: Sequence[str]) -> list[str]:
    known = [name for name in dict.fromkeys(order) if name in present]
    return known + sorted(present - set(known))
