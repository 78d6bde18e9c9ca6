"""What a rebuild takes, by what each step takes when it misses and by which steps miss."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from bench.cache_model import Predicted, StepPlace
from bench.cache_model.profiles import Family
from bench.dockerfile import copy_sources, global_variables

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.cache_model import Profile
    from bench.dockerfile import Dockerfile
    from bench.orderings.outcomes import Settled
    from bench.orderings.strikes import Strike

_BUILT = frozenset({Predicted.MISS, Predicted.DEPENDS})
"""An artefact that is not known to come out the same counts as changed."""


@dataclass(frozen=True)
class StepCosts:
    """How long the steps of one Dockerfile take on one builder.

    ``seconds`` is what a step takes when it misses, by its place as written; what is not there
    takes no time. ``floor`` is the wall of a rebuild in which everything hits, ``extra`` what comes
    on top as soon as something misses (a new image is exported). ``hits`` are the steps that were
    seen to hit after a change, though only an artefact decides: ``(change, place)``. ``source``
    says in words where the seconds come from.
    """

    seconds: Mapping[StepPlace, float]
    floor: float
    source: str
    extra: float = 0.0
    hits: frozenset[tuple[str, StepPlace]] = field(default_factory=frozenset)

    def hits_after(self, change: str) -> frozenset[StepPlace]:
        """Return the steps that were seen to hit after one change."""
        return frozenset(place for name, place in self.hits if name == change)


class Clock:
    """Tells how long a rebuild takes from what its steps do."""

    def __init__(
        self,
        dockerfile: Dockerfile,
        build_args: Mapping[str, str],
        profile: Profile,
        costs: StepCosts,
    ) -> None:
        self._costs = costs
        self._seconds = dict(costs.seconds)
        self._one_by_one = profile.family is not Family.BUILDKIT
        variables = global_variables(dockerfile, build_args)
        self._parents: dict[int, int] = {}
        self._taken: dict[StepPlace, tuple[int, ...]] = {}
        for stage in dockerfile.stages:
            parent = dockerfile.parent(stage, variables)
            if parent is not None:
                self._parents[stage.index] = parent.index
            for step, instruction in enumerate(stage.instructions, start=1):
                alone = replace(stage, instructions=(stage.instructions[0], instruction))
                found = [
                    dockerfile.find_stage(one, before=stage.index) for one in copy_sources(alone)
                ]
                taken = tuple(one.index for one in found if one is not None)
                if taken and step > 1:
                    self._taken[StepPlace(stage.index, step)] = taken

    def taken_from(self, place: StepPlace) -> tuple[int, ...]:
        """Return the stages that a step copies or mounts from."""
        return self._taken.get(place, ())

    def seconds(self, settled: Sequence[Settled]) -> float:
        """Return the wall of a rebuild: step by step, or along the longest path."""
        missed = [
            self._seconds.get(one.place, 0.0) if one.outcome in _BUILT else 0.0 for one in settled
        ]
        total = sum(missed)
        if not any(one.outcome in _BUILT for one in settled):
            return self._costs.floor
        if not self._one_by_one:
            total = self._longest([(one.place, one.twin) for one in settled], missed)
        return self._costs.floor + self._costs.extra + total

    def seconds_of(self, strikes: Sequence[Strike], count: int) -> list[float]:
        """Return the wall of the rebuild after each of ``count`` changes."""
        floor, extra = self._costs.floor, self._costs.extra
        built = [(one.missed | one.open, self._seconds.get(one.place, 0.0)) for one in strikes]
        by_mask: dict[int, float] = {}
        for mask, took in built:
            if mask:
                by_mask[mask] = by_mask.get(mask, 0.0) + took
        found = []
        places = [(one.place, one.twin) for one in strikes]
        for number in range(count):
            bit = 1 << number
            if not any(mask & bit for mask in by_mask):
                found.append(floor)
            elif self._one_by_one:
                total = sum(took for mask, took in by_mask.items() if mask & bit)
                found.append(floor + extra + total)
            else:
                missed = [took if mask & bit else 0.0 for mask, took in built]
                found.append(floor + extra + self._longest(places, missed))
        return found

    def _longest(
        self, places: Sequence[tuple[StepPlace, StepPlace | None]], missed: Sequence[float]
    ) -> float:
        """Return the longest path through the vertices: stages are built side by side.

        A step waits for the one before it in its stage, for the ends of the stages that it copies
        from, and for an equal step that is done for both; see `bench.simulation.schedule`.
        """
        ends: dict[int, float] = {}
        at: dict[StepPlace, float] = {}
        for (place, twin), took in zip(places, missed, strict=True):
            index = place.stage_index
            begin = ends.get(index)
            if begin is None:
                begin = ends.get(self._parents.get(index, index), 0.0)
            for source in self._taken.get(place, ()):
                begin = max(begin, ends.get(source, 0.0))
            if twin is not None:
                begin = max(begin, at[twin])
            at[place] = ends[index] = begin + took
        return max(ends.values(), default=0.0)
