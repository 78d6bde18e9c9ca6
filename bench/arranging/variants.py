"""Orderings of a variant as variants of their own, so that a run builds them like any other.

They are chosen from the rankings of all builders of the run. Where these differ an ordering is as
good as its expected seconds, divided by those of the Dockerfile as written, are in the mean over
the builders.
"""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any

from bench.arranging.spec import ALL, MOST
from bench.errors import UsageError
from bench.orderings.classes import Classes
from bench.orderings.counting import Sampler
from bench.orderings.ordering import Ordering, arrange
from bench.scenario import ArrangedVariant, dockerfile_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from bench.arranging.ranked import RankedVariant
    from bench.arranging.spec import OrderingsSpec
    from bench.orderings.ranking import Ranked, Ranking
    from bench.scenario import Scenario

WRITTEN = "written"
_POOL, _POOL_END = 300, 60
"""So many of the best and of the worst of each builder are held against each other."""
_DRAWS = 2_000
_POINTS = 500
"""So many points of the curve of all orderings are recorded."""
_MOVES_IN_TITLE = 2


@dataclass(frozen=True)
class _Chosen:
    name: str
    kind: str
    ordering: Ordering


def with_orderings(ranked: RankedVariant, spec: OrderingsSpec, seed: int) -> Scenario:
    """Return the scenario with the orderings that were asked for as variants.

    Its ``orderings`` are what the head of a run records of them. The variant that they are made
    from becomes the baseline. There may be fewer than asked for: the written ordering is none of
    them, and orderings that no builder can tell apart are built once.

    Raises:
        UsageError: nothing can be moved, all are asked for and there are too many, or a name is
            taken by a variant of the scenario.

    """
    scenario = ranked.scenario
    chosen = _Chooser(ranked).choose(spec, seed)
    taken = {one.name for one in scenario.variants} & {one.name for one in chosen}
    if taken:
        raise UsageError(
            f"{scenario.name} has a variant {min(taken)!r} of its own",
            remedy="give it another name: generated orderings are called so",
        )
    source = scenario.variant(ranked.variant)
    variants = [
        ArrangedVariant(
            name=one.name,
            of=source.name,
            text=arrange(ranked.dockerfile, one.ordering),
            dockerignore=source.dockerignore,
            target=source.target,
            build_args=dict(source.build_args),
            title=_title(one, ranked.in_words(one.ordering)),
        )
        for one in chosen
    ]
    return scenario.model_copy(
        update={
            "variants": (*scenario.variants, *variants),
            "baseline": source.name,
            "orderings": _records(ranked, spec, seed, chosen),
        }
    )


def names_of(scenario: Scenario) -> list[str]:
    """Return the variants that a run of orderings builds: all generated ones, and the written one.

    The written one is among them where it was asked for.
    """
    records = scenario.orderings or {}
    kept = [records["of"]] if records.get("with_baseline") else []
    generated = [one.name for one in scenario.variants if isinstance(one, ArrangedVariant)]
    return [*kept, *generated]


def with_recorded(scenario: Scenario, head: Mapping[str, Any], folder: Path) -> Scenario:
    """Return the scenario with the generated variants of the run that ``head`` is of.

    Raises:
        UsageError: the Dockerfile that they were made from is another one now.

    """
    records = head.get("orderings")
    if records is None:
        return scenario
    names = {one.name for one in scenario.variants}
    if records["of"] not in names or _changed(scenario, records):
        raise UsageError(
            f"{folder}: the scenario has changed since the run began ({records['of']})",
            remedy="begin a new run: builds of unlike scenarios are not mixed",
        )
    source = scenario.variant(records["of"])
    texts = {one["name"]: one for one in head["variants"]}
    variants = [
        ArrangedVariant(
            name=one["name"],
            of=source.name,
            text=texts[one["name"]]["dockerfile_text"],
            dockerignore=source.dockerignore,
            target=source.target,
            build_args=dict(source.build_args),
            title=texts[one["name"]]["title"],
        )
        for one in records["variants"]
        if one["name"] in texts and one["kind"] != WRITTEN
    ]
    return scenario.model_copy(
        update={
            "variants": (*scenario.variants, *variants),
            "baseline": source.name,
            "orderings": records,
        }
    )


def _changed(scenario: Scenario, records: Mapping[str, Any]) -> bool:
    text = dockerfile_text(scenario, scenario.variant(records["of"]))
    return bool(text != records["dockerfile_text"])


