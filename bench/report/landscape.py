"""All orderings of a run's Dockerfile as predicted, and those of them that were built as measured.

A run that was made to build orderings holds the predictions that were made before. Of any other
run they are made anew from the scenario, as long as its Dockerfile is the one that was built; step
times are then those of the run itself, so that they say how well the orderings follow from their
steps, and not how well anything was foretold.
"""

from __future__ import annotations

import statistics
from bisect import bisect_left
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from bench.arranging import BuilderRules, RankedVariant, rank_variant
from bench.builders.names import rules_of
from bench.cache_model import profile_of
from bench.dockerfile import parse
from bench.errors import BenchError, RecordsError
from bench.orderings.counting import Count
from bench.orderings.ordering import Ordering
from bench.report.compare import baseline_of, changes_of, setups, weighted_rounds
from bench.scenario import dockerfile_text, load_scenario
from bench.simulation import recorded_times
from bench.stats import summarise

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pandas as pd

    from bench.dataset import Dataset, RunInfo
    from bench.dockerfile import Dockerfile
    from bench.report.compare import Setup
    from bench.stats import Summary

LIMIT = 2_000
"""Orderings that are tried for a report: a few seconds of work, more than a chart can show."""
_SAME = 9
"""Digits after which seconds of two orderings are taken for equal."""


class _Curve(TypedDict):
    seconds: tuple[float, ...]
    hit_shares: tuple[float, ...]


@dataclass(frozen=True)
class Built:
    """One ordering that was built.

    ``moved`` says in words what was moved, nothing for the Dockerfile as written. ``seconds`` are
    expected per rebuild, under the weights of the changes; ``hit_share`` is the part of the steps
    looked up that hit, weighted alike. ``measured`` is None where not every change was built.
    """

    variant: str
    moved: tuple[str, ...]
    seconds: float
    hit_share: float
    measured: Summary | None
    measured_hit_share: float | None
    is_written: bool = False
    is_best: bool = False
    is_there: bool = True
    """Whether it was built at all, be it without success."""

    @property
    def error(self) -> float | None:
        """How much longer than predicted it took, as a part of what was predicted."""
        if self.measured is None or not self.seconds:
            return None
        return self.measured.median / self.seconds - 1


@dataclass(frozen=True)
class Landscape:
    """The orderings of one Dockerfile on one builder of one engine.

    ``seconds`` and ``hit_shares`` are of the orderings that were tried and that the builder can
    tell apart, fastest first; ``places`` are theirs, from 1, with gaps where only some are
    recorded. ``legal`` and ``apart`` count all. Where not all were tried (``complete`` is false),
    no other is faster than ``bound_seconds``. ``written`` is what is predicted of the Dockerfile
    as written; ``best_moved`` says what the fastest moves, where that is known. ``source`` tells
    where step times come from, ``foretold`` whether before the run.
    """

    setup: Setup
    legal: Count
    apart: Count
    complete: bool
    is_optimal: bool
    bound_seconds: float
    places: tuple[int, ...]
    seconds: tuple[float, ...]
    hit_shares: tuple[float, ...]
    written: tuple[float, float]
    best_moved: tuple[str, ...]
    built: tuple[Built, ...]
    source: str
    foretold: bool

    @property
    def best(self) -> tuple[float, float]:
        """Seconds and hit share of the fastest."""
        return self.seconds[0], self.hit_shares[0]

    @property
    def typical_error(self) -> float | None:
        """The median of how far off the predictions were, without their signs."""
        errors = [abs(one.error) for one in self.built if one.error is not None]
        return statistics.median(errors) if errors else None

    def place(self, seconds: float, hit_share: float) -> int:
        """Return where an ordering stands among those tried, from 1."""
        index = bisect_left(self._keys, _key(seconds, hit_share))
        return self.places[min(index, len(self.places) - 1)]

    @cached_property
    def _keys(self) -> list[tuple[float, float]]:
        return [_key(*one) for one in zip(self.seconds, self.hit_shares, strict=True)]


def _key(seconds: float, hit_share: float) -> tuple[float, float]:
    """Order orderings: the fastest first, of equal ones that with more hits."""
    return round(seconds, _SAME), -round(hit_share, _SAME)


@dataclass(frozen=True)
class Landscapes:
    """What was found for a scenario, and why there is nothing where that is so."""

    found: tuple[Landscape, ...] = ()
    missing: str = ""

    def of(self, setup: Setup) -> Landscape | None:
        """Return that of one builder of one engine."""
        return next((one for one in self.found if one.setup == setup), None)


