"""What enters the cache key of each step apart from the steps it stands on.

A legal ordering keeps what an instruction reads, so its *own part* of the key (its definition, the
content that it takes from the context) is the same wherever it stands; only what it stands on and
what it takes from other stages differs. The own parts come from the cache model itself: it goes
through the Dockerfile once with a stand-in for every key of a RUN, which shows where in the other
keys that RUN turns up again. All values are small numbers: equal numbers, equal parts.
"""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bench.cache_model import History, StepPlace
from bench.cache_model.buildkit import HIDDEN, BuildKitWalk
from bench.cache_model.classic import ClassicWalk
from bench.cache_model.keys import Key
from bench.cache_model.profiles import Family
from bench.cache_model.reasons import ENVIRONMENT
from bench.cache_model.settling import Settler
from bench.errors import UsageError
from bench.orderings.ordering import arranged

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    from bench.cache_model import Profile, Reason
    from bench.cache_model.keys import Content
    from bench.cache_model.settling import Line
    from bench.cache_model.stage_files import StageFiles
    from bench.cache_model.walk import StageState
    from bench.orderings.ordering import Ordering
    from bench.predicting import BuildState

NOTHING = -1
"""Stands for no key, no symbol, no stage."""


class Numbers:
    """Gives equal values the same number."""

    def __init__(self) -> None:
        self._known: dict[Hashable, int] = {}

    def of(self, value: Hashable) -> int:
        """Return the number of ``value``."""
        return self._known.setdefault(value, len(self._known))


@dataclass(frozen=True)
class Artefact:
    """What a step takes from a stage: ``known`` is certain of it, the rest is a ``symbol``.

    Two symbols are equal if their numbers are, and the keys of the ``runs`` that they come from.
    """

    known: int
    symbol: int = NOTHING
    runs: tuple[StepPlace, ...] = ()


@dataclass(frozen=True)
class OwnPart:
    """The own part of one step's key.

    ``unordered`` is the number of the same with the environment in any order. ``chained`` says
    whether the step stands on the one before it. ``sources`` name what is copied from: the index
    of a stage, or `NOTHING`, and the number of the path. ``linked`` is what a linked COPY stores
    beside its step.
    """

    own: int
    unordered: int
    chained: bool
    artefacts: tuple[Artefact, ...] = ()
    sources: tuple[tuple[int, int], ...] = ()
    linked: int = NOTHING


@dataclass(frozen=True)
class StageParts:
    """One stage: what it begins with, the triggers of its base in order, and its own steps.

    ``parent`` is the stage it starts from, or `NOTHING`: then ``base`` is the number of its image,
    or `NOTHING` on scratch.
    """

    index: int
    parent: int
    base: int
    triggers: tuple[OwnPart, ...]
    steps: Mapping[int, OwnPart]


class NotRankableError(UsageError):
    """There is something that the cache model does not understand, or that cannot be compared."""


@dataclass
class OwnParts:
    """Reads the own parts of states, all numbered alike."""

    profile: Profile
    _numbers: Numbers = field(default_factory=Numbers)

    def of(
        self, base: BuildState, changed: Sequence[BuildState], ordering: Ordering
    ) -> list[tuple[StageParts, ...]]:
        """Return the own parts of every stage that is built, steps numbered as written.

        Those of ``base`` first, then those of every state that is built after it.

        Raises:
            NotRankableError: the cache model does not understand an instruction.

        """
        first = _Reader(_moved(base, ordering), self.profile, ordering, self._numbers)
        later = (
            _Reader(_moved(state, ordering), self.profile, ordering, self._numbers, first)
            for state in changed
        )
        return [first.stages(), *(reader.stages() for reader in later)]


def _moved(state: BuildState, ordering: Ordering) -> BuildState:
    return dataclasses.replace(state, dockerfile=arranged(state.dockerfile, ordering))


