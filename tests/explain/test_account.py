"""What is known of the steps of a build that was recorded, or made while being predicted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.builders.protocol import Step, StepOutcome
from bench.cache_model import Decision, Predicted, Prediction, Reason, ReasonKind, StepPlace
from bench.explain.account import of_observed, of_record
from bench.journal import Disagreement
from tests.explain.records import made, record

if TYPE_CHECKING:
    from bench.explain.account import Account

CHAINED = {"reason": "parent-missed", "reason_detail": "a step before it missed"}
CHANGED = {"reason": "file-content", "reason_detail": "src/a.py changed"}


def origins(*steps: Step) -> list[StepPlace | None]:
    return [account.origin for account in of_record(record(steps=steps))]


def test_a_recorded_chain_is_traced_to_the_step_that_began_it() -> None:
    found = origins(
        made(0, 1, "FROM a AS x", "base"),
        made(0, 2, "COPY . .", "miss", **CHANGED),
        made(0, 3, "RUN b", "miss", **CHAINED),
        made(0, 4, "EXPOSE 80", "config"),
        made(0, 5, "RUN c", "miss", **CHAINED),
    )

    assert found == [None, None, StepPlace(0, 2), None, StepPlace(0, 2)]


def test_a_chain_goes_on_in_the_stage_that_starts_from_it() -> None:
    found = origins(
        made(0, 1, "FROM a AS Base", "base", stage="Base"),
        made(0, 2, "COPY . .", "miss", stage="Base", **CHANGED),
        made(1, 1, "FROM other AS tools", "base", stage="tools"),
        made(1, 2, "RUN x", "miss", stage="tools", **CHAINED),
        made(2, 1, "FROM --platform=linux/amd64 base", "base", stage="2"),
        made(2, 2, "RUN y", "miss", stage="2", **CHAINED),
    )

    assert found[3] is None  # nothing above it in its own stage missed
    assert found[5] == StepPlace(0, 2)


def test_a_later_cause_begins_a_chain_of_its_own() -> None:
    found = origins(
        made(0, 2, "COPY a .", "miss", **CHANGED),
        made(0, 3, "RUN b", "miss", **CHAINED),
        made(0, 4, "COPY c .", "miss", **CHANGED),
        made(0, 5, "RUN d", "miss", **CHAINED),
    )

    assert found == [None, StepPlace(0, 2), None, StepPlace(0, 4)]


def test_the_paths_of_a_recorded_reason_are_those_that_changed() -> None:
    step = made(0, 2, "COPY . .", "miss", reason="file-content", reason_detail="a.md changed")

    (account,) = of_record(record(steps=(step,), changed_paths=("a.md", "b.md")))
    assert account.paths == ("a.md",)
    (named,) = of_record(record(steps=(made(0, 2, "RUN a.md", "miss", **CHAINED),)))
    assert named.paths == ()


def test_a_reason_without_proof_is_inferred() -> None:
    evicted = made(0, 2, "RUN a", "miss", reason="evicted", reason_detail="gone")
    unexpected = made(0, 3, "RUN b", "miss", reason="unknown", predicted="hit")
    proven = made(0, 4, "COPY c .", "miss", **CHANGED, predicted="miss")
    wrong = Disagreement("0", 0, 3, "RUN b", "hit", "miss")

    found = of_record(record(steps=(evicted, unexpected, proven), disagreements=(wrong,)))
    assert [account.inferred for account in found] == [True, True, False]
    assert [account.disagrees for account in found] == [False, True, False]


def decided(step: int, outcome: Predicted, reason: Reason | None, group: int | None) -> Decision:
    return Decision("0", 0, step, step, "RUN", f"RUN {step}", outcome, reason, group)


def seen(prediction: Prediction, **outcomes: str) -> list[Account]:
    places = {StepPlace(0, int(name[1:])): outcome for name, outcome in outcomes.items()}
    return of_observed(prediction, places)


def test_of_equal_steps_either_may_be_shown_as_the_one_that_missed() -> None:
    reason = Reason(ReasonKind.INSTRUCTION_TEXT, "it was `RUN x`")
    prediction = Prediction(
        "p", (decided(2, Predicted.MISS, reason, 1), decided(3, Predicted.MERGED, None, 1))
    )

    first, second = seen(prediction, s2="merged", s3="miss")
    assert (first.outcome, first.reason, first.disagrees) == ("merged", None, False)
    assert (second.outcome, second.detail, second.disagrees) == ("miss", "it was `RUN x`", False)


def test_an_outcome_that_was_not_predicted_has_no_reason() -> None:
    reason = Reason(ReasonKind.INSTRUCTION_TEXT, "it was `RUN x`")
    prediction = Prediction(
        "p", (decided(2, Predicted.HIT, None, None), decided(3, Predicted.MISS, reason, None))
    )

    ran, hit = seen(prediction, s2="miss", s3="hit")
    assert (ran.reason, ran.disagrees, ran.inferred) == (None, True, True)
    assert (hit.reason, hit.disagrees, hit.predicted) == (None, True, "miss")


def test_an_open_step_that_ran_is_explained_by_what_had_been_open() -> None:
    reason = Reason(ReasonKind.ARTEFACT_CHANGED, "a hit if x comes out the same again")
    prediction = Prediction("p", (decided(2, Predicted.DEPENDS, reason, None),))

    (ran,) = seen(prediction, s2=StepOutcome.MISS)
    assert (ran.reason, ran.disagrees, ran.inferred) == ("artefact-changed", False, False)
    (hit,) = seen(prediction, s2=StepOutcome.HIT)
    assert (hit.reason, hit.disagrees) == (None, False)