@lru_cache(maxsize=8)
def landscapes(dataset: Dataset) -> Landscapes:
    """Return all orderings of the baseline's Dockerfile, for each builder that built it."""
    if any(one.replay is not None for one in dataset.runs):
        return Landscapes()
    found: list[Landscape] = []
    try:
        for engine in dict.fromkeys(setup.engine for setup in setups(dataset)):
            runs = [one for one in dataset.runs if dataset.engines[one.run] == engine]
            recorded = next((one for one in runs if one.orderings is not None), None)
            mine = [setup for setup in setups(dataset) if setup.engine == engine]
            if recorded is not None:
                found += _recorded(dataset, recorded, mine)
            else:
                found += _ranked(dataset, runs[0], mine)
    except (BenchError, KeyError, OSError) as error:
        return Landscapes(missing=f"the scenario cannot be read as it was built: {error}")
    return Landscapes(tuple(found))


def _recorded(dataset: Dataset, run: RunInfo, mine: Sequence[Setup]) -> Iterator[Landscape]:
    """Yield what was predicted before the run."""
    assert run.orderings is not None  # noqa: S101 - the caller asked
    info = run.orderings
    for setup in mine:
        known = next((one for one in info.builders if one.builder == setup.builder), None)
        if known is None or known.orderings < 2 or not known.curve:
            continue
        measured = Measured(dataset, setup, known.weights)
        best = min(one.expected_seconds for one in known.curve)
        built = [
            measured.built(one.name, one.moves, what.expected_seconds, what.hit_share, best)
            for one in info.variants
            for what in one.predicted
            if what.builder == setup.builder
        ]
        written = next(one for one in built if one.variant == info.of)
        tried = [(one.expected_seconds, one.hit_share) for one in known.curve]
        yield Landscape(
            setup=setup,
            legal=Count(known.orderings, known.orderings_exact),
            apart=Count(known.classes, known.classes_exact),
            complete=known.complete,
            is_optimal=known.optimal,
            bound_seconds=known.bound_seconds,
            places=tuple(one.place for one in known.curve),
            **_sorted(tried),
            written=(written.seconds, written.hit_share),
            best_moved=(),
            built=tuple(one for one in built if one.is_there),
            source=known.step_times,
            foretold=True,
        )


def _ranked(dataset: Dataset, run: RunInfo, mine: Sequence[Setup]) -> Iterator[Landscape]:
    """Predict the orderings now, from the scenario and the run's own step times."""
    scenario = load_scenario(Path(run.scenario_path))
    baseline = baseline_of(dataset)
    text = {one.name: one.dockerfile_text for one in run.variants}.get(baseline)
    if text is None or text != dockerfile_text(scenario, scenario.variant(baseline)):
        raise RecordsError(f"the Dockerfile of {baseline} has changed since")
    known = {one.name for one in scenario.changes}
    changes = [one for one in changes_of(dataset) if one in known]
    if not changes:
        return
    rules = [_rules(run, setup) for setup in mine]
    times = recorded_times(run.folder)
    ranked = rank_variant(scenario, baseline, changes, rules, times, limit=LIMIT)
    for setup in mine:
        ranking = ranked.rankings[setup.builder]
        if ranking.orderings.value < 2:
            continue
        weights = ranking.weights
        tried = [(one.expected_seconds, one.hit_share(weights)) for one in ranking.ranked]
        yield Landscape(
            setup=setup,
            legal=ranking.orderings,
            apart=ranking.classes,
            complete=ranking.complete,
            is_optimal=ranking.is_optimal,
            bound_seconds=ranking.bound_seconds,
            places=tuple(range(1, len(tried) + 1)),
            **_sorted(tried),
            written=(ranking.written.expected_seconds, ranking.written.hit_share(weights)),
            best_moved=tuple(ranked.in_words(ranking.best.ordering)),
            built=tuple(_built(dataset, run, setup, ranked)),
            source="those of the run itself",
            foretold=False,
        )


def _sorted(tried: Sequence[tuple[float, float]]) -> _Curve:
    ordered = sorted(tried, key=lambda one: _key(*one))
    return {
        "seconds": tuple(seconds for seconds, _ in ordered),
        "hit_shares": tuple(share for _, share in ordered),
    }


