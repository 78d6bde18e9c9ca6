"""Layers: every edge goes down, no two boxes touch, whatever the graph."""

from __future__ import annotations

from itertools import pairwise

import networkx as nx
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.report.layers import lay_out

GAP = 0.2
GRAPHS = st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11)), max_size=25).map(
    lambda pairs: nx.DiGraph([(min(pair), max(pair)) for pair in pairs if pair[0] != pair[1]])
)


@settings(deadline=None, max_examples=100)
@given(GRAPHS)
def test_boxes_of_a_row_keep_their_distance_and_edges_go_down(graph: nx.DiGraph[int]) -> None:
    widths = {node: 0.5 + node / 4 for node in graph}
    layers = lay_out(graph, widths, GAP)

    row_of = {node: at for at, row in enumerate(layers.rows) for node in row}
    assert set(row_of) == set(graph)
    for row in layers.rows:
        for one, other in pairwise(row):
            room = layers.middle[other] - layers.middle[one]
            assert room >= (widths[one] + widths[other]) / 2 + GAP - 1e-9
    for start, end in graph.edges:
        assert row_of[start] < row_of[end]
        assert len(layers.ways[start, end]) == row_of[end] - row_of[start] + 1
    for node in graph:
        assert layers.middle[node] - widths[node] / 2 >= -1e-9
        assert layers.middle[node] + widths[node] / 2 <= layers.width + 1e-9


def test_a_chain_stands_in_one_line() -> None:
    layers = lay_out(nx.DiGraph([(2, 3), (3, 4)]), {2: 1.0, 3: 3.0, 4: 2.0}, GAP)

    assert layers.middle == {2: 1.5, 3: 1.5, 4: 1.5}


def test_an_edge_past_a_row_keeps_clear_of_the_boxes_there() -> None:
    layers = lay_out(nx.DiGraph([(2, 3), (3, 4), (2, 4)]), {2: 1.0, 3: 3.0, 4: 2.0}, GAP)

    (dot,) = layers.ways[2, 4][1:-1]
    assert abs(layers.middle[dot] - layers.middle[3]) >= 1.5 + GAP - 1e-9


def test_no_instruction_is_no_layer() -> None:
    assert lay_out(nx.DiGraph(), {}, GAP).rows == ()
