"""The best orderings where there are too many to try all: stage by stage, the cheapest first.

Inside one stage what an ordering costs is a sum over its steps: a step costs its seconds after
every change that struck it or a step before it, and whether one did depends only on the *set* of
steps before it, not on their order. So the cheapest order, and the next cheapest, are shortest
paths through the ideals of the stage's partial order, and their cost is a bound that no ordering
can go below. Stages act on each other through artefacts and through equal steps; the bound counts
only what happens in every ordering, and the orderings found are costed whole afterwards.
"""

from __future__ import annotations

import heapq
import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from bench.orderings.posets import Poset

MOST_IDEALS = 50_000
"""So many ideals of one stage are gone through; of a wider one only a part, without a bound."""
_UNIT = 1_000_000
"""Costs are whole numbers: microseconds times millionths of the weight, so that sums are exact."""

Cost = tuple[int, int]
"""What an order costs, and by how much it differs from the written one (pairs turned round)."""


@dataclass(frozen=True)
class StageTask:
    """One stage to order.

    ``order`` is the partial order of the steps that count. ``seconds`` are what they take when
    they miss; ``struck`` holds a mask of the changes after which a step surely misses by itself,
    ``begins`` one of those after which the whole stage surely misses.
    """

    order: Poset
    seconds: Mapping[int, float]
    struck: Mapping[int, int]
    begins: int
    weights: tuple[float, ...]


@dataclass
class StageSearch:
    """The orders of one stage, cheapest first; see the module."""

    task: StageTask
    most_ideals: int = MOST_IDEALS
    exact: bool = True
    """Whether all ideals were gone through: then the first order's cost is a bound."""
    _rest: dict[int, Cost] = field(default_factory=dict)
    _weights: dict[int, int] = field(default_factory=dict)
    _seconds: list[int] = field(default_factory=list)
    _struck: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        task = self.task
        # Rounded down, so that the bound stays one.
        self._seconds = [int(task.seconds.get(one, 0.0) * _UNIT) for one in task.order.elements]
        self._struck = [task.struck.get(one, 0) for one in task.order.elements]
        self._lay_out()

    @property
    def bound(self) -> float:
        """Seconds, weighted, that the steps of this stage take at least in any order."""
        if not self.exact:
            return self._surely() / _UNIT / _UNIT
        return self._rest[0][0] / _UNIT / _UNIT

    def orders(self) -> Iterator[tuple[int, ...]]:
        """Yield the orders of the steps, cheapest first; those of one cost nearest first."""
        order = self.task.order
        ticket = itertools.count()
        heap: list[tuple[Cost, int, int, int, int, tuple[int, ...]]] = [
            (self._rest[0], 0, next(ticket), 0, 0, ())
        ]
        # Each entry: cost of the whole, steps still to place, a ticket, mask placed, cost so far.
        while heap:
            whole, _, _, placed, spent, chosen = heapq.heappop(heap)
            if placed == order.everything:
                yield tuple(order.elements[index] for index in chosen)
                continue
            moved = whole[1] - self._rest[placed][1]
            for index in order.available(placed):
                after = placed | 1 << index
                rest = self._rest.get(after)
                if rest is None:
                    continue  # outside of the part that was gone through
                cost = spent + self._cost(placed, index)
                turned = moved + _turned(placed, index)
                left = len(order.elements) - len(chosen) - 1
                heapq.heappush(
                    heap,
                    (
                        (cost + rest[0], turned + rest[1]),
                        left,
                        next(ticket),
                        after,
                        cost,
                        (*chosen, index),
                    ),
                )

    def _lay_out(self) -> None:
        """Find the cheapest way to go on from every ideal, the largest ideals first."""
        layers = [{0}]
        order = self.task.order
        total = 1
        for _ in order.elements:
            following = {
                placed | 1 << index for placed in layers[-1] for index in order.available(placed)
            }
            total += len(following)
            if total > self.most_ideals:
                self.exact = False
                width = max(8, self.most_ideals // (4 * len(order.elements)))
                following = set(heapq.nsmallest(width, following, key=self._promise))
            layers.append(following)
        self._rest[order.everything] = (0, 0)
        for layer in reversed(layers[:-1]):
            for placed in layer:
                ways = [
                    (cost + rest[0], turned + rest[1])
                    for index in order.available(placed)
                    if (rest := self._rest.get(placed | 1 << index)) is not None
                    for cost, turned in [(self._cost(placed, index), _turned(placed, index))]
                ]
                if ways:
                    self._rest[placed] = min(ways)

    def _promise(self, placed: int) -> tuple[int, int]:
        """Order ideals of one size by what is left to miss after what they hold has struck."""
        struck = self.task.begins
        left = 0
        for index, mask in enumerate(self._struck):
            if placed >> index & 1:
                struck |= mask
            else:
                left += self._seconds[index]
        return self._weight(struck) * left, placed

    def _cost(self, placed: int, index: int) -> int:
        """Return what a step costs right after the steps of ``placed``."""
        struck = self.task.begins | self._struck[index]
        while placed:
            lowest = placed & -placed
            struck |= self._struck[lowest.bit_length() - 1]
            placed ^= lowest
        return self._seconds[index] * self._weight(struck)

    def _weight(self, changes: int) -> int:
        known = self._weights.get(changes)
        if known is None:
            known = sum(
                int(weight * _UNIT)
                for number, weight in enumerate(self.task.weights)
                if changes >> number & 1
            )
            self._weights[changes] = known
        return known

    def _surely(self) -> int:
        """Return what the steps cost by what must stand before each of them alone."""
        order = self.task.order
        return sum(self._cost(order.before[index], index) for index in range(len(order.elements)))


def _turned(placed: int, index: int) -> int:
    """Count the steps already placed that were written after this one."""
    return (placed >> (index + 1)).bit_count()


def best_products(
    stages: Sequence[Iterator[tuple[int, ...]]],
) -> Iterator[tuple[tuple[int, ...], ...]]:
    """Yield one order of each stage, in the order of the sum of their places in their lists."""
    lists: list[list[tuple[int, ...]]] = [[] for _ in stages]

    def at(stage: int, number: int) -> tuple[int, ...] | None:
        while len(lists[stage]) <= number:
            following = next(stages[stage], None)
            if following is None:
                return None
            lists[stage].append(following)
        return lists[stage][number]

    start = tuple(0 for _ in stages)
    heap = [(0, start)]
    seen = {start}
    while heap:
        _, numbers = heapq.heappop(heap)
        chosen = [at(stage, number) for stage, number in enumerate(numbers)]
        if any(one is None for one in chosen):
            continue
        yield tuple(one for one in chosen if one is not None)
        for stage in range(len(stages)):
            following = (*numbers[:stage], numbers[stage] + 1, *numbers[stage + 1 :])
            if following not in seen:
                seen.add(following)
                heapq.heappush(heap, (sum(following), following))