def _rules(run: RunInfo, setup: Setup) -> BuilderRules:
    facts = run.engine
    profile = profile_of(rules_of(setup.builder), facts.version, facts.image_store)
    return BuilderRules(setup.builder, profile, setup.builder)


def _built(dataset: Dataset, run: RunInfo, setup: Setup, ranked: RankedVariant) -> Iterator[Built]:
    """Yield the variants that order the baseline's instructions anew, and itself."""
    ranking = ranked.rankings[setup.builder]
    measured = Measured(dataset, setup, dict(zip(ranking.changes, ranking.weights, strict=True)))
    for variant in run.variants:
        ordering = _ordering(ranked, variant.dockerfile_text, variant.name)
        if ordering is None or not ranked.order.allows(ordering):
            continue
        one = ranked.cost(setup.builder, ordering)
        share = one.hit_share(ranking.weights)
        moved = ranked.in_words(ordering)
        best = ranking.best.expected_seconds
        found = measured.built(variant.name, moved, one.expected_seconds, share, best)
        if found.is_there:
            yield found


def _ordering(ranked: RankedVariant, text: str, variant: str) -> Ordering | None:
    """Return a variant as an ordering of the baseline's instructions; None where it is none."""
    if not text or not _is_alike(ranked, variant):
        return None
    return ordering_of(ranked.dockerfile, parse(text, variant))


def _is_alike(ranked: RankedVariant, variant: str) -> bool:
    """Tell whether a variant of the scenario is built as the baseline is, but for its text."""
    known = {one.name: one for one in ranked.scenario.variants}
    if variant not in known:
        return True  # made for this run, from the baseline
    one, other = known[variant], known[ranked.variant]
    built = ("target", "build_args", "dockerignore")
    return all(getattr(one, name) == getattr(other, name) for name in built)


def ordering_of(written: Dockerfile, other: Dockerfile) -> Ordering | None:
    """Return how ``other`` orders the instructions of ``written``; None where they differ."""
    if len(written.stages) != len(other.stages):
        return None
    stages = []
    for stage, ordered in zip(written.stages, other.stages, strict=True):
        left: dict[str, list[int]] = {}
        for step, instruction in enumerate(stage.instructions, start=1):
            left.setdefault(instruction.text, []).append(step)
        steps = []
        for instruction in ordered.instructions:
            if not left.get(instruction.text):
                return None
            steps.append(left[instruction.text].pop(0))
        if steps[0] != 1 or any(left.values()):
            return None
        stages.append(tuple(steps))
    return Ordering(tuple(stages))


class Measured:
    """What the builds of a setup say of a variant, weighted as the prediction is."""

    def __init__(self, dataset: Dataset, setup: Setup, weights: Mapping[str, float]) -> None:
        """Take the weights of the changes; those of no weight do not count."""
        self._weights = {name: weight for name, weight in weights.items() if weight > 0}
        scored = dataset.scored
        self._scored = scored[
            (scored["builder"] == setup.builder) & (scored["engine"] == setup.engine)
        ]
        self._variants = set(dataset.tables.builds["variant"])

    def built(
        self, variant: str, moved: Sequence[str], seconds: float, hit_share: float, best: float
    ) -> Built:
        """Return what was predicted of a variant beside what was measured."""
        changes = list(self._weights)
        rounds = weighted_rounds(self._scored, variant, changes, self._weights) if changes else {}
        return Built(
            variant=variant,
            moved=tuple(moved),
            seconds=seconds,
            hit_share=hit_share,
            measured=summarise(list(rounds.values())),
            measured_hit_share=self._hit_share(variant),
            is_written=not moved,
            is_best=round(seconds - best, _SAME) <= 0,
            is_there=variant in self._variants,
        )

    def _hit_share(self, variant: str) -> float | None:
        """Return the part of the steps that hit, weighted; None where a change was not built."""
        own = self._scored[self._scored["variant"] == variant]
        total = 0.0
        for change, weight in self._weights.items():
            builds = own[own["change"] == change]
            if builds.empty:
                return None
            total += weight * statistics.mean(_shares(builds))
        return total / sum(self._weights.values()) if self._weights else None


def _shares(builds: pd.DataFrame) -> Sequence[float]:
    pairs = zip(builds["hits"], builds["misses"], strict=True)
    return [
        int(hits) / (int(hits) + int(misses)) if hits + misses else 1.0 for hits, misses in pairs
    ]
