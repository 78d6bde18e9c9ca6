"""Steps that are not compared because an engine contradicts itself on them.

Each rule has a name, says why, and names its source. Its steps are counted in every summary.
Nothing is excluded in any other way.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.builders import Step
    from tests.conformance.targets import Target


@dataclass(frozen=True)
class Exclusion:
    """A named rule. ``applies`` sees one step of one build and what was predicted of it.

    ``why`` and ``source`` are for the summary.
    """

    name: str
    why: str
    source: str
    applies: Callable[..., bool]


def _linked_in_another_case(
    target: Target, step: Step, predicted: str, *, copied_before: bool
) -> bool:
    is_link = target.builder == "buildkit" and target.image_store == "containerd"
    return is_link and copied_before and (predicted, step.outcome) == ("miss", "hit")


EXCLUSIONS: tuple[Exclusion, ...] = (
    Exclusion(
        "linked copy of another case",
        "With the containerd image store the copy of a COPY --link stands on nothing, so no salt "
        "keeps it apart: the same files linked in an earlier case on the same engine are found "
        "again, and then the engine sometimes calls the merge cached too, though what it merges "
        "with is new. Left out only where that very copy was made by an earlier case, a miss was "
        "predicted and a hit was seen.",
        "moby/buildkit frontend/dockerfile/dockerfile2llb/convert.go dispatchCopy (llb.Merge); "
        "seen on 28.5.2: the same case agrees on an engine that never made the copy",
        _linked_in_another_case,
    ),
)


def exclusion_of(target: Target, step: Step, predicted: str, *, copied_before: bool) -> str | None:
    """Return the name of the rule that excludes a step, if any.

    ``copied_before`` says that the copy of a linked COPY was made by an earlier case already.
    """
    for rule in EXCLUSIONS:
        if rule.applies(target, step, predicted, copied_before=copied_before):
            return rule.name
    return None
