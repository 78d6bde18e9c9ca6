"""The best Dockerfile that is provably the same: rewrites first, then the cheapest legal ordering.

Pure: what is built, how often what changes, and what steps cost is given.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.cache_model import Predicted
from bench.commits.weights import with_edits
from bench.orderings.legality import partial_order
from bench.orderings.moves import Move, in_words, moves, shortened
from bench.orderings.ordering import Ordering, arranged
from bench.orderings.ranking import DEFAULT_LIMIT, WeightedState, rank
from bench.orderings.rewrites import best_rewrites
from bench.predicting import BuildState, look_ahead
from bench.workspace import IgnoreRules
from bench.workspace.ignore import read_patterns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from bench.cache_model import Profile, StepPlace
    from bench.commits.weights import WeightedChange
    from bench.dockerfile import Dockerfile
    from bench.orderings.costs import StepCosts
    from bench.orderings.legality import PartialOrder
    from bench.orderings.ranking import Ranking
    from bench.orderings.rewrites import Facts, Proposal, Refusal, Rewritten
    from bench.workspace import ClientRule

SMALLEST_GAIN = 0.005
"""A smaller share of the expected seconds is no reason to change anybody's Dockerfile."""
REWRITES_TRIED = ("split-copy", "narrow-copy", "late-variables", "dockerignore")
"""The rewrites whose gain can be foreseen, in the order in which they are tried. What a cache mount
saves only a build can show; where metadata stands the ordering decides."""


@dataclass(frozen=True)
class Question:
    """What is advised on.

    ``changes`` are the kinds of commits with their shares, all on ``base``. ``facts`` are what is
    known of the build of ``base``; their profiles are those that what is advised is legal for, and
    ``profile`` is the builder whose time counts. ``costs`` tells what the steps of a Dockerfile
    cost. ``rules`` are the ignore rules in force.
    """

    base: BuildState
    facts: Facts
    changes: tuple[WeightedChange, ...]
    profile: Profile
    costs: Callable[[Dockerfile], StepCosts]
    rules: Mapping[ClientRule, IgnoreRules]
    limit: int = DEFAULT_LIMIT


@dataclass(frozen=True)
class StepChange:
    """One instruction in both Dockerfiles: after which share of the commits it runs."""

    text: str
    stage: str
    seconds: float
    before: float | None
    """None where the instruction is new."""
    after: float


@dataclass(frozen=True)
class Advice:
    """What came of a question.

    ``dockerfile`` and ``dockerignore`` (None: left as it is) are advised. ``before`` and ``after``
    are expected seconds of a commit's rebuild, ``before_seconds`` and ``after_seconds`` those after
    each kind of commit. ``ranking`` is that of the orderings of the
    rewritten Dockerfile ``rewritten``, ``ordering`` the one of it that is advised. ``obligations``
    are what equality of the images rests on, each once.
    """

    written: Dockerfile
    dockerfile: Dockerfile
    dockerignore: str | None
    before: float
    after: float
    before_seconds: tuple[float, ...]
    after_seconds: tuple[float, ...]
    ranking: Ranking
    rewritten: Dockerfile
    ordering: Ordering
    proposals: tuple[Proposal, ...]
    refusals: tuple[Refusal, ...]
    moved: tuple[Move, ...]
    obligations: tuple[str, ...]
    steps: tuple[StepChange, ...]

    @property
    def is_better(self) -> bool:
        """Whether there is something to advise."""
        return self.dockerfile.text != self.written.text or self.dockerignore is not None

    @property
    def reasons(self) -> list[str]:
        """Why each rewrite and each move is made, in words."""
        return [
            *(one.reason for one in self.proposals),
            *(f"{in_words(self.rewritten, move)}{self._gain(move)}" for move in self.moved),
        ]

    def _gain(self, move: Move) -> str:
        """Say what a move spares: the steps of it, or those it was moved over, that run less."""
        instructions = self.rewritten.stages[move.stage_index].instructions
        label = self.rewritten.stages[move.stage_index].label
        texts = {instructions[step - 1].text for step in (*move.steps, *move.crossed)}
        spared = [
            one
            for one in self.steps
            if one.stage == label
            and one.text in texts
            and one.before is not None
            and one.before - one.after > SMALLEST_GAIN
        ]
        told = [
            f"{shortened(one.text)} ({one.seconds:.2f} s) runs after {one.after:.0%} of the "
            f"commits, not after {one.before:.0%}"
            for one in sorted(spared, key=lambda one: -one.seconds)[:2]
        ]
        return f": {'; '.join(told)}" if told else ""


