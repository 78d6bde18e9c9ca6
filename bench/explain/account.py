"""What is known of one step and of why it missed, wherever that comes from."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bench.builders.protocol import StepOutcome
from bench.cache_model import Predicted, ReasonKind, StepPlace, disagreements

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.builders.protocol import Step
    from bench.cache_model import Decision, Prediction
    from bench.journal import BuildRecord

MISS = StepOutcome.MISS.value
HIT = StepOutcome.HIT.value
_SILENT = frozenset({StepOutcome.BASE, StepOutcome.CONFIG, StepOutcome.UNREACHED})
_FILE_KINDS = frozenset(kind for kind in ReasonKind if kind.value.startswith("file-"))


@dataclass(frozen=True)
class Account:
    """One step of one build.

    ``outcome`` is what the engine did or, where none was asked, what the model predicts;
    ``predicted`` is what the model said of a build that was made. ``reason`` is a value of
    `ReasonKind`, ``detail`` a sentence fragment. ``paths``, ``names`` and ``origin`` are those of
    `bench.cache_model.Reason`. ``inferred`` marks a reason that the engine gave no proof of,
    ``disagrees`` a step that the engine treated other than the model had said for certain.
    """

    stage: str
    stage_index: int
    step: int
    line: int
    instruction: str
    text: str
    outcome: str
    predicted: str | None = None
    reason: str | None = None
    detail: str = ""
    paths: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    origin: StepPlace | None = None
    inferred: bool = False
    disagrees: bool = False

    @property
    def place(self) -> StepPlace:
        """Where the instruction stands."""
        return StepPlace(self.stage_index, self.step)

    @property
    def is_silent(self) -> bool:
        """Whether there is nothing to say of it: no builder looks it up."""
        return self.outcome in _SILENT

    @property
    def is_trouble(self) -> bool:
        """Whether it missed, failed, cannot be told, or did other than was predicted."""
        fine = self.outcome in {HIT, Predicted.MERGED.value} and not self.disagrees
        return not (self.is_silent or fine)

    @property
    def is_chained(self) -> bool:
        """Whether it missed for no other reason than that an earlier step did."""
        return self.reason == ReasonKind.PARENT_MISSED

    @property
    def is_about_files(self) -> bool:
        """Whether files of the build context are its reason."""
        return self.reason in _FILE_KINDS


def of_prediction(prediction: Prediction) -> list[Account]:
    """Return the accounts of a build that was only predicted."""
    return [_of_decision(decision) for decision in prediction.decisions]


def of_observed(prediction: Prediction, outcomes: Mapping[StepPlace, str]) -> list[Account]:
    """Return the accounts of a build that was made: the engine's outcomes, the model's reasons."""
    wrong = {one.place for one in disagreements(prediction, outcomes)}
    of_group = {
        decision.group: decision.reason
        for decision in prediction.decisions
        if decision.group is not None and decision.reason is not None
    }
    accounts = []
    for decision in prediction.decisions:
        if decision.reason is None and decision.group is not None:
            # The builder may show another one of equal steps as the one that missed.
            decision = replace(decision, reason=of_group.get(decision.group))
        seen = outcomes.get(decision.place)
        accounts.append(_observed(decision, seen, disagrees=decision.place in wrong))
    return accounts


def of_record(record: BuildRecord) -> list[Account]:
    """Return the accounts of a recorded build."""
    wrong = {StepPlace(one.stage_index, one.step) for one in record.disagreements}
    return with_origins(
        [
            _of_step(
                step,
                record.changed_paths,
                disagrees=StepPlace(step.stage_index, step.step) in wrong,
            )
            for step in record.steps
        ]
    )


def with_origins(accounts: Sequence[Account]) -> list[Account]:
    """Find out which step began each chain of misses, where that is not known.

    A chain runs down a stage and on into the stages that start from it, so its origin is the
    nearest step above that missed for a reason of its own.
    """
    ends: dict[str, StepPlace] = {}  # the origin that a stage ends with, by the stage's names
    found: list[Account] = []
    begun: StepPlace | None = None
    stage_index: int | None = None
    for account in accounts:
        if account.stage_index != stage_index:
            stage_index, begun = account.stage_index, None
        if account.instruction == "FROM":
            begun = ends.get(_base_of(account))
        elif account.outcome == HIT:
            begun = None
        elif account.outcome == MISS:
            if account.is_chained and account.origin is None:
                account = replace(account, origin=begun)
            begun = account.origin if account.is_chained else account.place
        if begun is None:
            ends.pop(account.stage.lower(), None)
        else:
            ends[account.stage.lower()] = begun
        found.append(account)
    return found


def _base_of(account: Account) -> str:
    """Return what a FROM names, in lower case: stages are found in any case."""
    words = [word for word in account.text.split()[1:] if not word.startswith("--")]
    return words[0].lower() if words else ""


def _of_decision(decision: Decision) -> Account:
    reason = decision.reason
    return Account(
        stage=decision.stage,
        stage_index=decision.stage_index,
        step=decision.step,
        line=decision.line,
        instruction=decision.instruction,
        text=decision.text,
        outcome=decision.outcome.value,
        reason=None if reason is None else reason.kind.value,
        detail="" if reason is None else reason.detail,
        paths=() if reason is None else reason.paths,
        names=() if reason is None else reason.names,
        origin=None if reason is None else reason.origin,
        inferred=reason is not None and reason.inferred,
    )


def _observed(decision: Decision, outcome: str | None, *, disagrees: bool) -> Account:
    account = replace(_of_decision(decision), predicted=decision.outcome.value)
    if outcome is None:
        return account
    account = replace(account, outcome=outcome, disagrees=disagrees, inferred=False)
    if outcome != MISS:
        return replace(account, reason=None, detail="", paths=(), names=(), origin=None)
    if disagrees:
        # What was built on that cache is not known, so neither is why this was not found.
        return replace(account, reason=None, detail="", paths=(), inferred=True)
    return account


def _of_step(step: Step, changed_paths: Sequence[str], *, disagrees: bool) -> Account:
    detail = step.reason_detail or ""
    about_files = (step.reason or "") in _FILE_KINDS
    unproven = step.reason in {ReasonKind.EVICTED, ReasonKind.UNKNOWN}
    return Account(
        stage=step.stage,
        stage_index=step.stage_index,
        step=step.step,
        line=step.line,
        instruction=step.instruction,
        text=step.text,
        outcome=step.outcome.value,
        predicted=step.predicted,
        reason=step.reason,
        detail=detail,
        # The records hold the sentence alone; the paths in it are among those that changed.
        paths=tuple(path for path in changed_paths if _names(detail, path)) if about_files else (),
        inferred=step.reason is not None and (unproven or disagrees),
        disagrees=disagrees,
    )


def _names(detail: str, path: str) -> bool:
    """Tell whether a sentence names a path, and not just a longer one that holds it."""
    return path in detail and (
        re.search(rf"(?<![\w./-]){re.escape(path)}(?![\w/-])", detail) is not None
    )
