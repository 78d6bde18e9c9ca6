"""Counting and drawing linear extensions, held against listing them all."""

from __future__ import annotations

import math
from collections import Counter
from itertools import permutations
from random import Random
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.orderings.counting import Count, Sampler, count_extensions
from bench.orderings.posets import Poset

if TYPE_CHECKING:
    from collections.abc import Iterable


@st.composite
def orders(draw: st.DrawFn) -> tuple[tuple[int, ...], list[tuple[int, int]]]:
    """Return elements and ``(earlier, later)`` pairs in which numbers only go up."""
    elements = draw(st.lists(st.integers(2, 20), unique=True, max_size=5).map(sorted))
    pairs = [(a, b) for a in elements for b in elements if a < b]
    return tuple(elements), draw(st.lists(st.sampled_from(pairs), unique=True)) if pairs else []


def listed(elements: Iterable[int], pairs: Iterable[tuple[int, int]]) -> set[tuple[int, ...]]:
    return {
        one
        for one in permutations(elements)
        if all(one.index(earlier) < one.index(later) for earlier, later in pairs)
    }


@given(orders())
def test_extensions_are_all_that_keep_the_pairs_in_order(
    given_order: tuple[tuple[int, ...], list[tuple[int, int]]],
) -> None:
    elements, pairs = given_order
    order = Poset.of_pairs(elements, pairs)
    found = list(order.extensions())
    assert set(found) == listed(elements, pairs)
    assert found == sorted(found)
    assert found[0] == order.first_extension() == elements
    assert count_extensions(order) == Count(len(found))


@given(orders(), st.data())
def test_a_part_is_in_the_same_order_as_in_the_whole(
    given_order: tuple[tuple[int, ...], list[tuple[int, int]]], data: st.DataObject
) -> None:
    elements, pairs = given_order
    wanted = data.draw(st.sets(st.sampled_from(elements)) if elements else st.just(set()))
    order = Poset.of_pairs(elements, pairs)
    part = {tuple(e for e in one if e in wanted) for one in order.extensions()}
    assert set(order.restricted(wanted).extensions()) == part
    for chain in part:
        longer = {
            one for one in order.extensions() if tuple(e for e in one if e in wanted) == chain
        }
        assert set(order.with_chain(chain).extensions()) == longer
        assert order.around(chain) == min(longer)


@given(orders())
def test_where_too_much_is_to_be_counted_the_bound_is_no_more_than_there_are(
    given_order: tuple[tuple[int, ...], list[tuple[int, int]]],
) -> None:
    order = Poset.of_pairs(*given_order)
    bound = count_extensions(order, most_ideals=0)
    assert bound.value <= count_extensions(order).value


def test_free_elements_are_counted_without_listing_them() -> None:
    free = Poset.of_pairs(range(2, 42), [(2, 3)])
    assert count_extensions(free) == Count(math.factorial(40) // 2)


def test_a_circle_is_no_order() -> None:
    with pytest.raises(ValueError, match="circle"):
        Poset.of_pairs([2, 3], [(2, 3), (3, 2)])


@pytest.mark.parametrize("pairs", [[(2, 4), (3, 4)], [(2, 3), (4, 5)], []])
def test_each_extension_is_drawn_as_often_as_any_other(pairs: list[tuple[int, int]]) -> None:
    order = Poset.of_pairs([2, 3, 4, 5], pairs)
    sampler, random = Sampler(order), Random(7)  # noqa: S311 - chance, no secret
    assert sampler.uniform
    drawn = Counter(sampler.draw(random) for _ in range(6000))
    every = list(order.extensions())
    assert set(drawn) == set(every)
    assert max(drawn.values()) < 1.35 * 6000 / len(every)
    assert min(drawn.values()) > 0.65 * 6000 / len(every)


def test_what_is_too_wide_is_drawn_legally_all_the_same() -> None:
    order = Poset.of_pairs(range(2, 9), [(2, 8), (3, 8), (4, 7)])
    sampler, random = Sampler(order, most_ideals=1), Random(7)  # noqa: S311 - chance, no secret
    assert not sampler.uniform
    assert {sampler.draw(random) for _ in range(50)} <= set(order.extensions())
