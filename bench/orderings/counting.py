"""How many orderings a partial order allows, exactly where that can be counted; and draws of them.

The number of linear extensions is a sum over the ideals of the order: the sets that may have been
placed at some point. Parts that have no order with one another are counted apart and interleaved.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from random import Random

    from bench.orderings.posets import Poset

MOST_IDEALS = 100_000
"""So many ideals are gone through for one part of an order (a second or so); beyond, a lower bound
is given."""


@dataclass(frozen=True)
class Count:
    """A number of orderings. Where it is not ``exact``, there are at least so many."""

    value: int
    exact: bool = True

    def __mul__(self, other: Count) -> Count:
        return Count(self.value * other.value, self.exact and other.exact)

    def __str__(self) -> str:
        return f"{self.value:,}" if self.exact else f"at least {self.value:,}"


def product(counts: Iterable[Count]) -> Count:
    """Return the number of ways to choose one of each."""
    return math.prod(counts, start=Count(1))


def count_extensions(order: Poset, *, most_ideals: int = MOST_IDEALS) -> Count:
    """Return the number of linear extensions of ``order``."""
    result = Count(1)
    placed = 0
    for part in order.components():
        size = len(part.elements)
        placed += size
        result *= Count(math.comb(placed, size)) * _count_part(part, most_ideals)
    return result


def _count_part(part: Poset, most_ideals: int) -> Count:
    try:
        return Count(_Ideals(part, most_ideals).count(0))
    except _TooManyError:
        # There are at least n! / (product of the sizes of all down-sets), with equality for
        # forests (A. Hammett and B. Pittel, "How often are two permutations comparable?", 2008).
        sizes = math.prod(mask.bit_count() + 1 for mask in part.before)
        return Count(-(-math.factorial(len(part.elements)) // sizes), exact=False)


class _TooManyError(Exception):
    """The order has too many ideals."""


@dataclass
class _Ideals:
    """Counts the ways to go on from each ideal."""

    order: Poset
    most: int
    _known: dict[int, int] = field(default_factory=dict)

    def count(self, placed: int) -> int:
        """Return the number of ways to place what is not in ``placed``.

        Raises:
            _TooManyError: the order has more ideals than ``most``.

        """
        if placed == self.order.everything:
            return 1
        found = self._known.get(placed)
        if found is None:
            found = sum(self.count(placed | 1 << one) for one in self.order.available(placed))
            if len(self._known) >= self.most:
                raise _TooManyError
            self._known[placed] = found
        return found


class Sampler:
    """Draws linear extensions of one order, each as likely as any other.

    Where the order is too wide to be counted, the next element is drawn from those that may come
    next; then some extensions are likelier than others, and ``uniform`` is False.
    """

    def __init__(self, order: Poset, *, most_ideals: int = MOST_IDEALS) -> None:
        self._parts: list[tuple[Poset, _Ideals | None]] = []
        for part in order.components():
            ideals = _Ideals(part, most_ideals)
            try:
                ideals.count(0)
            except _TooManyError:
                self._parts.append((part, None))
            else:
                self._parts.append((part, ideals))

    @property
    def uniform(self) -> bool:
        """Whether each extension is as likely as any other."""
        return all(ideals is not None for _, ideals in self._parts)

    def draw(self, random: Random) -> tuple[int, ...]:
        """Return one linear extension."""
        drawn = [iter(_draw_part(part, ideals, random)) for part, ideals in self._parts]
        turns = [
            number
            for number, (part, _) in enumerate(self._parts)
            for _ in range(len(part.elements))
        ]
        random.shuffle(turns)
        return tuple(next(drawn[number]) for number in turns)


def _draw_part(part: Poset, ideals: _Ideals | None, random: Random) -> list[int]:
    placed = 0
    chosen: list[int] = []
    for _ in part.elements:
        options = list(part.available(placed))
        if ideals is None:
            index = random.choice(options)
        else:
            ways = [ideals.count(placed | 1 << one) for one in options]
            index = random.choices(options, weights=ways)[0]
        placed |= 1 << index
        chosen.append(part.elements[index])
    return chosen
