"""What is known of steps, in sentences that a person would like to read."""

# ruff: noqa: RUF001 - between numbers people read a dash

from __future__ import annotations

from typing import Any

import pytest

from bench.builders.protocol import StepOutcome
from bench.cache_model import Predicted, ReasonKind, StepPlace
from bench.explain.account import Account
from bench.explain.wording import FUTURE, LOGGED, PAST, Voice, numbers, sentences, shortened

TEXTS = {
    1: "FROM maven AS build",
    2: "WORKDIR /src",
    3: "COPY pom.xml .",
    4: "RUN mvn dependency:go-offline",
    5: "COPY . .",
    6: "RUN mvn package",
    7: "RUN rm -rf /root/.m2",
    8: 'CMD ["java"]',
}


def step(number: int, outcome: str, *, stage: int = 0, text: str = "", **more: Any) -> Account:
    text = text or TEXTS[number]
    return Account(
        stage="build" if stage == 0 else str(stage),
        stage_index=stage,
        step=number,
        line=number + 10 * stage,
        instruction=text.partition(" ")[0],
        text=text,
        outcome=outcome,
        **more,
    )


def chained(number: int, origin: int, *, stage: int = 0, begun_in: int = 0) -> Account:
    kind = ReasonKind.PARENT_MISSED
    place = StepPlace(begun_in, origin)
    return step(number, "miss", stage=stage, reason=kind, detail="above", origin=place)


def copied(detail: str = "README.md changed", **more: Any) -> Account:
    return step(5, "miss", reason=ReasonKind.FILE_CONTENT, detail=detail, **more)


def said(*accounts: Account, voice: Voice = PAST, with_hits: bool = True) -> list[str]:
    return [one.text for one in sentences(accounts, voice, with_hits=with_hits)]


def test_a_miss_and_the_steps_that_missed_because_of_it() -> None:
    steps = (step(4, "hit"), copied(), chained(6, 5), chained(7, 5), chained(8, 5))

    assert said(*steps) == [
        "step 4 RUN mvn dependency:go-offline hit",
        "step 5 COPY . . missed: README.md changed",
        "steps 6–8 missed because step 5 did",
    ]


def test_of_a_build_to_come() -> None:
    steps = (step(2, "hit"), step(3, "hit"), copied(), chained(6, 5))

    assert said(*steps, voice=FUTURE) == [
        "steps 2–3 will hit",
        "step 5 COPY . . will miss: README.md changed",
        "step 6 RUN mvn package will miss because step 5 does",
    ]


def test_hits_can_be_left_out() -> None:
    assert said(step(2, "hit"), copied(), with_hits=False) == [
        "step 5 COPY . . missed: README.md changed"
    ]


@pytest.mark.parametrize("outcome", ["base", "config", "unreached"])
def test_of_steps_that_no_builder_looks_up_nothing_is_said(outcome: str) -> None:
    assert said(step(1, outcome), step(2, "hit"), step(3, outcome), step(4, "hit")) == [
        "steps 2 and 4 hit"
    ]


def test_a_hint_stands_after_its_reason() -> None:
    (sentence,) = sentences([copied()], PAST, hint=lambda _: " (.dockerignore does not list it)")

    assert sentence.text == (
        "step 5 COPY . . missed: README.md changed (.dockerignore does not list it)"
    )


def test_a_chain_that_began_in_another_stage_names_it() -> None:
    steps = (copied(), chained(2, 5, stage=1))

    assert said(*steps)[-1] == "step 2 WORKDIR /src missed because step 5 of build did"
    assert [one.heading for one in sentences(steps)] == ["build", "stage 1"]


def test_a_single_stage_has_no_heading() -> None:
    assert [one.heading for one in sentences([copied()])] == [""]


def test_a_trigger_of_the_base_may_begin_a_chain() -> None:
    assert said(chained(2, 0)) == [
        "step 2 WORKDIR /src missed because a trigger (ONBUILD) of what it starts from did"
    ]


