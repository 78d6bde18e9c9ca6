from __future__ import annotations

import itertools
from random import Random

import networkx as nx
import pytest

from bench.dockerfile import parse
from bench.orderings.legality import PartialOrder, StageOrder
from bench.orderings.ordering import Ordering
from tests.orderings.sampling import Sample, nearer

TEXT = "FROM a\nRUN 1\nRUN 2\nRUN 3\nRUN 4\nRUN 5\nFROM b\nRUN 1\nRUN 2\n"


def chance(seed: int) -> Random:
    return Random(seed)  # noqa: S311 - chance, no secret


def order_of(*pairs: tuple[int, int]) -> PartialOrder:
    """Return an order of the first stage with these pairs, and none of the second."""
    dockerfile = parse(TEXT)
    stages = []
    for stage in dockerfile.stages:
        graph: nx.DiGraph[int] = nx.DiGraph()
        graph.add_nodes_from(range(2, len(stage.instructions) + 1))
        graph.add_edges_from(pairs if stage.index == 0 else ())
        stages.append(StageOrder(stage.index, len(stage.instructions), graph, {}))
    return PartialOrder(dockerfile, tuple(stages))


def test_a_few_orderings_are_all_taken() -> None:
    chain = itertools.pairwise(range(2, 7))
    chosen = Sample(order_of(*chain)).choose(5, chance(1))
    assert [one.stages for one in chosen] == [((1, 2, 3, 4, 5, 6), (1, 3, 2))]


def test_the_farthest_comes_first_and_none_comes_twice() -> None:
    sample = Sample(order_of((2, 3)))
    assert str(sample.count) == "120"
    chosen = sample.choose(40, chance(1))
    assert chosen[0].stages == ((1, 6, 5, 4, 2, 3), (1, 3, 2))
    assert len(set(chosen)) == len(chosen) == 40
    written = Ordering.written(parse(TEXT))
    assert written not in chosen
    assert all(one.stages[0].index(2) < one.stages[0].index(3) for one in chosen)


def test_the_sample_follows_from_the_seed() -> None:
    sample = Sample(order_of((2, 3)))
    assert sample.choose(20, chance(7)) == sample.choose(20, chance(7))
    assert sample.choose(20, chance(7)) != sample.choose(20, chance(8))


@pytest.mark.parametrize(
    "stages", [((1, 3, 2, 4, 5, 6), (1, 3, 2)), ((1, 2, 3, 4, 6, 5), (1, 2, 3))]
)
def test_nearer_orderings_have_one_pair_less_turned_round(
    stages: tuple[tuple[int, ...], ...],
) -> None:
    ordering = Ordering(stages)
    turned = set(ordering.inversions())
    found = list(nearer(ordering))
    assert len(found) == len(turned)
    for one in found:
        assert set(one.inversions()) < turned
        assert len(set(one.inversions())) == len(turned) - 1
