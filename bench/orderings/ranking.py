"""Which legal ordering of a Dockerfile rebuilds fastest, under weighted changes, on one builder."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

from bench.orderings.bounds import Deducer
from bench.orderings.classes import Classes
from bench.orderings.costs import Clock
from bench.orderings.ordering import Ordering
from bench.orderings.outcomes import Outcomes, count
from bench.orderings.search import StageSearch, best_products
from bench.orderings.strikes import count_struck

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from bench.cache_model import Profile, StepPlace
    from bench.orderings.classes import OrderedStages
    from bench.orderings.costs import StepCosts
    from bench.orderings.counting import Count
    from bench.predicting import BuildState

DEFAULT_LIMIT = 10_000
"""So many classes of orderings are all tried; of more, so many that a search finds best."""
_SAME = 1e-9
_ROUNDING = 1e-4
"""Seconds by which a bound may lie below what it bounds, because its parts were rounded down."""


@dataclass(frozen=True)
class WeightedState:
    """What there is to build after one change, and how often that change happens."""

    state: BuildState
    weight: float


@dataclass(frozen=True)
class Ranked:
    """One class of orderings, by the member nearest to the written one.

    ``rank`` is one more than the number of classes that are faster; where not all were tried it is
    None of all that are not as fast as the best that was found. For each change, in order:
    ``hits`` of ``scored`` steps, ``open`` of which only an artefact decides (they count as misses),
    and ``seconds`` of the rebuild. ``expected_seconds`` is their weighted mean.
    """

    ordering: Ordering
    rank: int | None
    hits: tuple[int, ...]
    scored: tuple[int, ...]
    open: tuple[int, ...]
    seconds: tuple[float, ...]
    expected_seconds: float
    _classes: Classes = field(repr=False, compare=False)

    @property
    def alike(self) -> Count:
        """How many legal orderings the class has."""
        return self._classes.alike(self.ordering)

    def hit_share(self, weights: Sequence[float]) -> float:
        """Return the weighted mean share of the scored steps that hit; 1 where none is scored."""
        shares = (
            hits / scored if scored else 1.0
            for hits, scored in zip(self.hits, self.scored, strict=True)
        )
        return sum(weight * share for weight, share in zip(weights, shares, strict=True))

    def rebuilds(self, changes: Sequence[str]) -> list[dict[str, str | int | float]]:
        """Return for each change what is predicted, as records have it."""
        rows = zip(changes, self.hits, self.scored, self.open, self.seconds, strict=True)
        return [
            {"change": change, "hits": hits, "scored": scored, "open": undecided, "seconds": took}
            for change, hits, scored, undecided, took in rows
        ]

    def member_of(self, ordering: Ordering) -> Ordering:
        """Return the ordering that stands for the class of another one."""
        return self._classes.member(ordering)

    @property
    def moved(self) -> int:
        """How many pairs of instructions are turned round."""
        return sum(1 for _ in self.ordering.inversions())


@dataclass(frozen=True)
class Ranking:
    """The orderings of one Dockerfile on one builder, best first.

    ``orderings`` counts the legal ones, ``classes`` what the builder can tell apart of them.
    ``complete`` says that every class was tried; otherwise ``ranked`` holds those that were found
    best, and the worst that was found, and no ordering is faster than ``bound_seconds``.
    ``is_optimal`` says that nothing can be faster than the first.
    """

    profile: Profile
    changes: tuple[str, ...]
    weights: tuple[float, ...]
    costs: StepCosts
    orderings: Count
    classes: Count
    complete: bool
    bound_seconds: float
    ranked: tuple[Ranked, ...]
    written: Ranked

    def of(self, ordering: Ordering) -> Ranked | None:
        """Return the class of a legal ordering, where it is among those that were tried."""
        member = self.written.member_of(ordering)
        return self._by_ordering.get(member)

    @cached_property
    def _by_ordering(self) -> dict[Ordering, Ranked]:
        return {one.ordering: one for one in self.ranked}

    @property
    def best(self) -> Ranked:
        """The best that was found."""
        return self.ranked[0]

    @property
    def worst(self) -> Ranked:
        """The worst that was found."""
        return self.ranked[-1]

    @property
    def is_optimal(self) -> bool:
        """Whether it is proved that no legal ordering is faster than the best one."""
        return self.complete or self.best.expected_seconds <= self.bound_seconds + _ROUNDING


def rank(
    base: BuildState,
    changes: Sequence[WeightedState],
    profile: Profile,
    order: OrderedStages,
    costs: StepCosts,
    *,
    limit: int = DEFAULT_LIMIT,
    progress: Callable[[int, int], None] | None = None,
) -> Ranking:
    """Rank the legal orderings of ``base.dockerfile`` by expected rebuild seconds.

    Args:
        base: what is built before each change.
        changes: what is built after it; weights need not sum to one.
        profile: the builder's rules.
        order: which orderings are legal.
        costs: what steps take.
        limit: the largest number of classes of which every one is tried.
        progress: is told how many of how many orderings are costed.

    Raises:
        NotRankableError: the cache model does not understand something, or a change adds or
            removes instructions.

    """
    return Ranker(base, changes, profile, order, costs).rank(limit, progress)


def _say_nothing(_done: int, _total: int) -> None:
    """Show no progress."""


class Ranker:
    """Costs orderings of one Dockerfile on one builder; see `rank`."""

    def __init__(
        self,
        base: BuildState,
        changes: Sequence[WeightedState],
        profile: Profile,
        order: OrderedStages,
        costs: StepCosts,
    ) -> None:
        """Read the states.

        Raises:
            NotRankableError: as `rank`.

        """
        self._changes = changes
        self._weights = _normalised([one.weight for one in changes])
        self._costs = costs
        self._hits = [costs.hits_after(one.state.change) for one in changes]
        self._hit_masks: dict[StepPlace, int] = {}
        for number, places in enumerate(self._hits):
            for place in places:
                self._hit_masks[place] = self._hit_masks.get(place, 0) | 1 << number
        self._profile = profile
        self._clock = Clock(base.dockerfile, base.build_args, profile, costs)
        self._written = Ordering.written(base.dockerfile)
        self._outcomes = Outcomes(base, [one.state for one in changes], profile)
        self._classes = Classes.of(order, self._outcomes.features.relevant)

    def rank(self, limit: int, progress: Callable[[int, int], None] | None = None) -> Ranking:
        """Cost all classes, or search for the best; see `rank`."""
        progress = progress or _say_nothing
        number = self._classes.number
        complete = number.exact and number.value <= limit
        bound = 0.0
        if complete:
            total = number.value
            chosen: Iterator[Ordering] = self._classes.members()
        else:
            total = limit
            bound, chosen = self._search()
        found = []
        for done, ordering in enumerate(itertools.islice(chosen, total)):
            if done % 500 == 0:
                progress(done, total)
            found.append(self.cost(ordering))
        progress(len(found), len(found))
        ranked = _in_order(found, complete=complete)
        if complete:
            bound = ranked[0].expected_seconds
        return Ranking(
            profile=self._profile,
            changes=tuple(one.state.change for one in self._changes),
            weights=self._weights,
            costs=self._costs,
            orderings=self._classes.orderings,
            classes=number,
            complete=complete,
            bound_seconds=bound,
            ranked=tuple(ranked),
            written=self._of_written(ranked),
        )

    def _of_written(self, ranked: Sequence[Ranked]) -> Ranked:
        for one in ranked:
            if one.ordering == self._written:
                return one
        return self.cost(self._written)

    def cost(self, ordering: Ordering) -> Ranked:
        """Return what one legal ordering does and takes, without a rank."""
        strikes = self._outcomes.struck(ordering, self._hit_masks)
        if strikes is not None:
            counts = count_struck(strikes, len(self._changes))
            seconds = self._clock.seconds_of(strikes, len(self._changes))
        else:
            _, *settled = self._outcomes.settled(ordering, self._hits)
            counts = [count(one) for one in settled]
            seconds = [self._clock.seconds(one) for one in settled]
        expected = sum(weight * one for weight, one in zip(self._weights, seconds, strict=True))
        return Ranked(
            ordering=ordering,
            rank=None,
            hits=tuple(hits for hits, _, _ in counts),
            scored=tuple(scored for _, scored, _ in counts),
            open=tuple(undecided for _, _, undecided in counts),
            seconds=tuple(seconds),
            expected_seconds=expected if seconds else self._costs.floor,
            _classes=self._classes,
        )

    def _search(self) -> tuple[float, Iterator[Ordering]]:
        """Return a lower bound, and orderings from what looks best on; then the worst found."""
        deducer = Deducer(self._outcomes.written_parts, self._hits, self._weights)
        sure = deducer.deduce(self._classes, self._costs, self._profile.family)
        bounds = {index: StageSearch(task).bound for index, task in sure.tasks.items()}
        bound = sure.bound(bounds, self._clock, self._costs)
        indices = list(sure.guides)
        best = best_products([StageSearch(one).orders() for one in sure.guides.values()])
        worst = tuple(
            next(StageSearch(replace(one, weights=tuple(-w for w in one.weights))).orders())
            for one in sure.guides.values()
        )
        return bound, self._members(indices, itertools.chain([worst], best))

    def _members(
        self, indices: Sequence[int], products: Iterable[tuple[tuple[int, ...], ...]]
    ) -> Iterator[Ordering]:
        yield self._written
        for chains in products:
            chosen = dict(zip(indices, chains, strict=True))
            member = Ordering(
                tuple(one.member(chosen.get(one.index, ())) for one in self._classes.stages)
            )
            if member != self._written:
                yield member


def _normalised(weights: Sequence[float]) -> tuple[float, ...]:
    """Return weights that sum to one; equal ones where all are zero."""
    total = sum(weights)
    if total <= 0.0:
        return tuple(1.0 / len(weights) for _ in weights)
    return tuple(one / total for one in weights)


def _in_order(found: Sequence[Ranked], *, complete: bool) -> list[Ranked]:
    """Return them best first, those of equal seconds by how little they move, with their ranks.

    Where they are not all there are, a rank is known only of those as fast as the best.
    """
    unique = {one.ordering: one for one in found}.values()
    ordered = sorted(
        unique, key=lambda one: (round(one.expected_seconds, 9), one.moved, one.ordering)
    )
    ranked: list[Ranked] = []
    for number, one in enumerate(ordered, start=1):
        before = ranked[-1] if ranked else None
        same = before is not None and one.expected_seconds - before.expected_seconds <= _SAME
        place: int | None = number if complete or number == 1 else None
        if same and before is not None:
            place = before.rank
        ranked.append(replace(one, rank=place))
    return ranked