@dataclass(frozen=True)
class _Naming:
    """How the stand-ins for RUNs are called.

    By their places, ``other`` by another name; or by the part they play in ``roles``, so that
    equal stages have equal symbols.
    """

    other: StepPlace | None = None
    roles: tuple[StepPlace, ...] | None = None

    def name_of(self, place: StepPlace) -> str:
        """Return the name of the RUN at a place."""
        if self.roles is not None:
            return str(self.roles.index(place)) if place in self.roles else "beside"
        return "other" if place == self.other else str(place)


class _Reader:
    """Goes through one state in one ordering, as often as is needed to see what comes from where.

    Places of steps are those in the Dockerfile as written. ``before`` reads the state that was
    built before: a step that hits stands for the files of that build.
    """

    def __init__(
        self,
        state: BuildState,
        profile: Profile,
        ordering: Ordering,
        numbers: Numbers,
        before: _Reader | None = None,
    ) -> None:
        self._state = state
        self._profile = profile
        self._ordering = ordering
        self._numbers = numbers
        self._before = before
        self._recorded: dict[_Naming, _Recorder] = {}

    def stages(self) -> tuple[StageParts, ...]:
        """Return the own parts of every stage that is built."""
        found = self.record(_Naming())
        if found.problems:
            raise NotRankableError(
                f"{self._state.dockerfile.path}: the cache model of {self._profile.title} does "
                f"not understand {found.problems[0]}",
                remedy="choose another builder with --builder, or another Dockerfile",
            )
        artefacts = self._artefacts(found)
        parts = {place: self._own(place, found, artefacts) for place in found.keys}
        return tuple(
            StageParts(
                index=index,
                parent=found.parents.get(index, NOTHING),
                base=NOTHING if base is None else self._numbers.of(base.exact),
                triggers=tuple(
                    parts[place]
                    for place in found.keys
                    if place.stage_index == index and place.step < 1
                ),
                steps={
                    place.step: part
                    for place, part in parts.items()
                    if place.stage_index == index and place.step > 0
                },
            )
            for index, base in found.bases.items()
        )

    def record(self, naming: _Naming) -> _Recorder:
        """Go through the state with stand-ins of these names."""
        if naming not in self._recorded:
            self._recorded[naming] = self._record(naming)
        return self._recorded[naming]

    def _record(self, naming: _Naming) -> _Recorder:
        before = {} if self._before is None else self._before.record(naming).files
        recorder = _Recorder(self._ordering, naming, before)
        walk = _WALKS[self._profile.family](
            self._state.input_for(self._profile), self._profile, recorder
        )
        walk.run()
        recorder.parents = {
            index: parent.index
            for index in recorder.bases
            if (parent := walk.dockerfile.parent(walk.dockerfile.stages[index], walk.globals))
        }
        return recorder

    def _own(
        self,
        place: StepPlace,
        found: _Recorder,
        artefacts: Mapping[StepPlace, tuple[Artefact, ...]],
    ) -> OwnPart:
        key = found.keys[place]
        context = tuple(one.token for one in key.context)
        own = self._numbers.of((key.keyword, key.definition, context))
        definition = tuple(
            (name, tuple(sorted(value)))
            if name == ENVIRONMENT and isinstance(value, tuple)
            else (name, value)
            for name, value in key.definition
        )
        linked = found.linked.get(place)
        return OwnPart(
            own=own,
            unordered=self._numbers.of((key.keyword, definition, context)),
            chained=key.parent is not None,
            artefacts=artefacts[place],
            sources=tuple(
                (stage, self._numbers.of(text)) for stage, text in found.sources.get(place, ())
            ),
            linked=NOTHING
            if linked is None
            else self._numbers.of((linked.keyword, linked.definition, context)),
        )

    def _artefacts(self, found: _Recorder) -> dict[StepPlace, tuple[Artefact, ...]]:
        """Return the artefacts of every step, with the RUNs that each comes from.

        A RUN counts for one whose symbol is another one where the RUN is called otherwise.
        """
        runs: dict[tuple[StepPlace, int], tuple[StepPlace, ...]] = {
            (place, number): ()
            for place, key in found.keys.items()
            for number, one in enumerate(key.artefacts)
            if one.symbol is not None
        }
        for run in found.last_runs if runs else ():
            other = self.record(_Naming(other=run))
            for (place, number), known in runs.items():
                if _at(found, place, number).symbol != _at(other, place, number).symbol:
                    runs[place, number] = (*known, run)
        symbols = {needed: self.record(_Naming(roles=needed)) for needed in set(runs.values())}
        return {
            place: tuple(
                Artefact(self._numbers.of(one.known))
                if one.symbol is None
                else Artefact(
                    self._numbers.of(one.known),
                    self._numbers.of(_at(symbols[runs[place, number]], place, number).symbol),
                    runs[place, number],
                )
                for number, one in enumerate(key.artefacts)
            )
            for place, key in found.keys.items()
        }


