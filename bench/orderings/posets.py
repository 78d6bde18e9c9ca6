"""Partial orders of a few numbered things, as bit masks: what counting and searching work on."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence


@dataclass(frozen=True)
class Poset:
    """A partial order of ``elements``, which are distinct numbers in ascending order.

    ``before[i]`` is a mask of the places in ``elements`` of all that must come before element
    ``i``, directly or not: bit ``j`` stands for ``elements[j]``.
    """

    elements: tuple[int, ...]
    before: tuple[int, ...]

    @classmethod
    def of_pairs(cls, elements: Iterable[int], pairs: Iterable[tuple[int, int]]) -> Poset:
        """Return the order that follows from ``(earlier, later)`` pairs.

        Raises:
            ValueError: the pairs go round in a circle, or name what is no element.

        """
        names = tuple(sorted(set(elements)))
        place = {name: index for index, name in enumerate(names)}
        before = [0] * len(names)
        try:
            for earlier, later in pairs:
                before[place[later]] |= 1 << place[earlier]
        except KeyError as error:
            raise ValueError(f"{error} is none of the elements") from None
        return cls(names, _closed(before))

    @cached_property
    def after(self) -> tuple[int, ...]:
        """For each element a mask of all that must come after it."""
        found = [0] * len(self.elements)
        for later, mask in enumerate(self.before):
            for earlier in _bits(mask):
                found[earlier] |= 1 << later
        return tuple(found)

    @property
    def everything(self) -> int:
        """The mask of all elements."""
        return (1 << len(self.elements)) - 1

    def available(self, placed: int) -> Iterator[int]:
        """Yield the places of the elements that may come next after those of ``placed``."""
        for index, needed in enumerate(self.before):
            if not placed >> index & 1 and needed & ~placed == 0:
                yield index

    def restricted(self, elements: Iterable[int]) -> Poset:
        """Return the same order among some of the elements."""
        wanted = set(elements)
        kept = [index for index, name in enumerate(self.elements) if name in wanted]
        pairs = (
            (self.elements[earlier], self.elements[later])
            for later in kept
            for earlier in _bits(self.before[later])
            if self.elements[earlier] in wanted
        )
        return Poset.of_pairs((self.elements[index] for index in kept), pairs)

    def with_chain(self, chain: Sequence[int]) -> Poset:
        """Return the order in which the elements of ``chain`` come one after the other, too.

        Raises:
            ValueError: that contradicts the order.

        """
        pairs = [
            (self.elements[earlier], self.elements[later])
            for later, mask in enumerate(self.before)
            for earlier in _bits(mask)
        ]
        return Poset.of_pairs(self.elements, [*pairs, *itertools.pairwise(chain)])

    def components(self) -> list[Poset]:
        """Return the parts that have no order with one another, each with its own elements."""
        found: list[Poset] = []
        left = self.everything
        while left:
            part = left & -left
            grown = 0
            while grown != part:
                grown = part
                for index in _bits(grown):
                    part |= self.before[index] | self.after[index]
            found.append(self.restricted(self.elements[index] for index in _bits(part)))
            left &= ~part
        return found

    def extensions(self) -> Iterator[tuple[int, ...]]:
        """Yield every linear extension, the one in ascending order first."""
        chosen: list[int] = []
        yield from self._extend(0, chosen)

    def _extend(self, placed: int, chosen: list[int]) -> Iterator[tuple[int, ...]]:
        if len(chosen) == len(self.elements):
            yield tuple(chosen)
            return
        for index in self.available(placed):
            chosen.append(self.elements[index])
            yield from self._extend(placed | 1 << index, chosen)
            chosen.pop()

    def around(self, chain: Sequence[int]) -> tuple[int, ...]:
        """Return the smallest linear extension in which the elements of ``chain`` stand so.

        Raises:
            ValueError: the order does not allow that.

        """
        following = list(chain)
        held_back = set(following[1:])
        placed = 0
        found: list[int] = []
        while len(found) < len(self.elements):
            for index in self.available(placed):
                if self.elements[index] not in held_back:
                    break
            else:
                raise ValueError(f"{tuple(chain)} is not in order")
            name = self.elements[index]
            found.append(name)
            placed |= 1 << index
            if following and name == following[0]:
                following.pop(0)
                held_back.discard(following[0] if following else name)
        return tuple(found)

    def first_extension(self) -> tuple[int, ...]:
        """Return the linear extension that always goes on with the smallest element."""
        placed = 0
        chosen = []
        for _ in self.elements:
            index = next(self.available(placed))
            placed |= 1 << index
            chosen.append(self.elements[index])
        return tuple(chosen)


def _bits(mask: int) -> Iterator[int]:
    while mask:
        lowest = mask & -mask
        yield lowest.bit_length() - 1
        mask ^= lowest


def _closed(before: Sequence[int]) -> tuple[int, ...]:
    """Return the transitive closure.

    Raises:
        ValueError: the order goes round in a circle.

    """
    found = list(before)
    changed = True
    while changed:
        changed = False
        for index, mask in enumerate(found):
            wider = mask
            for earlier in _bits(mask):
                wider |= found[earlier]
            if wider != mask:
                found[index] = wider
                changed = True
    if any(mask >> index & 1 for index, mask in enumerate(found)):
        raise ValueError("the order goes round in a circle")
    return tuple(found)
