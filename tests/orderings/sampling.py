"""Which of the legal orderings are built: all if they are few, else far ones and drawn ones."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from bench.orderings.counting import Count, Sampler, count_extensions, product
from bench.orderings.ordering import Ordering
from bench.orderings.posets import Poset

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from random import Random

    from bench.orderings.legality import PartialOrder

_DRAWS = 30
"""For each ordering wanted; the same one may be drawn again."""


class Sample:
    """The orderings that one partial order allows, to choose from."""

    def __init__(self, order: PartialOrder) -> None:
        self._posets = [
            Poset.of_pairs(range(2, stage.count + 1), stage.graph.edges) for stage in order.stages
        ]
        self._written = Ordering.written(order.dockerfile)

    @property
    def count(self) -> Count:
        """How many orderings are legal, the written one among them."""
        return product(count_extensions(one) for one in self._posets)

    def choose(self, size: int, random: Random) -> list[Ordering]:
        """Return up to ``size`` legal orderings other than the written one, the farthest first.

        All where there are no more. Otherwise each linear extension is as likely as any other,
        beside those in which as much as can be is turned round: in all stages, and in each.
        """
        count = self.count
        if count.exact and count.value <= size + 1:
            return [one for one in self._all() if one != self._written]
        chosen = {one: None for one in self._far() if one != self._written}
        samplers = [Sampler(one) for one in self._posets]
        for _ in range(size * _DRAWS):
            if len(chosen) >= size:
                break
            drawn = _ordering(sampler.draw(random) for sampler in samplers)
            if drawn != self._written:
                chosen.setdefault(drawn)
        return list(chosen)[:size]

    def _all(self) -> Iterator[Ordering]:
        for stages in itertools.product(*(one.extensions() for one in self._posets)):
            yield _ordering(stages)

    def _far(self) -> Iterator[Ordering]:
        turned = [_farthest(one) for one in self._posets]
        yield _ordering(turned)
        for index, steps in enumerate(turned):
            yield self._written.with_stage(index, (1, *steps))


def _ordering(stages: Iterator[Sequence[int]] | Sequence[Sequence[int]]) -> Ordering:
    return Ordering(tuple((1, *steps) for steps in stages))


def _farthest(order: Poset) -> tuple[int, ...]:
    """Return the linear extension that always goes on with the largest element there is."""
    placed = 0
    steps = []
    for _ in order.elements:
        index = max(order.available(placed))
        placed |= 1 << index
        steps.append(order.elements[index])
    return tuple(steps)


def nearer(ordering: Ordering) -> Iterator[Ordering]:
    """Yield the orderings in which two neighbours that were turned round are turned back.

    What allows an ordering allows these: they have less turned round, and nothing else.
    """
    for index, steps in enumerate(ordering.stages):
        for place, (one, other) in enumerate(itertools.pairwise(steps)):
            if one > other:
                turned = (*steps[:place], other, one, *steps[place + 2 :])
                yield ordering.with_stage(index, turned)
