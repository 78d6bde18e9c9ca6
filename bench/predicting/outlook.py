"""What one builder will do with a first state and with each state that comes after it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.cache_model import History, Predicted, ReasonKind, predict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.cache_model import Decision, Prediction, Profile, StepPlace
    from bench.predicting.state import BuildState

_OPEN = frozenset({Predicted.MISS, Predicted.DEPENDS, Predicted.UNKNOWN})


@dataclass(frozen=True)
class Cause:
    """Where a chain of misses begins, and why.

    ``step`` names the instruction as ``STAGE:NUMBER TEXT``, ``line`` is where it begins in the
    Dockerfile, ``detail`` is the reason in words. ``outcome`` is miss, depends or unknown.
    """

    step: str
    line: int
    outcome: Predicted
    detail: str


@dataclass(frozen=True)
class Rebuild:
    """The prediction of one build; ``change`` as in `BuildState`."""

    change: str
    prediction: Prediction

    def count(self, outcome: Predicted) -> int:
        """Return how many steps have this outcome."""
        return Counter(one.outcome for one in self.prediction.decisions)[outcome]

    @property
    def scored(self) -> int:
        """Steps that hit, miss, or depend: what a hit ratio is counted in."""
        return sum(map(self.count, (Predicted.HIT, Predicted.MISS, Predicted.DEPENDS)))

    @property
    def causes(self) -> tuple[Cause, ...]:
        """The root causes, each once, in the order of the Dockerfile.

        What only stands on a step that misses, or depends on the same artefact as a step before
        it, has no cause of its own.
        """
        found: dict[tuple[object, ...], Cause] = {}
        for one in self.prediction.decisions:
            reason = one.reason
            if one.outcome not in _OPEN or reason is None:
                continue
            if reason.kind is ReasonKind.PARENT_MISSED or _is_below(one, reason.origin):
                continue
            own = one.outcome is Predicted.MISS and reason.kind is not ReasonKind.FIRST_BUILD
            key = (one.outcome, reason.kind, reason.detail, one.place if own else reason.origin)
            found.setdefault(key, Cause(step_name(one), one.line, one.outcome, self.detail(one)))
        return tuple(found.values())

    def detail(self, decision: Decision) -> str:
        """Return the reason of a decision in words, with the step that it goes back to."""
        reason = decision.reason
        if reason is None:
            return ""
        if reason.kind is ReasonKind.PARENT_MISSED and reason.origin is not None:
            return f"{self._named(reason.origin)} comes before it"
        return reason.detail

    def _named(self, place: StepPlace) -> str:
        try:
            return step_name(self.prediction.at(place))
        except KeyError:  # a trigger of a base image, which is no line of the Dockerfile
            return "an ONBUILD trigger of the base image"


def _is_below(decision: Decision, origin: StepPlace | None) -> bool:
    """Tell whether a step is unknown only because another one is."""
    return decision.outcome is Predicted.UNKNOWN and origin is not None and origin != decision.place


def step_name(decision: Decision) -> str:
    """Name a step as ``STAGE:NUMBER TEXT``."""
    stage = f"{decision.stage}:" if decision.stage_index >= 0 else "ARG "
    return f"{stage}{decision.step} {decision.text}"


@dataclass(frozen=True)
class Outlook:
    """One variant on one builder: its cold build, and the rebuilds after it."""

    scenario: str
    variant: str
    profile: Profile
    cold: Rebuild
    rebuilds: tuple[Rebuild, ...]


def look_ahead(
    states: Sequence[BuildState],
    profile: Profile,
    *,
    scenario: str = "",
    variant: str = "",
    in_sequence: bool = False,
) -> Outlook:
    """Predict the build of every state: the first on an empty cache, the others after it.

    Args:
        states: what is built; at least one.
        profile: the builder's rules.
        scenario: its name, for the outlook.
        variant: its name, for the outlook.
        in_sequence: the states are built one after the other on one cache (A, B, then A again
            hits); otherwise each of the later ones is built right after the first alone.

    """
    history = History()
    first, *later = states
    cold = predict(first.input_for(profile), profile, history)
    history.add(cold)
    rebuilds = []
    for state in later:
        prediction = predict(state.input_for(profile), profile, history)
        rebuilds.append(Rebuild(state.change, prediction))
        if in_sequence:
            history.add(prediction)
    return Outlook(scenario, variant, profile, Rebuild(first.change, cold), tuple(rebuilds))