def advise(question: Question, rewrites: Sequence[str] | None = None) -> Advice:
    """Return the best Dockerfile for the question; the written one where none is better.

    Every rewrite is tried on top of those before it and kept if it saves seconds; then the
    legal orderings of the result are ranked. ``rewrites`` names those to try (None: all whose gain
    can be foreseen); rewrites beside those are made whatever they seem to save.

    Raises:
        NotRankableError: the cache model does not understand the Dockerfile.
        UsageError: there is no rewrite of that name.

    """
    names = _tried(rewrites)
    written = _Option.of(question, question.facts, None)
    best = written
    for name in names:
        made = best_rewrites(best.facts, [name])
        if not made.is_rewritten:
            continue
        option = _Option.of(question, made.facts, made, best)
        if name not in REWRITES_TRIED or _is_better(option.seconds, best.seconds):
            best = option
    before = written.ranking.written.expected_seconds
    keeps = best is written and not _is_better(best.seconds, before)
    ordering = Ordering.written(best.dockerfile) if keeps else best.ranking.best.ordering
    advised = arranged(best.dockerfile, ordering)
    final = dataclasses.replace(best.state, dockerfile=advised)
    return Advice(
        written=question.base.dockerfile,
        dockerfile=advised,
        dockerignore=best.dockerignore,
        before=before,
        after=before if keeps else best.seconds,
        before_seconds=written.ranking.written.seconds,
        after_seconds=(written.ranking.written if keeps else best.ranking.best).seconds,
        ranking=best.ranking,
        rewritten=best.dockerfile,
        ordering=ordering,
        proposals=best.proposals,
        refusals=_refusals(best, names),
        moved=tuple(moves(ordering)),
        obligations=_obligations(best.proposals, best.order, ordering),
        steps=_step_changes(question, written.state, final, best.rules),
    )


def rewritten_states(
    base: BuildState, facts: Facts, rewrites: Sequence[str] | None
) -> list[BuildState]:
    """Return what is built with each rewrite made on top of those before it.

    Commits that strike the same steps of the written Dockerfile may strike unlike ones of these.
    ``facts`` are those of ``base``, ``rewrites`` as in `advise`.
    """
    found = []
    for name in _tried(rewrites):
        made = best_rewrites(facts, [name])
        if made.is_rewritten:
            facts = made.facts
            found.append(dataclasses.replace(base, dockerfile=facts.dockerfile))
    return found


def _tried(rewrites: Sequence[str] | None) -> tuple[str, ...]:
    return REWRITES_TRIED if rewrites is None else tuple(rewrites)


