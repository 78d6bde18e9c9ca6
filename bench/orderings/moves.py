"""What moved in an ordering, as a person would say it: the fewest instructions that explain it."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.dockerfile import Dockerfile
    from bench.orderings.ordering import Ordering

_SHOWN_CHARACTERS = 44


@dataclass(frozen=True)
class Move:
    """One or more neighbours that moved together inside a stage.

    ``steps`` are their numbers in the Dockerfile as written, in their new order; ``crossed`` the
    instructions that stayed and that they were moved over; ``up`` whether towards FROM.
    """

    stage_index: int
    steps: tuple[int, ...]
    crossed: tuple[int, ...]
    up: bool

    @property
    def beside(self) -> int:
        """The staying instruction that they now stand right before (up) or right after."""
        return min(self.crossed) if self.up else max(self.crossed)


def moves(ordering: Ordering) -> list[Move]:
    """Return what moved, as few instructions as explain the ordering.

    The longest run of instructions that keep their order stays; all others moved.
    """
    found: list[Move] = []
    for index, steps in enumerate(ordering.stages):
        staying = set(_longest_rising(steps))
        group: list[int] = []
        crossed: tuple[int, ...] = ()
        for place, step in enumerate(steps):
            mine = () if step in staying else _crossed(steps, place, staying)
            if group and mine != crossed:
                found.append(_move(index, group, crossed))
                group = []
            if mine:
                group.append(step)
            crossed = mine
        if group:
            found.append(_move(index, group, crossed))
    return found


def in_words(dockerfile: Dockerfile, move: Move) -> str:
    """Say a move: ``EXPOSE 80 now stands before WORKDIR /app``; the stage where there are several.

    The texts of long instructions are cut.
    """
    stage = dockerfile.stages[move.stage_index]
    texts = [shortened(stage.instructions[step - 1].text) for step in move.steps]
    beside = shortened(stage.instructions[move.beside - 1].text)
    where = f" in stage {stage.label}" if len(dockerfile.stages) > 1 else ""
    stands = "stands" if len(texts) == 1 else "stand"
    subject = texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} and {texts[-1]}"
    return f"{subject} now {stands} {'before' if move.up else 'after'} {beside}{where}"


def shortened(text: str, most: int = _SHOWN_CHARACTERS) -> str:
    """Return an instruction's text, cut where it is long."""
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"


def _move(index: int, group: list[int], crossed: tuple[int, ...]) -> Move:
    return Move(index, tuple(group), crossed, up=group[0] > crossed[0])


def _crossed(steps: Sequence[int], place: int, staying: set[int]) -> tuple[int, ...]:
    """Return the staying instructions on the other side of which ``steps[place]`` stood before.

    All lie on one side: those that stay are in order.
    """
    step = steps[place]
    before = [one for one in steps[:place] if one in staying and one > step]
    after = [one for one in steps[place:] if one in staying and one < step]
    return tuple(before or after)


def _longest_rising(steps: Sequence[int]) -> list[int]:
    """Return the longest rising subsequence; of several the one that ends lowest."""
    tails: list[int] = []
    ends: list[int] = []
    previous: dict[int, int | None] = {}
    for step in steps:
        place = bisect_left(tails, step)
        previous[step] = ends[place - 1] if place else None
        tails[place : place + 1] = [step]
        ends[place : place + 1] = [step]
    chain: list[int] = []
    at: int | None = ends[-1] if ends else None
    while at is not None:
        chain.append(at)
        at = previous[at]
    return chain[::-1]
