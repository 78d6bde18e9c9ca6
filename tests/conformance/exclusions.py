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


def _first_workdir_on_nothing(target: Target, state: State, step: Step, predicted: str) -> bool:
    if target.builder != "buildkit" or (predicted, step.outcome) != ("hit", "miss"):
        return False
    if step.instruction != "WORKDIR" or step.step != 2:
        return False
    return state.stages[step.stage_index].lines[0].text.split()[1] == "scratch"


EXCLUSIONS = (
    Exclusion(
        "WORKDIR without input",
        "A vertex without inputs starts and completes once when its key is computed, without "
        "being cached, whether it is run or not. If nothing needs its result, that is all that "
        "is reported: a hit looks like a run. FROM scratch followed by WORKDIR makes one; it is "
        "excluded where a hit was predicted and a run was seen.",
        "moby/buildkit solver/jobs.go (CacheMap and Exec each start the vertex), "
        "solver/progress.go; seen on 20.10.24 and 28.5.2",
        _first_workdir_on_nothing,
    ),
)


def exclusion_of(target: Target, state: State, step: Step, predicted: str) -> str | None:
    """Return the name of the rule that excludes a step, if any."""
    for rule in EXCLUSIONS:
        if rule.applies(target, state, step, predicted):
            return rule.name
    return None
