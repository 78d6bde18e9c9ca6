"""Orderings that a builder cannot tell apart are one class, and are listed once.

BuildKit looks up vertices alone, and those of the stages that the target needs; the classic
builder every instruction up to the target. Where the others stand changes nothing that is counted
here.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Protocol

from bench.orderings.counting import Count, count_extensions, product
from bench.orderings.ordering import Ordering
from bench.orderings.posets import Poset

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import networkx as nx


class OrderedStage(Protocol):
    """The order of one stage; see `bench.orderings.legality.StageOrder`."""

    @property
    def index(self) -> int:
        """The stage's index."""

    @property
    def count(self) -> int:
        """The number of its instructions, FROM among them."""

    @property
    def graph(self) -> nx.DiGraph[int]:
        """Edges from each step to those that must stay behind it."""


class OrderedStages(Protocol):
    """The order of a Dockerfile; see `bench.orderings.legality.PartialOrder`."""

    @property
    def stages(self) -> Sequence[OrderedStage]:
        """One order for each stage."""


class StageClasses:
    """The orders of one stage, of which only that of the steps in ``relevant`` counts."""

    def __init__(self, order: OrderedStage, relevant: frozenset[int]) -> None:
        self.index = order.index
        self.order = Poset.of_pairs(range(2, order.count + 1), order.graph.edges)
        self.induced = self.order.restricted(relevant)

    @cached_property
    def number(self) -> Count:
        """How many classes there are."""
        return count_extensions(self.induced)

    @cached_property
    def orders(self) -> Count:
        """How many orders there are."""
        return count_extensions(self.order)

    def member(self, chain: Sequence[int]) -> tuple[int, ...]:
        """Return the order of a class that is nearest to the written one, FROM first.

        ``chain`` is the order of the relevant steps.
        """
        return (1, *self.order.around(chain))

    def chain(self, steps: Sequence[int]) -> tuple[int, ...]:
        """Return what an order of the stage is to the builder."""
        relevant = set(self.induced.elements)
        return tuple(step for step in steps if step in relevant)

    @lru_cache(maxsize=1024)  # noqa: B019 - lives as long as what is ranked
    def alike(self, chain: tuple[int, ...]) -> Count:
        """Return how many orders the class has."""
        return count_extensions(self.order.with_chain(chain))


@dataclass(frozen=True)
class Classes:
    """The classes of the orderings of a whole Dockerfile for one builder."""

    stages: tuple[StageClasses, ...]

    @classmethod
    def of(cls, order: OrderedStages, relevant: Mapping[int, frozenset[int]]) -> Classes:
        """Return the classes in which the ``relevant`` steps of each stage are in one order."""
        return cls(
            tuple(StageClasses(one, relevant.get(one.index, frozenset())) for one in order.stages)
        )

    @property
    def number(self) -> Count:
        """How many classes there are."""
        return product(one.number for one in self.stages)

    @property
    def orderings(self) -> Count:
        """How many legal orderings there are."""
        return product(one.orders for one in self.stages)

    def members(self) -> Iterator[Ordering]:
        """Yield one ordering of every class, the written one first."""
        found = [[one.member(chain) for chain in one.induced.extensions()] for one in self.stages]
        for stages in itertools.product(*found):
            yield Ordering(stages)

    def member(self, ordering: Ordering) -> Ordering:
        """Return the ordering that stands for the class of ``ordering``."""
        pairs = zip(self.stages, ordering.stages, strict=True)
        return Ordering(tuple(one.member(one.chain(steps)) for one, steps in pairs))

    def alike(self, ordering: Ordering) -> Count:
        """Return how many legal orderings are in the class of ``ordering``."""
        pairs = zip(self.stages, ordering.stages, strict=True)
        return product(one.alike(one.chain(steps)) for one, steps in pairs)
