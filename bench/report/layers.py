"""Laying a graph out in layers, from top to bottom: who stands in which row, and how far right.

The usual steps (Sugiyama, Tagawa and Toda, 1981): rows by the longest way from the top, a dot in
every row that an edge passes through, an order in each row that lets few edges cross, places that
keep edges straight. Widths and places are in inches.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean
from typing import TYPE_CHECKING

import networkx as nx

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping, Sequence

Dot = tuple[int, int, int]
"""A place that the edge from the first to the second node passes in a row: the third."""

_SWEEPS = 12


@dataclass(frozen=True)
class Layers:
    """A graph laid out.

    ``rows`` are the nodes of every row in order, ``middle`` how far right the middle of each is,
    ``ways`` the points of each edge: its two nodes and, between them, the dots it passes.
    """

    rows: tuple[tuple[int, ...], ...]
    middle: Mapping[Hashable, float]
    ways: Mapping[tuple[int, int], tuple[Hashable, ...]]
    width: float


def lay_out(graph: nx.DiGraph[int], widths: Mapping[int, float], gap: float) -> Layers:
    """Lay out an acyclic graph; ``gap`` is the room between two neighbours in a row."""
    rows: list[list[Hashable]] = [[*sorted(row)] for row in nx.topological_generations(graph)]
    row_of = {node: number for number, row in enumerate(rows) for node in row}
    ways: dict[tuple[int, int], tuple[Hashable, ...]] = {}
    for start, end in sorted(graph.edges):
        dots: list[Dot] = [(start, end, row) for row in range(row_of[start] + 1, row_of[end])]
        for dot in dots:
            rows[dot[2]].append(dot)
        ways[start, end] = (start, *dots, end)
    beside = _neighbours(ways.values())
    for sweep in range(_SWEEPS):
        _order(rows, beside, downwards=sweep % 2 == 0)
    wide: dict[Hashable, float] = {
        one: widths[one] if isinstance(one, int) else 0.0 for row in rows for one in row
    }
    middle = _places(rows, beside, wide, gap)
    low = min((middle[one] - wide[one] / 2 for row in rows for one in row), default=0.0)
    high = max((middle[one] + wide[one] / 2 for row in rows for one in row), default=0.0)
    return Layers(
        tuple(tuple(one for one in row if isinstance(one, int)) for row in rows),
        {one: place - low for one, place in middle.items()},
        ways,
        high - low,
    )


def _neighbours(ways: Iterable[Sequence[Hashable]]) -> dict[Hashable, set[Hashable]]:
    found: dict[Hashable, set[Hashable]] = {}
    for way in ways:
        for one, other in pairwise(way):
            found.setdefault(one, set()).add(other)
            found.setdefault(other, set()).add(one)
    return found


def _order(
    rows: list[list[Hashable]], beside: Mapping[Hashable, set[Hashable]], *, downwards: bool
) -> None:
    """Bring every row into the order of what it is tied to in the row before it."""
    going = range(1, len(rows)) if downwards else range(len(rows) - 2, -1, -1)
    for number in going:
        before = rows[number - 1] if downwards else rows[number + 1]
        place = {one: at for at, one in enumerate(before)}
        now = {one: float(at) for at, one in enumerate(rows[number])}

        def wanted(
            one: Hashable,
            place: Mapping[Hashable, int] = place,
            now: Mapping[Hashable, float] = now,
        ) -> float:
            tied = [place[other] for other in beside.get(one, ()) if other in place]
            return fmean(tied) if tied else now[one]

        rows[number].sort(key=wanted)


def _places(
    rows: Sequence[Sequence[Hashable]],
    beside: Mapping[Hashable, set[Hashable]],
    widths: Mapping[Hashable, float],
    gap: float,
) -> dict[Hashable, float]:
    middle: dict[Hashable, float] = {}
    for row in rows:
        middle.update(_spread(row, [0.0] * len(row), widths, gap))
    for sweep in range(_SWEEPS):
        for row in rows if sweep % 2 == 0 else reversed(rows):
            wanted = [
                fmean(middle[other] for other in beside[one]) if one in beside else middle[one]
                for one in row
            ]
            middle.update(_spread(row, wanted, widths, gap))
    return middle


def _spread(
    row: Sequence[Hashable],
    wanted: Sequence[float],
    widths: Mapping[Hashable, float],
    gap: float,
) -> dict[Hashable, float]:
    """Put a row as near to its wanted places as its widths allow (least squares).

    With the room to the left taken off, no place may be left of the one before it: neighbours
    that would be share their mean (pool adjacent violators).
    """
    offset = [0.0]
    for one, other in pairwise(row):
        offset.append(offset[-1] + (widths[one] + widths[other]) / 2 + gap)
    pools: list[list[float]] = []
    for at, place in enumerate(wanted):
        pools.append([place - offset[at]])
        while len(pools) > 1 and fmean(pools[-2]) > fmean(pools[-1]):
            pools[-2:] = [[*pools[-2], *pools[-1]]]
    settled = [fmean(pool) for pool in pools for _ in pool]
    return {one: settled[at] + offset[at] for at, one in enumerate(row)}
