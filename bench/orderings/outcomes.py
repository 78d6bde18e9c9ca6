"""What every step does in any legal ordering, found without predicting each ordering from scratch.

The own parts of all keys are read once (`bench.orderings.own_parts`); an ordering then only says
which step stands on which. What is looked up, and where, is as in `bench.cache_model.settling`: a
step hits if its key was stored by the build before the change, or stands in this build already; it
may hit if it differs from such a key in nothing but artefacts.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from bench.cache_model import Predicted, StepPlace
from bench.cache_model.profiles import Family
from bench.orderings.features import Features
from bench.orderings.ordering import Ordering
from bench.orderings.own_parts import NOTHING, NotRankableError, OwnParts
from bench.orderings.strikes import Strikes

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Mapping, Sequence

    from bench.cache_model import Profile
    from bench.dockerfile import Dockerfile
    from bench.orderings.own_parts import Artefact, OwnPart, StageParts
    from bench.orderings.strikes import Strike
    from bench.predicting import BuildState

_HIT, _MISS, _DEPENDS, _MERGED = (
    Predicted.HIT,
    Predicted.MISS,
    Predicted.DEPENDS,
    Predicted.MERGED,
)


class Settled(NamedTuple):
    """One step that was looked up: what came of it, and the equal step done before, if any."""

    place: StepPlace
    outcome: Predicted
    twin: StepPlace | None = None


class Outcomes:
    """Says what every step does, in one first state and after each change to it alone."""

    def __init__(self, base: BuildState, changed: Sequence[BuildState], profile: Profile) -> None:
        """Read the states.

        Raises:
            NotRankableError: a change adds, removes or replaces instructions, so that an ordering
                of the first state is none of the changed one; or the cache model does not
                understand an instruction.

        """
        self.profile = profile
        self.dockerfile = base.dockerfile
        self._base = base
        self._changed = tuple(changed)
        for state in changed:
            _refuse_other_instructions(base.dockerfile, state)
        self._parts = OwnParts(profile)
        written = Ordering.written(base.dockerfile)
        self.written_parts = self._parts.of(base, self._changed, written)
        self.features = Features.of(base.dockerfile, self.written_parts, profile)
        self._plans: dict[object, _Plan] = {
            self.features.shape(written): _Plan.of(self.written_parts, profile)
        }

    def settled(
        self, ordering: Ordering, hits: Sequence[Container[StepPlace]] = ()
    ) -> list[list[Settled]]:
        """Return what the steps do: on an empty cache first, then after each change.

        Args:
            ordering: a legal one.
            hits: for each change the steps that are known to hit where only an artefact decides.

        """
        plan = self._plan(ordering)
        keys = _Keys()
        empty: Container[StepPlace] = ()
        cold = _Build(plan, keys, ordering, plan.states[0], None, empty, self._is_buildkit)
        found = [cold.run()]
        history = cold.stored()
        for number, stages in enumerate(plan.states[1:]):
            known = hits[number] if hits else empty
            build = _Build(plan, keys, ordering, stages, history, known, self._is_buildkit)
            found.append(build.run())
        return found

    def struck(self, ordering: Ordering, hits: Mapping[StepPlace, int]) -> list[Strike] | None:
        """Return the same for all changes at once; None where equal steps stand in the way.

        Args:
            ordering: a legal one.
            hits: for each step a mask of the changes after which it is known to hit.

        """
        strikes = self._plan(ordering).strikes
        return None if strikes is None else strikes.settle(ordering, hits)

    @property
    def _is_buildkit(self) -> bool:
        return self.profile.family is Family.BUILDKIT

    def _plan(self, ordering: Ordering) -> _Plan:
        shape = self.features.shape(ordering)
        plan = self._plans.get(shape)
        if plan is None:
            plan = _Plan.of(self._parts.of(self._base, self._changed, ordering), self.profile)
            self._plans[shape] = plan
        return plan


def has_same_instructions(written: Dockerfile, other: Dockerfile) -> bool:
    """Tell whether an ordering of one Dockerfile is one of the other: keyword by keyword."""
    return _keywords(written) == _keywords(other)


def _keywords(dockerfile: Dockerfile) -> list[list[str]]:
    return [[one.keyword for one in stage.instructions] for stage in dockerfile.stages]


def _refuse_other_instructions(written: Dockerfile, state: BuildState) -> None:
    if not has_same_instructions(written, state.dockerfile):
        raise NotRankableError(
            f"the change {state.change!r} adds, removes or replaces instructions of the "
            "Dockerfile: orderings of the one are none of the other",
            remedy="choose other changes",
        )


@dataclass(frozen=True)
class _Plan:
    """The own parts of all states, in orderings of one shape; the state before the changes first.

    ``has_twins`` says whether equal own parts stand at two places, so that steps may be equal.
    """

    states: tuple[tuple[StageParts, ...], ...]
    has_twins: bool
    strikes: Strikes | None

    @classmethod
    def of(cls, states: Sequence[tuple[StageParts, ...]], profile: Profile) -> _Plan:
        where: dict[int, set[tuple[int, int]]] = {}
        for stages in states:
            for stage in stages:
                parts = [(-number, one) for number, one in enumerate(stage.triggers)]
                for step, part in (*parts, *stage.steps.items()):
                    where.setdefault(part.own, set()).add((stage.index, step))
                    if part.linked != NOTHING:
                        where.setdefault(part.linked, set()).add((stage.index, -1000 - step))
        has_twins = any(len(places) > 1 for places in where.values())
        is_buildkit = profile.family is Family.BUILDKIT
        strikes = Strikes.of(states, has_twins=has_twins, is_buildkit=is_buildkit)
        return cls(tuple(states), has_twins, strikes)


class _Keys:
    """The keys of all builds in one ordering, by number."""

    def __init__(self) -> None:
        self.parents: list[int] = []
        self.loose: list[int] = []
        self.artefacts: list[tuple[tuple[int, int], ...]] = []
        self.is_open: list[bool] = []
        self._known: dict[tuple[int, int, tuple[tuple[int, int], ...]], int] = {}
        self._loose: dict[tuple[int, int, int], int] = {}
        self._symbols: dict[tuple[int, tuple[int, ...]], int] = {}

    def of(self, own: int, parent: int, artefacts: tuple[tuple[int, int], ...]) -> int:
        """Return the number of a key; see `bench.cache_model.keys.Key`."""
        whole = (own, parent, artefacts)
        found = self._known.get(whole)
        if found is not None:
            return found
        self._known[whole] = number = len(self.parents)
        above = self.loose[parent] if parent != NOTHING else NOTHING
        loose = (own, above, len(artefacts))
        self.parents.append(parent)
        self.loose.append(self._loose.setdefault(loose, len(self._loose)))
        self.artefacts.append(artefacts)
        self.is_open.append(bool(artefacts) or (parent != NOTHING and self.is_open[parent]))
        return number

    def symbol(self, symbol: int, runs: tuple[int, ...]) -> int:
        """Return the number of a symbol that stands for what these RUNs made."""
        return self._symbols.setdefault((symbol, runs), len(self._symbols))

    def may_equal(self, one: int, other: int) -> bool:
        """Tell whether two keys may be one; see `bench.cache_model.keys.Key.may_equal`."""
        while one != other:
            if self.loose[one] != self.loose[other]:
                return False
            for mine, theirs in zip(self.artefacts[one], self.artefacts[other], strict=True):
                if mine != theirs and mine[1] == theirs[1]:
                    return False
            one, other = self.parents[one], self.parents[other]
            if NOTHING in {one, other}:
                return True
        return True


@dataclass
class _Stored:
    """What a build left in the cache: keys, and those that an artefact decides by loose key."""

    keys: set[int]
    loose: dict[int, list[int]]


@dataclass
class _Twin:
    """A key of this build: the key it turned out to be, who had it first, and what came of it."""

    effective: int
    place: StepPlace
    outcome: Predicted
    identities: set[int]


@dataclass
class _Build:
    """Settles one build of one state in one ordering."""

    plan: _Plan
    keys: _Keys
    ordering: Ordering
    stages: tuple[StageParts, ...]
    history: _Stored | None
    hits: Container[StepPlace]
    is_buildkit: bool
    _found: list[Settled] = field(default_factory=list)
    _built: dict[int, _Twin] = field(default_factory=dict)
    _loose: dict[int, list[int]] = field(default_factory=dict)
    _ends: dict[int, tuple[int, int]] = field(default_factory=dict)
    _run_keys: dict[StepPlace, int] = field(default_factory=dict)
    _hidden: list[int] = field(default_factory=list)
    _identities: dict[object, int] = field(default_factory=dict)
    _undecided: set[int] = field(default_factory=set)

    def run(self) -> list[Settled]:
        """Settle every step of the stages that are built."""
        for stage in self.stages:
            if stage.parent != NOTHING:
                key, identity = self._ends[stage.parent]
            elif stage.base != NOTHING:
                key = self.keys.of(stage.base, NOTHING, ())
                identity = -2 - stage.base
            else:
                key, identity = NOTHING, NOTHING
            self._ends[stage.index] = self._stage(stage, key, identity)
        return self._found

    def stored(self) -> _Stored:
        """Return what the build leaves in the cache."""
        keys = {twin.effective for twin in self._built.values()}
        return _Stored(keys | set(self._hidden), self._loose)

    def _parts(self, stage: StageParts) -> Iterator[tuple[int, OwnPart]]:
        for number, part in enumerate(stage.triggers):
            yield -number, part
        steps = stage.steps
        for step in self.ordering.stages[stage.index]:
            part = steps.get(step)  # type: ignore[assignment]
            if part is not None:
                yield step, part

    def _stage(self, stage: StageParts, key: int, identity: int) -> tuple[int, int]:
        of = self.keys.of
        index = stage.index
        for step, part in self._parts(stage):
            artefacts = tuple(map(self._artefact, part.artefacts)) if part.artefacts else ()
            if self.plan.has_twins and self.is_buildkit:
                identity = self._identity(identity, part)
            place = StepPlace(index, step)
            wanted = of(part.own, key if part.chained else NOTHING, artefacts)
            key = self._settle(place, wanted, identity, key if part.chained else NOTHING)
            self._run_keys[place] = key
            if part.linked != NOTHING:
                self._hidden.append(of(part.linked, NOTHING, artefacts))
        return key, identity

    def _artefact(self, one: Artefact) -> tuple[int, int]:
        if one.symbol == NOTHING:
            return one.known, NOTHING
        runs = tuple(self._run_keys[place] for place in one.runs)
        return one.known, self.keys.symbol(one.symbol, runs)

    def _identity(self, above: int, part: OwnPart) -> int:
        """Return the number that two steps share which BuildKit makes one vertex of."""
        sources = tuple(
            (text, self._ends[stage][1] if stage != NOTHING else NOTHING)
            for stage, text in part.sources
        )
        return self._identities.setdefault((above, part.own, sources), len(self._identities))

    def _settle(self, place: StepPlace, key: int, identity: int, above: int) -> int:
        """Look a key up; see `bench.cache_model.settling.Settler.settle`.

        That a step was seen to hit tells nothing where the one above it is open too.
        """
        twin = self._built.get(key)
        if twin is not None:
            return self._repeat(place, twin, identity)
        effective, outcome = key, _MISS
        if self.history is not None and key in self.history.keys:
            outcome = _HIT
        elif self.keys.is_open[key]:
            candidates = self._candidates(key)
            if candidates:
                outcome = _DEPENDS
                if place in self.hits and len(candidates) == 1 and above not in self._undecided:
                    effective, outcome = candidates[0], _HIT
                else:
                    self._undecided.add(key)
        self._built[key] = _Twin(effective, place, outcome, {identity})
        if self.keys.is_open[effective]:
            self._loose.setdefault(self.keys.loose[effective], []).append(effective)
        self._found.append(Settled(place, outcome))
        return effective

    def _candidates(self, key: int) -> list[int]:
        loose = self.keys.loose[key]
        own = self._loose.get(loose, [])
        before = self.history.loose.get(loose, []) if self.history is not None else []
        return [one for one in dict.fromkeys((*own, *before)) if self.keys.may_equal(key, one)]

    def _repeat(self, place: StepPlace, twin: _Twin, identity: int) -> int:
        """Settle a step whose key another one of this build has; see `Settler._repeat`."""
        outcome = _HIT
        if self.is_buildkit:
            if identity in twin.identities:
                outcome = _MERGED
            elif twin.outcome is _DEPENDS:
                outcome = _DEPENDS
            twin.identities.add(identity)
        self._found.append(Settled(place, outcome, twin.place))
        return twin.effective


def count(settled: Sequence[Settled]) -> tuple[int, int, int]:
    """Return the hits, the steps that are scored, and those that an artefact decides."""
    found = Counter(one.outcome for one in settled if one.place.step > 0)
    return found[_HIT], found[_HIT] + found[_MISS] + found[_DEPENDS], found[_DEPENDS]