def test_chains_of_two_origins_are_told_apart() -> None:
    steps = (chained(4, 3), chained(6, 5), chained(7, 5))

    assert said(*steps) == [
        "step 4 RUN mvn dependency:go-offline missed because step 3 did",
        "steps 6–7 missed because step 5 did",
    ]


def test_a_chain_of_unknown_origin_says_what_is_known() -> None:
    unknown = step(6, "miss", reason=ReasonKind.PARENT_MISSED, detail="a step before it missed")

    assert said(unknown) == ["step 6 RUN mvn package missed: a step before it missed"]


def test_first_builds_are_one_sentence() -> None:
    first: dict[str, Any] = {
        "reason": ReasonKind.FIRST_BUILD,
        "detail": "it was never built before",
    }
    steps = (step(2, "miss", **first), step(3, "miss", **first), step(4, "miss", **first))

    assert said(*steps) == ["steps 2–4 missed: they were never built before"]
    assert said(steps[0]) == ["step 2 WORKDIR /src missed: it was never built before"]


RUN_IN_BUILD = StepPlace(0, 6)
OPEN = "a hit if what it takes from stage build comes out the same again"
OTHERWISE = "what it takes from stage build came out otherwise"


def taken(outcome: str, *, origin: StepPlace | None = RUN_IN_BUILD, **more: Any) -> Account:
    text = "COPY --from=build /app.jar /app.jar"
    kind = ReasonKind.ARTEFACT_CHANGED
    detail = OPEN if outcome == Predicted.DEPENDS else OTHERWISE
    return step(2, outcome, stage=1, text=text, reason=kind, detail=detail, origin=origin, **more)


def test_an_artefact_that_is_not_made_yet() -> None:
    steps = (step(6, "miss", reason=ReasonKind.UNKNOWN), taken(Predicted.DEPENDS))

    assert said(*steps, voice=FUTURE)[-1] == (
        "step 2 COPY --from=build /app.jar /app.jar will hit if RUN mvn package (step 6 of build) "
        "makes the same bytes again, else miss"
    )
    assert said(taken(Predicted.DEPENDS, origin=None), voice=FUTURE) == [
        "step 2 COPY --from=build /app.jar /app.jar will hit if what it takes from stage build "
        "comes out the same again, else miss"
    ]


def test_an_artefact_that_came_out_otherwise() -> None:
    steps = (step(6, "miss", reason=ReasonKind.UNKNOWN), taken("miss"))

    assert said(*steps)[-1].endswith("missed: RUN mvn package (step 6 of build) made other bytes")
    assert said(taken("miss", origin=None)) == [
        "step 2 COPY --from=build /app.jar /app.jar missed: what it takes from stage build came "
        "out otherwise"
    ]


def test_what_stands_on_an_open_step_shares_its_fate() -> None:
    """But not a second step that takes something from elsewhere itself."""
    kind = ReasonKind.ARTEFACT_CHANGED
    open_too: dict[str, Any] = {"reason": kind, "detail": OPEN, "origin": RUN_IN_BUILD}
    steps = (
        step(6, "miss", reason=ReasonKind.UNKNOWN),
        taken(Predicted.DEPENDS),
        step(3, Predicted.CONFIG, stage=1),
        step(4, Predicted.DEPENDS, stage=1, **open_too),
        step(5, Predicted.DEPENDS, stage=1, **open_too),
        step(6, Predicted.DEPENDS, stage=1, text="COPY --from=build /b /b", **open_too),
        step(7, Predicted.DEPENDS, stage=1, **open_too),
    )

    assert said(*steps, voice=FUTURE)[2:] == [
        "steps 4–5 will hit if step 2 does, else miss",
        "step 6 COPY --from=build /b /b will hit if RUN mvn package (step 6 of build) makes the "
        "same bytes again, else miss",
        "step 7 RUN rm -rf /root/.m2 will hit if step 6 does, else miss",
    ]


