"""``metadata-last``: what only describes the image goes below what makes its files.

On the classic builder every instruction is a link of the chain, so a new LABEL or EXPOSE misses all
that stands below it. On BuildKit these are no steps and their place does not matter. The moves are
those that `bench.orderings.legality` finds legal; nothing else is relied on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.orderings.legality import partial_order
from bench.orderings.ordering import Ordering, arrange
from bench.orderings.rewrites.base import BUILDAH, CLASSIC, Proposal, Refusal, Rewrite

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bench.dockerfile import Stage
    from bench.orderings.legality import Conflict, StageOrder
    from bench.orderings.rewrites.base import Facts

NAME = "metadata-last"
_DESCRIBING = frozenset(
    {"ENTRYPOINT", "CMD", "EXPOSE", "LABEL", "STOPSIGNAL", "HEALTHCHECK", "MAINTAINER"}
)
_MAKING = frozenset({"RUN", "COPY", "ADD", "WORKDIR"})


def _look(facts: Facts) -> Iterator[Proposal | Refusal]:
    order = partial_order(facts.build, facts.profiles, facts.access)
    ordering = Ordering.written(facts.dockerfile)
    moved: list[str] = []
    for stage, stage_order in zip(facts.dockerfile.stages, order.stages, strict=True):
        steps = _movable(stage, stage_order)
        if steps:
            staying = [step for step in range(1, stage_order.count + 1) if step not in steps]
            ordering = ordering.with_stage(stage.index, (*staying, *sorted(steps)))
            moved += [stage.instructions[step - 1].text for step in sorted(steps)]
        yield from _refusals(stage, stage_order, steps)
    if not moved:
        return
    relied_on = dict.fromkeys(one.text for one in order.obligations(ordering))
    commands = ", ".join(f"`{text}`" for text in moved)
    yield Proposal(
        rewrite=NAME,
        dockerfile_text=arrange(facts.dockerfile, ordering),
        dockerignore_text=None,
        reason=f"{commands} only describe the image; below what makes its files, a change of "
        "them builds nothing of that again",
        obligations=(
            *relied_on,
            "no instruction that is passed sets or uses the part of the config that it sets",
        ),
        builders=(CLASSIC, BUILDAH),
    )


def _movable(stage: Stage, order: StageOrder) -> set[int]:
    """Return the describing instructions above one that makes files, which may go to the end."""
    steps = _worthwhile(stage)
    while True:
        held = {step for step in steps if _holder(step, steps, order.conflicts) is not None}
        if not held:
            return steps
        steps -= held


def _worthwhile(stage: Stage) -> set[int]:
    making = [
        step
        for step, instruction in enumerate(stage.instructions, start=1)
        if instruction.keyword in _MAKING
    ]
    return {
        step
        for step, instruction in enumerate(stage.instructions, start=1)
        if instruction.keyword in _DESCRIBING and making and step < making[-1]
    }


def _holder(
    step: int, moving: set[int], conflicts: Mapping[tuple[int, int], Conflict]
) -> Conflict | None:
    """Return what keeps a step from going below all that does not move."""
    found = [
        conflict
        for (earlier, later), conflict in conflicts.items()
        if earlier == step and later not in moving
    ]
    return min(found, key=lambda one: one.later) if found else None


def _refusals(stage: Stage, order: StageOrder, moving: set[int]) -> Iterator[Refusal]:
    for step in sorted(_worthwhile(stage) - moving):
        conflict = _holder(step, moving, order.conflicts)
        if conflict is not None:
            line = stage.instructions[step - 1].line
            yield Refusal(NAME, line, f"it stays above step {conflict.later}: {conflict.why}")


METADATA_LAST = Rewrite(
    name=NAME,
    title="what only describes the image goes below what makes its files",
    builders=(CLASSIC, BUILDAH),
    look=_look,
)
