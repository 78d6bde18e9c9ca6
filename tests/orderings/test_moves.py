"""What moved, in words, and as few instructions as explain it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.dockerfile import parse
from bench.orderings.moves import Move, in_words, moves
from bench.orderings.ordering import Ordering

DOCKERFILE = parse(
    "FROM node\nWORKDIR /app\nCOPY . .\nRUN npm ci\nEXPOSE 80\nENTRYPOINT node x.js\n"
)


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        ((1, 2, 3, 4, 5, 6), []),
        ((1, 5, 2, 3, 4, 6), ["EXPOSE 80 now stands before WORKDIR /app"]),
        (
            (1, 5, 6, 2, 3, 4),
            ["EXPOSE 80 and ENTRYPOINT node x.js now stand before WORKDIR /app"],
        ),
        ((1, 2, 4, 5, 6, 3), ["COPY . . now stands after ENTRYPOINT node x.js"]),
    ],
)
def test_moves_are_said_with_the_instruction_that_they_stand_beside(
    steps: tuple[int, ...], words: list[str]
) -> None:
    found = moves(Ordering((steps,)))
    assert [in_words(DOCKERFILE, one) for one in found] == words


def test_the_stage_is_named_where_there_are_several_and_long_texts_are_cut() -> None:
    dockerfile = parse(f"FROM a AS one\nRUN x\nLABEL a={'b' * 60}\nFROM c\nCMD d\n")
    (found,) = moves(Ordering(((1, 3, 2), (1, 2))))
    text = in_words(dockerfile, found)
    assert text.endswith("… now stands before RUN x in stage one")
    assert len(text) < 90


@given(st.lists(st.permutations(range(2, 9)), min_size=1, max_size=2))
def test_taking_the_moved_out_leaves_the_written_order_and_no_more_than_need_be(
    stages: list[list[int]],
) -> None:
    ordering = Ordering(tuple((1, *steps) for steps in stages))
    found = moves(ordering)
    for index, steps in enumerate(ordering.stages):
        moved = {step for one in found if one.stage_index == index for step in one.steps}
        staying = [step for step in steps if step not in moved]
        assert staying == sorted(staying)
        for one in (one for one in found if one.stage_index == index):
            _check_sides(one, steps)


def _check_sides(move: Move, steps: tuple[int, ...]) -> None:
    """Hold that what was crossed now stands on the other side of every moved instruction."""
    for step in move.steps:
        for other in move.crossed:
            assert (step > other) == move.up
            assert (steps.index(step) < steps.index(other)) == move.up