def _at(found: _Recorder, place: StepPlace, number: int) -> Content:
    return found.keys[place].artefacts[number]


class _Recorder(Settler):
    """Takes down every key that is looked up, and goes on with a stand-in for that of a RUN."""

    def __init__(
        self, ordering: Ordering, naming: _Naming, before: Mapping[str, StageFiles]
    ) -> None:
        super().__init__(History())
        self._ordering = ordering
        self._naming = naming
        self._before = before
        self.bases: dict[int, Key | None] = {}
        self.parents: dict[int, int] = {}
        self.linked: dict[StepPlace, Key] = {}
        self.sources: dict[StepPlace, list[tuple[int, str]]] = defaultdict(list)

    @property
    def last_runs(self) -> list[StepPlace]:
        """The last RUN of every stage that has one."""
        found = {
            place.stage_index: place for place, key in self.keys.items() if key.keyword == "RUN"
        }
        return list(found.values())

    def written(self, place: StepPlace) -> StepPlace:
        """Return where a step of the Dockerfile in hand stands in the one as written."""
        if place.step < 1:
            return place
        return StepPlace(
            place.stage_index, self._ordering.stages[place.stage_index][place.step - 1]
        )

    def settle(self, line: Line, key: Key, identity: str | None = None) -> Key:
        """Take a key down; see `Settler.settle`."""
        del identity
        place = self.written(line.place)
        self.keys[place] = key
        if key.keyword == "RUN":
            return Key("RUN", (("stands for", self._naming.name_of(place)),))
        return key

    def base(self, line: Line, key: Key | None) -> None:
        """Take down what a stage begins with."""
        self.bases[line.stage.index] = key

    def add_hidden(self, place: StepPlace, key: Key) -> None:
        """Take down what a linked COPY stores beside its step."""
        self.linked[self.written(StepPlace(place.stage_index, HIDDEN - place.step))] = key

    def stored(self, key: Key, made: StageFiles) -> StageFiles:
        """Return the files of the build before where it has the key; see `Settler.stored`."""
        known = self._before.get(key.exact)
        return self.files.setdefault(key.exact, made) if known is None else known

    def note(self, line: Line, outcome: object, reason: Reason | None = None) -> None:
        """Pass over what is not looked up."""
        del line, outcome, reason


class _BuildKitWalk(BuildKitWalk):
    """Also takes down what a step copies from, which tells one vertex from two of equal keys."""

    def _settle(
        self, line: Line, state: StageState, key: Key, sources: Sequence[str | None]
    ) -> Key:
        recorder = self.settler
        if isinstance(recorder, _Recorder):
            names = {
                one.identity: index
                for index, one in self.states.items()
                if one.identity and index < line.stage.index
            }
            recorder.sources[recorder.written(line.place)] = [
                _source(one or "", names) for one in sources
            ]
        return super()._settle(line, state, key, sources)


def _source(text: str, names: Mapping[str, int]) -> tuple[int, str]:
    """Return the stage that a source names by its identity, and the rest of the source."""
    identity, _, rest = text.partition(":")
    return (names[identity], rest) if identity in names else (NOTHING, text)


_WALKS = {Family.CLASSIC: ClassicWalk, Family.BUILDKIT: _BuildKitWalk}