@dataclass
class _Chooser:
    """Chooses orderings; two that no builder can tell apart are never both chosen."""

    ranked: RankedVariant
    _seen: set[tuple[Ordering, ...]] = field(default_factory=set)

    def choose(self, spec: OrderingsSpec, seed: int) -> list[_Chosen]:
        rankings = list(self.ranked.rankings.values())
        written = rankings[0].written.ordering
        self._is_new(written)
        if spec.all:
            return self._all(rankings)
        if all(one.classes.value == 1 for one in rankings):
            names = " and ".join(self.ranked.rankings)
            raise UsageError(
                f"{self.ranked.variant} has {rankings[0].orderings} legal orderings, and {names} "
                "cannot tell them apart: there is nothing to measure",
                remedy="see what keeps its order: bench orderings --graph order.svg",
            )
        pool = sorted(self._pool(rankings), key=self._order)
        best = self._take("best", pool, spec.best)
        worst = self._take("worst", reversed(pool), spec.worst)
        random = self._take("random", self._drawn(seed), spec.random)
        return [*best, *worst, *random]

    def _all(self, rankings: Sequence[Ranking]) -> list[_Chosen]:
        finest = max(rankings, key=lambda one: one.classes.value)
        if not finest.classes.exact or finest.classes.value > MOST or not finest.complete:
            raise UsageError(
                f"--orderings {ALL}: there are {finest.classes} orderings that can be told apart, "
                f"more than {MOST}",
                remedy="ask for some of them: best:3,worst:1,random:4",
            )
        ordered = sorted((one.ordering for one in finest.ranked), key=self._order)
        return self._take("ordering", ordered, MOST)

    def _pool(self, rankings: Sequence[Ranking]) -> set[Ordering]:
        return {
            one.ordering
            for ranking in rankings
            for one in (*ranking.ranked[:_POOL], *ranking.ranked[-_POOL_END:])
        }

    def _order(self, ordering: Ordering) -> tuple[float, int, Ordering]:
        """Order orderings from best to worst, those that move less first."""
        return self._score(ordering), sum(1 for _ in ordering.inversions()), ordering

    def _score(self, ordering: Ordering) -> float:
        shares = [
            self.ranked.cost(name, ordering).expected_seconds
            / (ranking.written.expected_seconds or 1.0)
            for name, ranking in self.ranked.rankings.items()
        ]
        return round(sum(shares) / len(shares), 9)

    def _drawn(self, seed: int) -> Iterator[Ordering]:
        random = Random(seed)  # noqa: S311 - a sample, not a secret
        everything = {
            one.index: frozenset(range(2, one.count + 1)) for one in self.ranked.order.stages
        }
        stages = Classes.of(self.ranked.order, everything).stages
        samplers = [Sampler(one.order) for one in stages]
        for _ in range(_DRAWS):
            yield Ordering(tuple((1, *one.draw(random)) for one in samplers))

    def _take(self, kind: str, orderings: Iterable[Ordering], count: int) -> list[_Chosen]:
        new = (one for one in orderings if self._is_new(one))
        return [
            _Chosen(f"{kind}-{number}", kind, one)
            for number, one in enumerate(itertools.islice(new, count), start=1)
        ]

    def _is_new(self, ordering: Ordering) -> bool:
        """Tell whether some builder can tell it from all that were chosen, and count it as one."""
        classes = tuple(one.written.member_of(ordering) for one in self.ranked.rankings.values())
        is_new = classes not in self._seen
        self._seen.add(classes)
        return is_new


def _title(one: _Chosen, moved: Sequence[str]) -> str:
    shown = "; ".join(moved[:_MOVES_IN_TITLE])
    more = len(moved) - _MOVES_IN_TITLE
    rest = f"; and {more} more" if more > 0 else ""
    return f"{one.name}: {shown}{rest}"


def _records(
    ranked: RankedVariant, spec: OrderingsSpec, seed: int, chosen: Sequence[_Chosen]
) -> dict[str, Any]:
    """Return what the head of a run says of its orderings; see `bench.dataset.OrderingsInfo`."""
    written = next(iter(ranked.rankings.values())).written.ordering
    everything = [_Chosen(ranked.variant, WRITTEN, written), *chosen]
    records = {
        "of": ranked.variant,
        "dockerfile_text": ranked.dockerfile.text,
        "spec": str(spec),
        "seed": seed,
        "with_baseline": spec.baseline,
        "left_out": [{"change": name, "why": why} for name, why in ranked.left_out.items()],
        "builders": [_builder(name, one) for name, one in ranked.rankings.items()],
        "variants": [
            {
                "name": one.name,
                "kind": one.kind,
                "ordering": [list(steps) for steps in one.ordering.stages],
                "moves": ranked.in_words(one.ordering),
                "relies_on": ranked.relied_on(one.ordering),
                "predicted": [
                    _predicted(name, ranked.cost(name, one.ordering), ranking)
                    for name, ranking in ranked.rankings.items()
                ],
            }
            for one in everything
        ],
    }
    plain: dict[str, Any] = json.loads(json.dumps(records))
    return plain


def _builder(name: str, ranking: Ranking) -> dict[str, Any]:
    return {
        **extent_of(name, ranking),
        "step_times": ranking.costs.source,
        "weights": dict(zip(ranking.changes, ranking.weights, strict=True)),
        "curve": [
            {
                "place": place,
                "expected_seconds": one.expected_seconds,
                "hit_share": one.hit_share(ranking.weights),
            }
            for place, one in _thinned(ranking.ranked)
        ],
    }


def extent_of(builder: str, ranking: Ranking) -> dict[str, Any]:
    """Return as JSON how many orderings a builder knows, and how surely the best is known."""
    return {
        "builder": builder,
        "rules": ranking.profile.name,
        "orderings": ranking.orderings.value,
        "orderings_exact": ranking.orderings.exact,
        "classes": ranking.classes.value,
        "classes_exact": ranking.classes.exact,
        "complete": ranking.complete,
        "optimal": ranking.is_optimal,
        "bound_seconds": ranking.bound_seconds,
        "floor_seconds": ranking.costs.floor,
    }


def _thinned(ranked: Sequence[Ranked]) -> list[tuple[int, Ranked]]:
    """Return places (from 1) and orderings, evenly spaced, the first and the last among them."""
    count = len(ranked)
    places = sorted({round(one * (count - 1) / (_POINTS - 1)) for one in range(_POINTS)})
    return [(place + 1, ranked[place]) for place in places]


def _predicted(builder: str, one: Ranked, ranking: Ranking) -> dict[str, Any]:
    return {
        "builder": builder,
        "rank": one.rank,
        "expected_seconds": one.expected_seconds,
        "hit_share": one.hit_share(ranking.weights),
        "rebuilds": one.rebuilds(ranking.changes),
    }
