"""Look the keys of one build up, one after the other, and write down what comes of each."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from bench.cache_model.outcomes import Decision, Predicted, Reason, ReasonKind, StepPlace
from bench.cache_model.reasons import Causes, depends_reason

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench.cache_model.history import History
    from bench.cache_model.keys import Key
    from bench.cache_model.stage_files import StageFiles
    from bench.dockerfile import Instruction, Stage


@dataclass(frozen=True)
class Line:
    """An instruction at its place. Triggers of a base have step 0 and below and are not shown."""

    stage: Stage
    step: int
    instruction: Instruction

    @property
    def place(self) -> StepPlace:
        """Where the instruction stands."""
        return StepPlace(self.stage.index, self.step)


@dataclass
class _Built:
    """A key of this build: who had it first, and in which definitions it stands."""

    place: StepPlace
    outcome: Predicted
    identities: set[str]
    group: int | None = None


@dataclass
class Settler:
    """Decides step by step. Reads the history, never writes it.

    ``observed`` are the outcomes of the real build, if it was made: they settle what only an
    artefact could, and nothing else.
    """

    history: History
    observed: Mapping[StepPlace, str] | None = None
    decisions: list[Decision] = field(default_factory=list)
    keys: dict[StepPlace, Key] = field(default_factory=dict)
    aliases: dict[str, Key] = field(default_factory=dict)
    distinct: set[frozenset[str]] = field(default_factory=set)
    files: dict[str, StageFiles] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    _built: dict[str, _Built] = field(default_factory=dict)
    _loose: dict[str, list[Key]] = field(default_factory=dict)
    _groups: int = 0

    def __post_init__(self) -> None:
        self._causes = Causes(self.history)

    def note(self, line: Line, outcome: Predicted, reason: Reason | None = None) -> None:
        """Write down an instruction that is not looked up."""
        self._decide(line, outcome, reason)

    def refuse(self, line: Line, why: str) -> None:
        """Write down an instruction that the model does not understand."""
        text = f"line {line.instruction.line}: {line.instruction.text[:80]}: {why}"
        self.problems.append(text)
        self._decide(line, Predicted.UNKNOWN, Reason(ReasonKind.UNKNOWN, why, origin=line.place))

    def base(self, line: Line, key: Key | None) -> None:
        """Write down a FROM and the key of its image."""
        if key is not None:
            self.keys[line.place] = key
        self._decide(line, Predicted.BASE, None)

    def add_hidden(self, place: StepPlace, key: Key) -> None:
        """Take in a key that is stored beside a step's own, such as the copy of a linked COPY."""
        self.keys[place] = key

    def stored(self, key: Key, made: StageFiles) -> StageFiles:
        """Return the files behind ``key``: those it was stored with, or else ``made``."""
        known = self.history.files(key)
        return self.files.setdefault(key.exact, made) if known is None else known

    def settle(self, line: Line, key: Key, identity: str | None = None) -> Key:
        """Look ``key`` up, write the outcome down, and return the key that later steps stand on.

        ``identity`` is equal for two steps that the builder makes one of (BuildKit: one vertex);
        None where it never does.
        """
        twin = self._built.get(key.exact)
        if twin is not None:
            self._repeat(line, key, twin, identity)
            return self.keys[twin.place]
        known = self.history.canonical(key)
        candidates = [] if known is not None else self._candidates(key)
        effective = known or key
        reason = None
        if known is not None:
            outcome = Predicted.HIT
        elif candidates:
            outcome = Predicted.DEPENDS
            effective = self._resolve(line.place, key, candidates)
            reason = self._reason_of_open(line.place, key, candidates)
        else:
            outcome = Predicted.MISS
            reason = self._causes.of_miss(key)
        if outcome is Predicted.MISS or self._seen(line.place, outcome) == "miss":
            self._causes.missed(key, line.place, reason)
        elif outcome is Predicted.DEPENDS:
            self._causes.opened(key, candidates)
        self._take(line.place, key, effective, outcome, identity)
        self._decide(line, outcome, reason)
        return effective

    def _seen(self, place: StepPlace, outcome: Predicted) -> str | None:
        """Return what the real build did with a step that only an artefact could decide."""
        if outcome is not Predicted.DEPENDS or self.observed is None:
            return None
        return self.observed.get(place)

    def _reason_of_open(self, place: StepPlace, key: Key, candidates: list[Key]) -> Reason:
        if self._seen(place, Predicted.DEPENDS) != "miss":
            return depends_reason(key, candidates[0])
        before = [one for one in candidates if one in self.history]
        return self._causes.of_artefact(key, before[0]) if before else self._causes.of_miss(key)

    def _take(
        self, place: StepPlace, key: Key, effective: Key, outcome: Predicted, identity: str | None
    ) -> None:
        self.keys[place] = effective
        if effective is not key:
            self.aliases[key.exact] = effective
        identities = set() if identity is None else {identity}
        self._built[key.exact] = _Built(place, outcome, identities)
        if effective.has_artefacts:
            self._loose.setdefault(effective.loose, []).append(effective)

    def _candidates(self, key: Key) -> list[Key]:
        """Return what may turn out equal, of this build and of those before it."""
        if not key.has_artefacts:
            return []
        distinct = self.history.distinct | self.distinct if self.distinct else self.history.distinct
        own = [one for one in self._loose.get(key.loose, ()) if key.may_equal(one, distinct)]
        before = [one for one in self.history.candidates(key) if key.may_equal(one, distinct)]
        found = {one.exact: one for one in (*reversed(own), *before)}
        return list(found.values())

    def _resolve(self, place: StepPlace, key: Key, candidates: list[Key]) -> Key:
        """Return which key it turned out to be, by the outcome of the real build."""
        seen = self._seen(place, Predicted.DEPENDS)
        if seen == "hit" and len(candidates) == 1:
            return candidates[0]
        if seen == "miss":
            self.distinct |= {frozenset((key.exact, one.exact)) for one in candidates}
        return key

    def _repeat(self, line: Line, key: Key, twin: _Built, identity: str | None) -> None:
        """Write down a step whose key another step of this build has already."""
        merged = identity is not None and identity in twin.identities
        if identity is not None:
            twin.identities.add(identity)
            if twin.group is None:
                self._groups += 1
                twin.group = self._groups
                self._join(twin.place, twin.group)
        self.keys[line.place] = self.keys[twin.place]
        outcome = Predicted.MERGED if merged else Predicted.HIT
        if outcome is Predicted.HIT and twin.outcome is Predicted.DEPENDS and identity is not None:
            outcome = Predicted.DEPENDS
        reason = depends_reason(key, key) if outcome is Predicted.DEPENDS else None
        self._decide(line, outcome, reason, twin.group)

    def _join(self, place: StepPlace, group: int) -> None:
        for number, decision in enumerate(self.decisions):
            if decision.place == place:
                self.decisions[number] = replace(decision, group=group)

    def _decide(
        self, line: Line, outcome: Predicted, reason: Reason | None, group: int | None = None
    ) -> None:
        if line.step < 1:
            return
        self.decisions.append(
            Decision(
                stage=line.stage.label,
                stage_index=line.stage.index,
                step=line.step,
                line=line.instruction.line,
                instruction=line.instruction.keyword,
                text=line.instruction.text,
                outcome=outcome,
                reason=reason,
                group=group,
            )
        )
