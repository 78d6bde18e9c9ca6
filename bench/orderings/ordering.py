"""An ordering of a Dockerfile's instructions, and the text that it means.

Only instructions of one stage change places among themselves; FROM stays first. Nothing here
asks whether an ordering is legal: see `bench.orderings.legality`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.dockerfile import parse
from bench.dockerfile.rewriting import split_lines

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bench.dockerfile import Dockerfile, Stage


@dataclass(frozen=True, order=True)
class Ordering:
    """One ordering of a whole Dockerfile.

    ``stages[i]`` holds the instructions of stage ``i`` in their new order, each by its number in
    the Dockerfile as written: from 1, which is FROM and stays first.
    """

    stages: tuple[tuple[int, ...], ...]

    def __post_init__(self) -> None:
        """Refuse what is no ordering.

        Raises:
            ValueError: a stage does not begin with its FROM, or lacks or repeats an instruction.

        """
        for index, steps in enumerate(self.stages):
            if steps[:1] != (1,) or sorted(steps) != list(range(1, len(steps) + 1)):
                raise ValueError(f"{steps} is no order of the instructions of stage {index}")

    @classmethod
    def written(cls, dockerfile: Dockerfile) -> Ordering:
        """Return the ordering in which the Dockerfile is written."""
        return cls(
            tuple(tuple(range(1, len(one.instructions) + 1)) for one in dockerfile.stages),
        )

    @property
    def is_written(self) -> bool:
        """Whether nothing has moved."""
        return all(list(steps) == sorted(steps) for steps in self.stages)

    def with_stage(self, index: int, steps: Sequence[int]) -> Ordering:
        """Return the ordering in which one stage is ordered otherwise."""
        return Ordering((*self.stages[:index], tuple(steps), *self.stages[index + 1 :]))

    def inversions(self) -> Iterator[tuple[int, int, int]]:
        """Yield ``(stage, a, b)`` for every two instructions whose order is turned round.

        ``a`` stands before ``b`` in the Dockerfile as written, and after it here.
        """
        for index, steps in enumerate(self.stages):
            for place, later in enumerate(steps):
                for earlier in steps[place + 1 :]:
                    if earlier < later:
                        yield index, earlier, later


def arrange(dockerfile: Dockerfile, ordering: Ordering) -> str:
    """Return the text of ``dockerfile`` with its instructions in this order.

    An instruction takes along the comments and empty lines that stand between it and the one
    before it, and all of its continued lines and here-documents; every other byte stays.
    """
    lines = split_lines(dockerfile.text)
    out: list[str] = []
    taken = 0
    for stage, steps in zip(dockerfile.stages, ordering.stages, strict=True):
        blocks = _blocks(lines, stage)
        out += lines[taken : stage.instructions[0].end_line]
        for step in steps[1:]:
            out += blocks[step]
        taken = stage.instructions[-1].end_line
    # The last line of a file may lack its end; it needs one where it is the last no more.
    text = "".join(line if line.endswith("\n") else line + "\n" for line in [*out, *lines[taken:]])
    unended = bool(lines) and not lines[-1].endswith("\n")
    return text.removesuffix("\n") if unended else text


def arranged(dockerfile: Dockerfile, ordering: Ordering) -> Dockerfile:
    """Return the Dockerfile with its instructions in this order; see `arrange`."""
    return parse(arrange(dockerfile, ordering), dockerfile.path)


def _blocks(lines: Sequence[str], stage: Stage) -> dict[int, list[str]]:
    """Return the lines of every instruction after FROM, with what stands above it."""
    blocks: dict[int, list[str]] = {}
    previous = stage.instructions[0].end_line
    for step, instruction in enumerate(stage.instructions[1:], start=2):
        blocks[step] = list(lines[previous : instruction.end_line])
        previous = instruction.end_line
    return blocks
