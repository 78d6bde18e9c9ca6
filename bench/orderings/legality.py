"""Which orderings of a Dockerfile keep its image the same: a partial order for every stage.

Two instructions that do not commute keep their order; every ordering that respects all of these
pairs makes the image of the Dockerfile as written. "The same image" is: an equal config, the
variables as a set, and an equal file system after all layers (type, mode, owner, content, links),
but for modification times, layers and history.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING

import networkx as nx

from bench.orderings.commuting import (
    ConflictKind,
    ObligationKind,
    Premise,
    Surroundings,
    compare,
    named,
)
from bench.orderings.reading import read_effects

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.cache_model import BuildInput, Profile, StepPlace
    from bench.dockerfile import Dockerfile
    from bench.orderings.access import Access
    from bench.orderings.effects import Effects
    from bench.orderings.ordering import Ordering
    from bench.orderings.reading import StageEffects
    from bench.orderings.regions import Region

__all__ = [
    "Conflict",
    "ConflictKind",
    "Obligation",
    "ObligationKind",
    "PartialOrder",
    "StageOrder",
    "partial_order",
]


@dataclass(frozen=True)
class Conflict:
    """Two instructions of a stage that keep their order. ``why`` is part of a sentence."""

    stage_index: int
    earlier: int
    later: int
    why: str
    kind: ConflictKind = ConflictKind.UNKNOWN
    builders: tuple[str, ...] = ()
    """The profiles by whose rules it is so."""


@dataclass(frozen=True)
class Obligation:
    """What has to be true for two instructions of a stage to change places."""

    stage_index: int
    earlier: int
    later: int
    kind: ObligationKind
    text: str


@dataclass(frozen=True)
class StageOrder:
    """The partial order of one stage.

    ``graph`` has the numbers of the instructions from 2 on, and an edge for every pair that keeps
    its order. ``premises`` are what the other pairs rely on, by pair.
    """

    index: int
    count: int
    graph: nx.DiGraph[int]
    conflicts: Mapping[tuple[int, int], Conflict]
    premises: Mapping[tuple[int, int], tuple[Premise, ...]] = field(default_factory=dict)

    def reduced(self) -> nx.DiGraph[int]:
        """Return the graph without the edges that follow from others."""
        return nx.transitive_reduction(self.graph)

    def closure(self) -> nx.DiGraph[int]:
        """Return the graph with every edge that follows from others."""
        return nx.transitive_closure_dag(self.graph)

    @property
    def free(self) -> list[int]:
        """The instructions that may stand anywhere in the stage."""
        return sorted(step for step in self.graph if not self.graph.degree(step))


@dataclass(frozen=True)
class PartialOrder:
    """Which orderings of a Dockerfile are legal."""

    dockerfile: Dockerfile
    stages: tuple[StageOrder, ...]
    takers: tuple[Obligation, ...] = ()
    """What every change of the order relies on, where a step copies the Dockerfile itself."""

    def allows(self, ordering: Ordering) -> bool:
        """Tell whether ``ordering`` keeps the image the same."""
        return all(
            (earlier, later) not in self.stages[stage].conflicts
            for stage, earlier, later in ordering.inversions()
        )

    def conflicts(self, ordering: Ordering) -> list[Conflict]:
        """Return the pairs that ``ordering`` turns round though it may not."""
        found = (
            self.stages[stage].conflicts.get((earlier, later))
            for stage, earlier, later in ordering.inversions()
        )
        return sorted(
            (one for one in found if one is not None),
            key=lambda one: (one.stage_index, one.earlier, one.later),
        )

    def obligations(self, ordering: Ordering) -> list[Obligation]:
        """Return what ``ordering`` relies on, each text of a stage once."""
        found: dict[tuple[int, Premise], Obligation] = {}
        for stage, earlier, later in sorted(ordering.inversions()):
            for premise in self.stages[stage].premises.get((earlier, later), ()):
                found.setdefault(
                    (stage, premise),
                    Obligation(stage, earlier, later, premise.kind, premise.text),
                )
        moved = () if ordering.is_written else self.takers
        return [*found.values(), *moved]

    @cached_property
    def is_total(self) -> bool:
        """Whether nothing can be moved."""
        return all(len(one.conflicts) == _pairs(one.count - 1) for one in self.stages)


def _pairs(count: int) -> int:
    return count * (count - 1) // 2


def partial_order(
    build: BuildInput,
    profiles: Sequence[Profile],
    access: Mapping[StepPlace, Access] | None = None,
) -> PartialOrder:
    """Return the orderings that are legal by the rules of every profile.

    Args:
        build: the Dockerfile, the context and what is known of base images.
        profiles: the builders that have to make the same image.
        access: what is known of the files of RUNs.

    """
    merged: list[dict[tuple[int, int], Conflict]] = [{} for _ in build.dockerfile.stages]
    premises: list[dict[tuple[int, int], dict[Premise, None]]] = [{} for _ in merged]
    takers: dict[StepPlace, Obligation] = {}
    for profile in profiles:
        for index, stage in enumerate(read_effects(build, profile, access or {})):
            _Judge(index, stage, build, profile).judge(merged[index], premises[index])
            takers |= {one.place: _taker(one) for one in stage.effects if one.takes_dockerfile}
    return PartialOrder(
        build.dockerfile,
        tuple(
            StageOrder(
                index,
                len(stage.instructions),
                _graph(len(stage.instructions), merged[index]),
                merged[index],
                {pair: tuple(one) for pair, one in premises[index].items()},
            )
            for index, stage in enumerate(build.dockerfile.stages)
        ),
        tuple(takers[place] for place in sorted(takers)),
    )


def _taker(one: Effects) -> Obligation:
    text = (
        f"{named(one)} takes the Dockerfile itself along, which changes with its order: nothing "
        "depends on its text (a .dockerignore can leave it out)"
    )
    step = one.place.step
    return Obligation(one.place.stage_index, step, step, ObligationKind.DOCKERFILE, text)


def _graph(count: int, conflicts: Mapping[tuple[int, int], Conflict]) -> nx.DiGraph[int]:
    graph: nx.DiGraph[int] = nx.DiGraph()
    graph.add_nodes_from(range(2, count + 1))
    graph.add_edges_from(conflicts)
    return graph


class _Judge:
    """Holds the instructions of one stage against each other by one builder's rules."""

    def __init__(
        self, index: int, stage: StageEffects, build: BuildInput, profile: Profile
    ) -> None:
        self._index = index
        self._stage = stage
        self._profile = profile
        self._has_links = stage.may_hold_links or any(
            entry.type == "symlink" for entry in build.manifest.values()
        )

    def judge(
        self,
        conflicts: dict[tuple[int, int], Conflict],
        premises: dict[tuple[int, int], dict[Premise, None]],
    ) -> None:
        """Add what keeps its order to ``conflicts``, and what other pairs rely on."""
        for second in self._stage.effects:
            for first in self._stage.effects[: second.place.step - 2]:
                pair = (first.place.step, second.place.step)
                finding = compare(first, second, self._around(pair, conflicts))
                if finding.kind is not None:
                    known = conflicts.get(pair)
                    builders = (*(known.builders if known else ()), self._profile.name)
                    conflicts[pair] = (
                        replace(known, builders=builders)
                        if known
                        else Conflict(self._index, *pair, finding.why, finding.kind, builders)
                    )
                else:
                    premises.setdefault(pair, {}).update(dict.fromkeys(finding.premises))

    def _around(
        self, pair: tuple[int, int], conflicts: Mapping[tuple[int, int], Conflict]
    ) -> Surroundings:
        return Surroundings(
            family=self._profile.family,
            has_links=self._has_links,
            is_there=partial(self._is_there, pair, conflicts),
            usual_folders=not self._stage.on_scratch,
            knows_directory=self._stage.starts_in_root,
        )

    def _is_there(
        self,
        pair: tuple[int, int],
        conflicts: Mapping[tuple[int, int], Conflict],
        folder: Region,
    ) -> bool:
        """Tell whether a folder is there before both of a pair, whatever the ordering.

        It is if an instruction that stays before both makes it, and no RUN in between, or one that
        can be moved there, removes it.
        """
        first, second = pair
        for maker in self._stage.effects[: first - 2]:
            step = maker.place.step
            if (step, first) not in conflicts or (step, second) not in conflicts:
                continue
            if maker.files is None or folder not in maker.files.makes:
                continue
            if not any(self._may_remove(one, folder, step, second) for one in self._stage.effects):
                return True
        return False

    def _may_remove(self, one: Effects, folder: Region, after: int, before: int) -> bool:
        if one.barrier:
            return after < one.place.step < before
        if one.keyword != "RUN" or one.files is None:
            return False
        if one.files.access is None:
            return after < one.place.step < before
        # What it writes inside of a folder leaves the folder where it is.
        return any(region.covers(folder) for region in one.files.writes)