@dataclass(frozen=True)
class _Option:
    """A Dockerfile with some rewrites made, and the ranking of its orderings."""

    facts: Facts
    state: BuildState
    rules: Mapping[ClientRule, IgnoreRules]
    order: PartialOrder
    ranking: Ranking
    proposals: tuple[Proposal, ...] = ()
    dockerignore: str | None = None

    @classmethod
    def of(
        cls, question: Question, facts: Facts, made: Rewritten | None, on: _Option | None = None
    ) -> _Option:
        """Rank the orderings of what ``facts`` describe; ``made`` on top of the option ``on``."""
        ignore = on.dockerignore if on else None
        if made is not None and made.dockerignore_text is not None:
            ignore = made.dockerignore_text
        state, rules = _state(question, facts.dockerfile, ignore)
        order = partial_order(
            state.input_for(question.profile), question.facts.profiles, facts.access
        )
        changes = [
            WeightedState(with_edits(state, one.name, one.edits, rules), one.weight)
            for one in question.changes
        ]
        costs = question.costs(facts.dockerfile)
        ranking = rank(state, changes, question.profile, order, costs, limit=question.limit)
        before = on.proposals if on else ()
        new = made.proposals if made is not None else ()
        return cls(facts, state, rules, order, ranking, (*before, *new), ignore)

    @property
    def dockerfile(self) -> Dockerfile:
        """The Dockerfile, its instructions in the order in which the rewrites left them."""
        return self.facts.dockerfile

    @property
    def seconds(self) -> float:
        """What the best ordering of it is expected to take."""
        return self.ranking.best.expected_seconds


def _is_better(seconds: float, than: float) -> bool:
    return seconds < than * (1 - SMALLEST_GAIN)


def _state(
    question: Question, dockerfile: Dockerfile, dockerignore: str | None
) -> tuple[BuildState, Mapping[ClientRule, IgnoreRules]]:
    """Return what is built with another Dockerfile and, if given, another ignore file."""
    state = dataclasses.replace(question.base, dockerfile=dockerfile)
    if dockerignore is None:
        return state, question.rules
    patterns = tuple(read_patterns(dockerignore.encode()))
    rules = {client: IgnoreRules(patterns, client) for client in state.manifests}
    manifests = {
        client: manifest.without(rules[client].ignores)
        for client, manifest in state.manifests.items()
    }
    return dataclasses.replace(state, manifests=manifests), rules


def _refusals(best: _Option, names: Iterable[str]) -> tuple[Refusal, ...]:
    """Say what the rewrites could not make of the Dockerfile that is left."""
    found = best_rewrites(best.facts, tuple(names)).refusals
    return tuple(dict.fromkeys(found))


def _obligations(
    proposals: Iterable[Proposal], order: PartialOrder, ordering: Ordering
) -> tuple[str, ...]:
    texts = [text for one in proposals for text in one.obligations]
    texts += [one.text for one in order.obligations(ordering)]
    return tuple(dict.fromkeys(texts))


def _step_changes(
    question: Question,
    before: BuildState,
    after: BuildState,
    rules: Mapping[ClientRule, IgnoreRules],
) -> tuple[StepChange, ...]:
    """Return every instruction of the advised Dockerfile that some commit makes run."""
    old = _shares(question, before, question.rules)
    new = _shares(question, after, rules)
    costs = question.costs(after.dockerfile)
    return tuple(
        StepChange(
            text=text,
            stage=stage,
            seconds=costs.seconds.get(place, 0.0),
            before=next((one for other, one in old.values() if other == (stage, text)), None),
            after=share,
        )
        for place, ((stage, text), share) in new.items()
    )


def _shares(
    question: Question, base: BuildState, rules: Mapping[ClientRule, IgnoreRules]
) -> dict[StepPlace, tuple[tuple[str, str], float]]:
    """Return after which share of the commits each step runs, with its stage and text."""
    states = [base, *(with_edits(base, one.name, one.edits, rules) for one in question.changes)]
    outlook = look_ahead(states, question.profile)
    found: dict[StepPlace, tuple[tuple[str, str], float]] = {}
    for change, rebuild in zip(question.changes, outlook.rebuilds, strict=True):
        for one in rebuild.prediction.decisions:
            runs = one.outcome in {Predicted.MISS, Predicted.DEPENDS}
            _, share = found.get(one.place, ((one.stage, one.text), 0.0))
            found[one.place] = ((one.stage, one.text), share + change.weight * runs)
    return found
