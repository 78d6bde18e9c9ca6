"""Intervals and the critical path."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from bench.builders.buildkit import Vertex, critical_chain
from bench.builders.stages import busy, union
from bench.builders.status import VertexEvent

intervals = st.lists(
    st.tuples(st.integers(0, 50), st.integers(0, 20)).map(
        lambda pair: (float(pair[0]), float(pair[0] + pair[1]))
    )
)


def test_time_that_two_intervals_share_counts_once() -> None:
    assert union([(5.0, 6.0), (0.0, 2.0), (1.0, 3.0)]) == [(0.0, 3.0), (5.0, 6.0)]
    assert busy([(0.0, 2.0), (1.0, 3.0), (5.0, 6.0)]) == 4.0
    assert busy([]) == 0.0


@given(intervals)
def test_a_union_is_disjoint_in_order_and_covers_the_same_time(
    parts: list[tuple[float, float]],
) -> None:
    merged = union(parts)

    assert merged == sorted(merged)
    assert all(a[1] < b[0] for a, b in itertools.pairwise(merged))
    covered = {second for start, end in parts for second in range(int(start), int(end))}
    assert busy(parts) == len(covered)


def vertex(seconds: float, *inputs: str, start: float = 0.0) -> Vertex:
    return Vertex("v", inputs, intervals=[(start, start + seconds)], starts={start: False})


def test_the_critical_path_is_the_chain_with_the_most_work() -> None:
    vertices = {
        "base": vertex(0.1),
        "long": vertex(5.0, "base", start=1.0),
        "short": vertex(1.0, "base", start=1.0),
        "last": vertex(0.5, "short", "long", start=6.0),
    }

    assert critical_chain(vertices) == ["last", "long", "base"]


def test_a_cached_input_that_is_reported_late_is_not_on_the_critical_path() -> None:
    """BuildKit declares a cached vertex together with the first that needs it."""
    vertices = {
        "work": vertex(5.0, start=0.0),
        "cached": vertex(0.0, start=5.01),
        "last": vertex(0.1, "cached", "work", start=5.02),
    }

    assert critical_chain(vertices) == ["last", "work"]


def test_inputs_that_were_never_announced_and_circles_do_no_harm() -> None:
    assert critical_chain({"a": vertex(1.0, "unknown")}) == ["a"]
    assert critical_chain({"a": vertex(1.0, "b"), "b": vertex(1.0, "a")}) == []
    assert critical_chain({}) == []


def test_a_vertex_called_cached_too_early_ran_all_the_same() -> None:
    """One that is not done when another needs it is declared cached; its last start decides."""
    vertex = Vertex("[2/3] LINK COPY --link a /a")
    for started, cached in ((1.0, False), (2.0, True), (3.0, False)):
        vertex.take(_event(started, cached=cached))
    assert vertex.ran
    vertex.take(_event(4.0, cached=True))
    assert vertex.cached


def test_a_vertex_that_never_started_is_what_it_was_called() -> None:
    vertex = Vertex("[2/3] COPY a /a")
    vertex.take(_event(None, cached=True))
    assert vertex.cached
    assert not vertex.ran


def _event(started: float | None, *, cached: bool) -> VertexEvent:
    return VertexEvent("sha256:0", (), "", cached, started, started, "")
