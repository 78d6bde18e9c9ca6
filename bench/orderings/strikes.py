"""What steps do after all changes at once: one bit for each change.

A change does one of three things to a step: nothing, a miss, or a question of artefacts. In a mask
over the changes each is a bit, and an ordering is settled by a few operations for each step. Two
steps of a build may be equal, as long as they are equal before and after every change alike; where
they are not, `bench.orderings.outcomes` settles one build after the other.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from bench.cache_model import StepPlace
from bench.orderings.own_parts import NOTHING, Numbers

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.orderings.ordering import Ordering
    from bench.orderings.own_parts import Artefact, OwnPart, StageParts


class Strike(NamedTuple):
    """The changes (a mask) after which a step misses, and those after which an artefact decides.

    ``twin`` is the equal step that is done before it, if any; ``merged`` says that the builder
    makes one of both.
    """

    place: StepPlace
    missed: int
    open: int
    twin: StepPlace | None = None
    merged: bool = False


@dataclass(frozen=True)
class _Artefact:
    """Masks of the changes after which what is known of it differs, or what its symbol is made of.

    ``number`` is equal for artefacts that are alike in all states, but for the keys of ``runs``.
    """

    known: int
    symbol: int
    runs: tuple[StepPlace, ...]
    number: int


@dataclass(frozen=True)
class _Step:
    """``own`` masks the changes that strike a step's own part for certain.

    ``number`` is equal for steps whose own parts are equal in all states.
    """

    place: StepPlace
    own: int
    number: int
    chained: bool
    artefacts: tuple[_Artefact, ...]
    sources: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class _Stage:
    """``base`` is equal for stages whose images are equal in all states."""

    index: int
    parent: int
    base: int
    begins: int
    triggers: tuple[_Step, ...]
    steps: Mapping[int, _Step]


@dataclass(frozen=True)
class _Done:
    """A key of this ordering: its number, and what came of it where it stood first."""

    number: int
    artefacts: tuple[tuple[int, tuple[int, ...]], ...]
    place: StepPlace
    missed: int
    open: int
    identities: set[int]


class _NotAlikeError(Exception):
    """The states differ in more than the contents of their keys."""


@dataclass(frozen=True)
class Strikes:
    """The own parts of all states, as masks over the changes."""

    stages: tuple[_Stage, ...]
    has_twins: bool
    is_buildkit: bool

    @classmethod
    def of(
        cls, states: Sequence[tuple[StageParts, ...]], *, has_twins: bool, is_buildkit: bool
    ) -> Strikes | None:
        """Read the states; None where masks cannot say it."""
        try:
            return cls(_Alike(states).stages(), has_twins, is_buildkit)
        except _NotAlikeError:
            return None

    def settle(self, ordering: Ordering, hits: Mapping[StepPlace, int]) -> list[Strike] | None:
        """Return what every step does in a legal ordering; None where masks cannot say it.

        Args:
            ordering: the ordering; of its steps only those that are looked up count.
            hits: the changes after which a step is known to hit where only an artefact decides.

        """
        found: list[Strike] = []
        ends: dict[int, tuple[int, int, int, int]] = {}
        differs: dict[StepPlace, int] = {}
        twins = _Twins(self.is_buildkit)
        for stage in self.stages:
            if stage.parent != NOTHING:
                other, missed, key, identity = ends[stage.parent]
            else:
                other = missed = stage.begins
                key = identity = stage.base
            steps = stage.steps
            chosen = [steps[one] for one in ordering.stages[stage.index] if one in steps]
            for step in (*stage.triggers, *chosen):
                # ``other``: the key is not that of before; ``missed``: it surely is not.
                above, above_missed = (other, missed) if step.chained else (0, 0)
                other, missed = step.own | above, step.own | above_missed
                for one in step.artefacts:
                    symbol = one.symbol
                    for run in one.runs:
                        symbol |= differs[run]
                    other |= one.known | symbol
                    missed |= one.known & ~symbol
                undecided = other & ~missed
                if undecided and hits:
                    # What the step stands on may be open too: then seeing it hit tells nothing.
                    seen = undecided & hits.get(step.place, 0) & ~above
                    other &= ~seen
                    undecided &= ~seen
                strike = Strike(step.place, missed, undecided)
                if self.has_twins:
                    identity = twins.identity(identity, step)
                    try:
                        key, strike = twins.take(step, key, identity, strike)
                    except _NotAlikeError:
                        return None
                    if strike.twin is not None:
                        other = differs[strike.twin]
                differs[step.place] = other
                found.append(strike)
            ends[stage.index] = other, missed, key, identity
            twins.ends[stage.index] = identity
        return found


class _Twins:
    """Finds the equal steps of one ordering."""

    def __init__(self, is_buildkit: bool) -> None:
        self.ends: dict[int, int] = {}
        self._is_buildkit = is_buildkit
        self._done: dict[tuple[int, int], _Done] = {}
        self._keys: dict[StepPlace, int] = {}
        self._identities: dict[object, int] = {}

    def identity(self, above: int, step: _Step) -> int:
        """Return the number that two steps share which BuildKit makes one vertex of."""
        if not self._is_buildkit:
            return 0
        sources = tuple(
            (text, self.ends[stage] if stage != NOTHING else NOTHING)
            for stage, text in step.sources
        )
        return self._identities.setdefault((above, step.number, sources), len(self._identities))

    def take(self, step: _Step, above: int, identity: int, strike: Strike) -> tuple[int, Strike]:
        """Return the number of a step's key, and what comes of it if it has an equal one.

        Raises:
            _NotAlikeError: its key may be equal to another one in some of the states.

        """
        key = (step.number, above if step.chained else NOTHING)
        artefacts = tuple(
            (one.number, tuple(self._keys[run] for run in one.runs)) for one in step.artefacts
        )
        done = self._done.get(key)
        if done is None:
            number = len(self._done)
            self._done[key] = _Done(
                number, artefacts, step.place, strike.missed, strike.open, {identity}
            )
            self._keys[step.place] = number
            return number, strike
        if done.artefacts != artefacts:
            raise _NotAlikeError
        self._keys[step.place] = done.number
        merged = self._is_buildkit and identity in done.identities
        undecided = done.open if self._is_buildkit and not merged else 0
        done.identities.add(identity)
        return done.number, Strike(step.place, 0, undecided, done.place, merged)


class _Alike:
    """Reads states that differ in contents alone, place by place."""

    def __init__(self, states: Sequence[tuple[StageParts, ...]]) -> None:
        self._first, *self._later = states
        self._numbers = Numbers()
        self._owns: dict[int, int] = {}

    def stages(self) -> tuple[_Stage, ...]:
        """Return the masks of every stage.

        Raises:
            _NotAlikeError: a stage is there in some states only; or a step is equal to another one
                in some states only.

        """
        if any(len(other) != len(self._first) for other in self._later):
            raise _NotAlikeError
        found = tuple(
            self._stage(stage, [_same_stage(stage, other) for other in self._later])
            for stage in self._first
        )
        for stages in (self._first, *self._later):
            for stage in stages:
                for part in (*stage.triggers, *stage.steps.values()):
                    if part.linked in self._owns:
                        raise _NotAlikeError
        return found

    def _stage(self, stage: StageParts, later: Sequence[StageParts]) -> _Stage:
        begins = sum(1 << number for number, one in enumerate(later) if one.base != stage.base)
        bases = (stage.base, *(one.base for one in later))
        triggers = tuple(
            self._step(
                StepPlace(stage.index, -number), part, [one.triggers[number] for one in later]
            )
            for number, part in enumerate(stage.triggers)
        )
        steps = {
            step: self._step(StepPlace(stage.index, step), part, [one.steps[step] for one in later])
            for step, part in stage.steps.items()
        }
        # Keys of steps count from 0 up, those of images from -2 down.
        base = NOTHING if stage.base == NOTHING else -2 - self._numbers.of(bases)
        return _Stage(stage.index, stage.parent, base, begins, triggers, steps)

    def _step(self, place: StepPlace, part: OwnPart, later: Sequence[OwnPart]) -> _Step:
        own = 0
        for number, other in enumerate(later):
            if other.chained != part.chained or other.sources != part.sources:
                raise _NotAlikeError
            if other.own != part.own or len(other.artefacts) != len(part.artefacts):
                own |= 1 << number
        owns = (part.own, *(other.own for other in later))
        number = self._numbers.of(owns)
        if any(self._owns.setdefault(one, number) != number for one in owns):
            raise _NotAlikeError
        artefacts = tuple(
            self._artefact(one, [other.artefacts[index : index + 1] for other in later])
            for index, one in enumerate(part.artefacts)
        )
        return _Step(place, own, number, part.chained, artefacts, part.sources)

    def _artefact(self, one: Artefact, later: Sequence[tuple[Artefact, ...]]) -> _Artefact:
        known = symbol = 0
        for number, others in enumerate(later):
            for other in others:
                if other.symbol == one.symbol and other.runs != one.runs:
                    raise _NotAlikeError
                known |= (other.known != one.known) << number
                symbol |= (other.symbol != one.symbol) << number
        alike = tuple((each.known, each.symbol) for others in ((one,), *later) for each in others)
        return _Artefact(known, symbol, one.runs, self._numbers.of(alike))


def _same_stage(stage: StageParts, others: Sequence[StageParts]) -> StageParts:
    for other in others:
        if other.index == stage.index:
            if other.parent != stage.parent or other.steps.keys() != stage.steps.keys():
                break
            if len(other.triggers) != len(stage.triggers):
                break
            return other
    raise _NotAlikeError


def count_struck(strikes: Sequence[Strike], changes: int) -> list[tuple[int, int, int]]:
    """Return for each change the hits, the steps that are scored, and those that are open."""
    own = [one for one in strikes if one.place.step > 0 and not one.merged]
    masks = Counter((one.missed, one.open) for one in own)
    found = []
    for number in range(changes):
        missed = sum(times for (mask, _), times in masks.items() if mask >> number & 1)
        undecided = sum(times for (_, mask), times in masks.items() if mask >> number & 1)
        found.append((len(own) - missed - undecided, len(own), undecided))
    return found
