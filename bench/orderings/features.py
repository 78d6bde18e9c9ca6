"""What of an ordering changes the own parts of keys, beside what a step stands on.

In nearly all Dockerfiles nothing does, and the own parts are read once for all orderings.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.cache_model import StepPlace
from bench.cache_model.profiles import Family
from bench.dockerfile import copy_sources
from bench.orderings.own_parts import NOTHING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.cache_model import Profile
    from bench.dockerfile import Dockerfile
    from bench.orderings.ordering import Ordering
    from bench.orderings.own_parts import StageParts

_MOUNT_FROM = "from="


@dataclass(frozen=True)
class Features:
    """What decides on own parts, for each stage.

    ``tails``: its files are copied by others: it counts which steps come after its last RUN.
    ``environments``: an equal RUN may stand elsewhere: the order of ENV and ARG counts.
    ``mounting``: RUNs that mount from a stage: it counts which of them is the first vertex.
    """

    tails: dict[int, frozenset[int]]
    runs: dict[int, frozenset[int]]
    environments: dict[int, frozenset[int]]
    mounting: dict[int, frozenset[int]]
    looked_up: dict[int, frozenset[int]]

    @classmethod
    def of(
        cls,
        dockerfile: Dockerfile,
        states: Sequence[tuple[StageParts, ...]],
        profile: Profile,
    ) -> Features:
        """Find them out from the states in the ordering as written."""
        stages = [stage for state in states for stage in state]
        parents = {one.index: one.parent for one in stages}
        looked_up = {
            index: frozenset(step for one in stages if one.index == index for step in one.steps)
            for index in sorted(parents)
        }
        sources = _source_stages(dockerfile, parents)
        tails, runs, mounting = {}, {}, {}
        for index, steps in looked_up.items():
            instructions = dockerfile.stages[index].instructions
            runs[index] = frozenset(
                step for step in steps if instructions[step - 1].keyword == "RUN"
            )
            filing = frozenset(
                step
                for step in steps
                if instructions[step - 1].keyword in {"COPY", "ADD", "WORKDIR"}
            )
            if index in sources:
                tails[index] = filing
            mounting[index] = frozenset(
                step
                for step in runs[index]
                if any(
                    _MOUNT_FROM in mount for mount in instructions[step - 1].flag_values("mount")
                )
            )
        matter: set[int] = set()
        if profile.family is Family.BUILDKIT:
            matter = _with_equal_runs(states, runs)
            for index in sorted(matter, reverse=True):
                while index != NOTHING:
                    matter.add(index)
                    index = parents[index]
        environments = {
            index: frozenset(
                step
                for step, one in enumerate(dockerfile.stages[index].instructions, start=1)
                if one.keyword in {"ENV", "ARG"}
            )
            for index in matter
        }
        return cls(tails, runs, environments, mounting, looked_up)

    @property
    def relevant(self) -> dict[int, frozenset[int]]:
        """The steps of each stage whose order is all that the builder can tell orderings by."""
        return {
            index: steps | self.environments.get(index, frozenset())
            for index, steps in self.looked_up.items()
        }

    def shape(self, ordering: Ordering) -> object:
        """Return what is equal for two orderings in which all own parts are equal."""
        found: list[object] = []
        for index in self.looked_up:
            steps = ordering.stages[index]
            if index in self.tails:
                found.append(_tail(steps, self.runs[index], self.tails[index]))
            if self.mounting[index]:
                first = next(one for one in steps if one in self.looked_up[index])
                found.append(first if first in self.mounting[index] else 0)
            if index in self.environments:
                found.append(tuple(one for one in steps if one in self.environments[index]))
        return tuple(found)


def _tail(
    steps: Sequence[int], runs: frozenset[int], filing: frozenset[int]
) -> tuple[int, frozenset[int]]:
    after: list[int] = []
    for step in reversed(steps):
        if step in runs:
            return step, frozenset(after)
        if step in filing:
            after.append(step)
    return 0, frozenset(after)


def _source_stages(dockerfile: Dockerfile, parents: Mapping[int, int]) -> set[int]:
    """Return the stages whose files others take, and those that such a stage starts from."""
    found: set[int] = set()
    for stage in dockerfile.stages:
        for reference in copy_sources(stage):
            if "$" in reference:
                return set(range(len(dockerfile.stages)))
            source = dockerfile.find_stage(reference, before=stage.index)
            if source is not None:
                found.add(source.index)
    for index in range(len(dockerfile.stages) - 1, -1, -1):
        if index in found and parents.get(index, NOTHING) != NOTHING:
            found.add(parents[index])
    return found


def _with_equal_runs(
    states: Sequence[tuple[StageParts, ...]], runs: dict[int, frozenset[int]]
) -> set[int]:
    """Return the stages with a RUN whose own part, but for the order of ENVs, stands elsewhere."""
    where: dict[int, set[StepPlace]] = {}
    for state in states:
        for stage in state:
            for step, part in stage.steps.items():
                where.setdefault(part.unordered, set()).add(StepPlace(stage.index, step))
    return {
        place.stage_index
        for places in where.values()
        if len(places) > 1
        for place in places
        if place.step in runs[place.stage_index]
    }