def test_what_the_model_does_not_understand_is_named_with_its_line() -> None:
    flag: dict[str, Any] = {"reason": ReasonKind.UNKNOWN, "origin": StepPlace(0, 3)}
    steps = (
        step(3, Predicted.UNKNOWN, detail="the flag --parents is not known", **flag),
        step(4, Predicted.UNKNOWN, detail="it follows an unknown step: …", **flag),
        step(5, Predicted.UNKNOWN, detail="it follows an unknown step: …", **flag),
    )

    assert said(*steps, voice=FUTURE) == [
        "step 3 COPY pom.xml . cannot be told: the model does not understand line 3: the flag "
        "--parents is not known",
        "steps 4–5 cannot be told: step 3 is not understood",
    ]


def test_a_step_that_will_fail() -> None:
    detail = "pom.xml is not in the build context: the build will fail here"
    failing: dict[str, Any] = {
        "reason": ReasonKind.UNKNOWN,
        "detail": detail,
        "origin": StepPlace(0, 3),
    }
    steps = (step(3, Predicted.UNKNOWN, **failing), step(4, Predicted.UNKNOWN, **failing))

    assert said(*steps, voice=FUTURE) == [
        "step 3 COPY pom.xml . will fail: pom.xml is not in the build context",
        "step 4 RUN mvn dependency:go-offline cannot be told: step 3 fails",
    ]


def test_a_step_done_together_with_another() -> None:
    assert said(step(2, Predicted.MERGED)) == [
        "step 2 WORKDIR /src was done once, together with an equal step of another stage"
    ]


def test_inferred_reasons_are_marked() -> None:
    detail = "the engine had answered it from the cache before, and did not any more"
    evicted = step(4, "miss", reason=ReasonKind.EVICTED, detail=detail, inferred=True)

    assert said(evicted) == [f"step 4 RUN mvn dependency:go-offline missed: {detail} (inferred)"]


def test_a_recorded_disagreement_is_told() -> None:
    wrong = step(
        4, "miss", reason=ReasonKind.UNKNOWN, detail="unseen", inferred=True, disagrees=True
    )

    assert said(wrong, step(5, "hit", disagrees=True), step(6, "hit")) == [
        "step 4 RUN mvn dependency:go-offline missed, though the model expected a hit: unseen "
        "(inferred)",
        "step 5 COPY . . hit, though the model expected a miss",
        "step 6 RUN mvn package hit",
    ]


def test_a_log_that_does_not_fit_the_earlier_state() -> None:
    missed = [step(number, "miss", disagrees=True, inferred=True) for number in (2, 3)]
    hit = [step(number, "hit", disagrees=True) for number in (4, 5)]

    assert said(*missed, *hit, voice=LOGGED) == [
        "steps 2–3 missed, though a hit was due since the earlier state: it was not built on this "
        "cache, or its entry is gone (inferred)",
        "steps 4–5 hit, though a miss was due since the earlier state: the cache holds more",
    ]


def test_a_failed_build() -> None:
    steps = (
        step(4, StepOutcome.NOT_RUN),
        step(5, StepOutcome.FAILED),
        step(6, StepOutcome.NOT_RUN),
    )

    assert said(*steps)[1:] == ["step 5 COPY . . failed", "step 6 RUN mvn package did not run"]
    assert "the log of a failed build does not tell" in said(*steps, voice=LOGGED)[0]


def test_a_miss_that_was_recorded_without_a_reason() -> None:
    assert said(step(4, "miss"), step(5, "miss")) == ["steps 4–5 missed: no reason was recorded"]


@pytest.mark.parametrize(
    ("steps", "shown"),
    [
        ([6], "6"),
        ([6, 7], "6–7"),
        ([2, 4], "2 and 4"),
        ([2, 3, 4, 6, 8, 9], "2–4, 6 and 8–9"),
    ],
)
def test_numbers_are_written_as_people_do(steps: list[int], shown: str) -> None:
    assert numbers(steps) == shown


def test_long_instructions_are_cut() -> None:
    text = "RUN " + "x" * 100

    assert len(shortened(text)) == 60
    assert shortened(text).endswith("x…")
    assert said(step(4, "hit", text=text)) == [f"step 4 {shortened(text)} hit"]
