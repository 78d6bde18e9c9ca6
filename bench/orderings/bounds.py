"""What happens in every legal ordering alike: the ground of a search's lower bound."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bench.cache_model import StepPlace
from bench.cache_model.profiles import Family
from bench.orderings.own_parts import NOTHING
from bench.orderings.search import StageTask

if TYPE_CHECKING:
    from collections.abc import Container, Sequence

    from bench.orderings.classes import Classes
    from bench.orderings.costs import Clock, StepCosts
    from bench.orderings.own_parts import OwnPart, StageParts
    from bench.orderings.posets import Poset


@dataclass(frozen=True)
class Certainties:
    """Which steps of each stage surely miss after which changes.

    ``guides`` hold every stage with all its seconds; ``tasks`` leave out those of steps that an
    equal step elsewhere may be done for, so that what they cost is no more than what is certain.
    """

    guides: dict[int, StageTask]
    tasks: dict[int, StageTask]
    parents: dict[int, int]
    is_buildkit: bool
    weights: tuple[float, ...]

    def bound(self, stage_bounds: dict[int, float], clock: Clock, costs: StepCosts) -> float:
        """Return expected seconds that no legal ordering can go below.

        ``stage_bounds`` are the weighted seconds that each stage takes at least.
        """
        if self.is_buildkit:
            ends: dict[int, float] = {}
            for index, task in self.tasks.items():
                begins = ends.get(self.parents[index], 0.0) + stage_bounds[index]
                sure = [
                    self._weight(surely_struck(task, place)) * task.seconds.get(step, 0.0)
                    for place, step in enumerate(task.order.elements)
                ]
                ends[index] = self._end(index, begins, sure, ends, clock)
            total = max([*ends.values(), self._paths(clock)], default=0.0)
        else:
            total = sum(stage_bounds.values())
        return costs.floor + costs.extra * self._extra() + total

    def _extra(self) -> float:
        """Return the weight of the changes after which something surely misses."""
        everything = 0
        for task in self.tasks.values():
            everything |= task.begins
            for mask in task.struck.values():
                everything |= mask
        return self._weight(everything)

    def _paths(self, clock: Clock) -> float:
        """Return the weighted seconds of paths that lead through stages in every ordering."""
        return sum(
            weight * max(self._ends(1 << number, clock).values(), default=0.0)
            for number, weight in enumerate(self.weights)
        )

    def _ends(self, change: int, clock: Clock) -> dict[int, float]:
        ends: dict[int, float] = {}
        for index, task in self.tasks.items():
            sure = [
                task.seconds.get(step, 0.0) if surely_struck(task, place) & change else 0.0
                for place, step in enumerate(task.order.elements)
            ]
            begins = ends.get(self.parents[index], 0.0) + sum(sure)
            ends[index] = self._end(index, begins, sure, ends, clock)
        return ends

    def _end(
        self,
        index: int,
        begins: float,
        sure: Sequence[float],
        ends: dict[int, float],
        clock: Clock,
    ) -> float:
        """Return when a stage ends at least: by itself, or after one that it copies from.

        ``begins`` is when it ends by itself; ``sure`` are the seconds that its steps surely take,
        of which those behind a copy come after what is copied.
        """
        order = self.tasks[index].order
        found = [begins]
        for place, step in enumerate(order.elements):
            behind = sum(took for one, took in enumerate(sure) if order.after[place] >> one & 1)
            found += [
                ends.get(source, 0.0) + sure[place] + behind
                for source in clock.taken_from(StepPlace(index, step))
            ]
        return max(found)

    def _weight(self, changes: int) -> float:
        return sum(one for number, one in enumerate(self.weights) if changes >> number & 1)


def surely_struck(task: StageTask, place: int) -> int:
    """Return the changes after which a step misses in every ordering."""
    struck = task.begins | task.struck.get(task.order.elements[place], 0)
    for other, step in enumerate(task.order.elements):
        if task.order.before[place] >> other & 1:
            struck |= task.struck.get(step, 0)
    return struck


class Deducer:
    """Finds out what is certain, stage by stage."""

    def __init__(
        self,
        states: Sequence[tuple[StageParts, ...]],
        hits: Sequence[Container[StepPlace]],
        weights: tuple[float, ...],
    ) -> None:
        """Take the own parts of all states (the first is built before the changes)."""
        self._first = {one.index: one for one in states[0]}
        self._later = [{one.index: one for one in stages} for stages in states[1:]]
        self._hits = hits
        self._weights = weights
        self._places = [_places_of(stages) for stages in states]
        self._sure: dict[StepPlace, int] = {}
        self._ends: dict[int, int] = {}

    def deduce(self, classes: Classes, costs: StepCosts, family: Family) -> Certainties:
        """Return what is certain of every stage that is built."""
        guides: dict[int, StageTask] = {}
        tasks: dict[int, StageTask] = {}
        parents = {index: stage.parent for index, stage in self._first.items()}
        for index, stage in self._first.items():
            order = classes.stages[index].induced
            guide = self._task(stage, order, costs)
            for place, step in enumerate(order.elements):
                self._sure[StepPlace(index, step)] = surely_struck(guide, place)
            self._ends[index] = guide.begins
            for mask in guide.struck.values():
                self._ends[index] |= mask
            guides[index] = guide
            tasks[index] = replace(guide, seconds=self._alone(stage, guide))
        return Certainties(guides, tasks, parents, family is Family.BUILDKIT, self._weights)

    def _task(self, stage: StageParts, order: Poset, costs: StepCosts) -> StageTask:
        begins = self._ends.get(stage.parent, 0)
        struck: dict[int, int] = {}
        for number, later in enumerate(self._later):
            other = later.get(stage.index)
            if other is None:
                continue
            if other.base != stage.base or other.triggers != stage.triggers:
                begins |= 1 << number
            for step, part in stage.steps.items():
                changed = other.steps.get(step)
                if changed is not None and self._is_struck(
                    number, StepPlace(stage.index, step), part, changed
                ):
                    struck[step] = struck.get(step, 0) | 1 << number
        seconds = {
            step: costs.seconds.get(StepPlace(stage.index, step), 0.0) for step in stage.steps
        }
        return StageTask(order, seconds, struck, begins, self._weights)

    def _is_struck(self, number: int, place: StepPlace, part: OwnPart, changed: OwnPart) -> bool:
        """Tell whether a step surely misses after a change, wherever it stands."""
        if len(self._places[number + 1][changed.own] | self._places[0][changed.own]) > 1:
            return False  # an equal step elsewhere may have been built
        if part.own != changed.own:
            return True
        for old, new in zip(part.artefacts, changed.artefacts, strict=False):
            if new.symbol == NOTHING and old.known != new.known:
                return True
            if place in self._hits[number]:
                continue
            if any(self._sure.get(run, 0) >> number & 1 for run in new.runs):
                return True
        return False

    def _alone(self, stage: StageParts, guide: StageTask) -> dict[int, float]:
        """Return the seconds of the steps that are surely done for themselves."""
        unchained = any(not part.chained for part in stage.steps.values())
        if unchained and (stage.base != NOTHING or stage.parent != NOTHING):
            return {}  # what a step stands on does not decide here
        return {
            step: guide.seconds.get(step, 0.0)
            for step, part in stage.steps.items()
            if all(len(places[part.own]) <= 1 for places in self._places)
        }


def _places_of(stages: Sequence[StageParts]) -> defaultdict[int, set[StepPlace]]:
    found: defaultdict[int, set[StepPlace]] = defaultdict(set)
    for stage in stages:
        for number, part in enumerate(stage.triggers):
            found[part.own].add(StepPlace(stage.index, -number))
        for step, part in stage.steps.items():
            found[part.own].add(StepPlace(stage.index, step))
            if part.linked != NOTHING:
                found[part.linked].add(StepPlace(stage.index, -1000 - step))
    return found
