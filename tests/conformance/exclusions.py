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
    from tests.conformance.case import State
    from tests.conformance.targets import Target


@dataclass(frozen=True)
class Exclusion:
    """A named rule. ``applies`` sees one step of one build and what was predicted of it.

    ``why`` and ``source`` are for the summary.
    """

    name: str
    why: str
    source: str
    applies: Callable[[Target, State, Step, str], bool]


EXCLUSIONS: tuple[Exclusion, ...] = ()
"""None is needed today: what looked like a contradiction (WORKDIR onto scratch, which is reported
alike whether it was run or not) can be told by what stands on it; see `bench.builders.buildkit`."""


def exclusion_of(target: Target, state: State, step: Step, predicted: str) -> str | None:
    """Return the name of the rule that excludes a step, if any."""
    for rule in EXCLUSIONS:
        if rule.applies(target, state, step, predicted):
            return rule.name
    return None
