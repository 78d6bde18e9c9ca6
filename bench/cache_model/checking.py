"""Hold a prediction against what a builder did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.cache_model.outcomes import Predicted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bench.cache_model.outcomes import Decision, Prediction, StepPlace

_NOT_COMPARED = frozenset({"failed", "not-run"})
_EITHER = frozenset({"hit", "miss"})


@dataclass(frozen=True)
class Disagreement:
    """One step on which the model and a builder differ."""

    place: StepPlace
    predicted: str
    observed: str
    text: str


def disagreements(prediction: Prediction, observed: Mapping[StepPlace, str]) -> list[Disagreement]:
    """Return every step on which ``prediction`` and the outcomes of a real build differ.

    A step that failed, or was not run, is not compared, nor is one the model does not know. A step
    that depends on an artefact may hit or miss. Of a group, the builder shows one step with the
    outcome and the others as merged or as hits, and which one is its own affair.
    """
    found: list[Disagreement] = []
    groups: dict[int, list[Decision]] = {}
    for decision in prediction.decisions:
        seen = observed.get(decision.place)
        if seen is None or seen in _NOT_COMPARED or decision.outcome is Predicted.UNKNOWN:
            continue
        if decision.group is not None:
            groups.setdefault(decision.group, []).append(decision)
        elif not _agrees(decision.outcome, seen):
            found.append(_differs(decision, seen))
    for members in groups.values():
        found += _of_group(members, observed)
    return sorted(found, key=lambda one: one.place)


def _agrees(predicted: Predicted, seen: str) -> bool:
    return seen in _EITHER if predicted is Predicted.DEPENDS else predicted == seen


def _differs(decision: Decision, seen: str) -> Disagreement:
    return Disagreement(decision.place, decision.outcome.value, seen, decision.text)


def _of_group(members: Iterable[Decision], observed: Mapping[StepPlace, str]) -> list[Disagreement]:
    members = list(members)
    predicted = sorted(member.outcome.value for member in members)
    seen = sorted(observed[member.place] for member in members)
    if predicted == seen:
        return []
    if Predicted.DEPENDS in predicted and _without_depends(predicted, seen):
        return []
    return [
        _differs(member, observed[member.place])
        for member in members
        if not _agrees(member.outcome, observed[member.place])
    ] or [_differs(members[0], observed[members[0].place])]


def _without_depends(predicted: list[str], seen: list[str]) -> bool:
    """Tell whether both agree once every ``depends`` is taken for what was seen."""
    open_steps = predicted.count(Predicted.DEPENDS)
    rest = list(seen)
    for one in predicted:
        if one != Predicted.DEPENDS:
            if one not in rest:
                return False
            rest.remove(one)
    return len(rest) == open_steps and set(rest) <= _EITHER
