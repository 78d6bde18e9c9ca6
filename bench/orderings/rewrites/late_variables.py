"""``late-variables``: split a line that sets several variables, each down to its first use.

On the classic builder every ENV and ARG is a link of the chain: a new value misses all that stands
below it in the stage. A line that sets several can only move as far as the first of them is used;
split, each goes as far as its own use. On BuildKit they are no steps, so nothing is gained there.

No variable is moved past a RUN, whatever its text says: every process that it starts sees the
environment. Past other instructions it is moved only if they do not mention its name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.orderings.rewrites.base import BUILDAH, CLASSIC, Proposal, Rewrite
from bench.orderings.rewrites.edits import Edit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.dockerfile import Instruction, Stage
    from bench.orderings.rewrites.base import Facts, Refusal

NAME = "late-variables"
_BUILDERS_OWN = re.compile(r"\A(?:\w+_PROXY|SOURCE_DATE_EPOCH|DOCKER_\w+|BUILDKIT_\w+)\Z", re.I)
"""Names that builders look at themselves, so that any instruction may depend on them."""
_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class _Piece:
    """One variable: its name, how it is written, and the words in its value."""

    name: str
    written: str
    words: frozenset[str]


def _look(facts: Facts) -> Iterator[Proposal | Refusal]:
    for stage in facts.dockerfile.stages:
        for step, instruction in enumerate(stage.instructions[1:], start=2):
            if instruction.keyword in {"ENV", "ARG"}:
                found = _split(facts, stage, step, instruction)
                if found is not None:
                    yield found


def _split(facts: Facts, stage: Stage, step: int, instruction: Instruction) -> Proposal | None:
    pieces = _pieces(instruction)
    names = [piece.name for piece in pieces]
    if len(pieces) < 2 or len(set(names)) < len(names):
        return None
    # Within one line every value is filled in from what stood before it: no piece may see another.
    if any(set(names) & piece.words for piece in pieces):
        return None
    if any(_BUILDERS_OWN.match(name) or "$" in name for name in names):
        return None
    groups: dict[int, list[_Piece]] = {}
    for piece in pieces:
        groups.setdefault(_first_use(stage, step, piece), []).append(piece)
    if len(groups) < 2:
        return None
    return Proposal(
        rewrite=NAME,
        dockerfile_text=_text(facts, stage, step, instruction, groups),
        dockerignore_text=None,
        reason=f"the variables of `{instruction.text}` are used at different places, and each "
        "new value misses only what stands below its own",
        obligations=(
            "no variable moves past a RUN, or past an instruction that mentions its name",
            "the image has the same variables with the same values; their order in its config "
            "may differ, which no program depends on",
        ),
        builders=(CLASSIC, BUILDAH),
    )


def _pieces(instruction: Instruction) -> list[_Piece]:
    words = instruction.arguments
    if instruction.keyword == "ARG":
        found = [(word.partition("=")[0], word, word.partition("=")[2]) for word in words]
    else:
        pairs = zip(words[::2], words[1::2], strict=False)
        found = [(name, f"{name}={value}", value) for name, value in pairs]
    return [_Piece(name, text, frozenset(_WORD.findall(value))) for name, text, value in found]


def _first_use(stage: Stage, step: int, piece: _Piece) -> int:
    """Return the number of the first instruction that the variable must stand above."""
    for later, instruction in enumerate(stage.instructions[step:], start=step + 1):
        if instruction.keyword in {"RUN", "ONBUILD"}:
            return later
        if piece.name in _WORD.findall(instruction.text):
            return later
        if instruction.keyword in {"ENV", "ARG"} and piece.words & {
            one.name for one in _pieces(instruction)
        }:
            return later
    return len(stage.instructions) + 1


def _text(
    facts: Facts,
    stage: Stage,
    step: int,
    instruction: Instruction,
    groups: dict[int, list[_Piece]],
) -> str:
    edit = Edit(facts.dockerfile)
    indent = edit.indent(instruction)
    edit.remove(instruction)
    for first_use, pieces in sorted(groups.items()):
        line = f"{indent}{instruction.keyword} {' '.join(piece.written for piece in pieces)}"
        if first_use == step + 1:
            edit.insert_before(instruction, [line])
        elif first_use > len(stage.instructions):
            edit.insert_after(stage.instructions[-1], [line])
        else:
            edit.insert_above(stage.instructions[first_use - 1], [line])
    return edit.text()


LATE_VARIABLES = Rewrite(
    name=NAME,
    title="set each variable right above its first use",
    builders=(CLASSIC, BUILDAH),
    look=_look,
)
