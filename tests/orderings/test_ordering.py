"""Orderings as data, and the text that they mean."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.dockerfile import parse
from bench.orderings.ordering import Ordering, arrange, arranged

TEXT = """\
# syntax=docker/dockerfile:1
FROM a AS one
# why it is copied
COPY a /a

RUN first \\
  # inside
  && second
ENV q=1
# the end of the stage
FROM b
RUN <<EOF
CMD is text here
EOF
CMD x
# the end"""


def test_the_written_ordering_is_the_very_text() -> None:
    dockerfile = parse(TEXT)
    assert arrange(dockerfile, Ordering.written(dockerfile)) == TEXT


def test_instructions_take_their_comments_along_and_all_else_stays() -> None:
    moved = arrange(parse(TEXT), Ordering(((1, 4, 3, 2), (1, 3, 2))))
    assert (
        moved
        == """\
# syntax=docker/dockerfile:1
FROM a AS one
ENV q=1

RUN first \\
  # inside
  && second
# why it is copied
COPY a /a
# the end of the stage
FROM b
CMD x
RUN <<EOF
CMD is text here
EOF
# the end"""
    )


def test_a_last_line_without_an_end_gets_one_where_it_is_last_no_more() -> None:
    moved = arrange(parse("FROM a\nCMD x\nLABEL a=1"), Ordering(((1, 3, 2),)))
    assert moved == "FROM a\nLABEL a=1\nCMD x"


@given(st.permutations(range(2, 5)), st.permutations(range(2, 4)))
def test_every_ordering_holds_each_instruction_once_in_its_order(
    one: list[int], two: list[int]
) -> None:
    dockerfile = parse(TEXT)
    ordering = Ordering(((1, *one), (1, *two)))
    found = arranged(dockerfile, ordering)
    for stage, steps, moved in zip(dockerfile.stages, ordering.stages, found.stages, strict=True):
        wanted = [stage.instructions[step - 1].text for step in steps]
        assert [instruction.text for instruction in moved.instructions] == wanted


@given(st.permutations(range(2, 6)))
def test_inversions_are_the_pairs_that_are_turned_round(steps: list[int]) -> None:
    found = set(Ordering(((1, *steps),)).inversions())
    places = {step: place for place, step in enumerate(steps)}
    expected = {(0, a, b) for a in places for b in places if a < b and places[a] > places[b]}
    assert found == expected


@pytest.mark.parametrize("steps", [(2, 1), (1, 2, 2), (1, 3), ()])
def test_what_is_no_ordering_is_refused(steps: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="stage 0"):
        Ordering((steps,))
