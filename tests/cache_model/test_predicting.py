"""What holds of every prediction, whatever the Dockerfile."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.cache_model import (
    PROFILES,
    History,
    Predicted,
    Prediction,
    Profile,
    ReasonKind,
    StepPlace,
    predict,
)
from bench.cache_model.profiles import BUILDKIT_08, BUILDKIT_28, CLASSIC_25
from tests.cache_model.states import build, context, file, last, letters

LINES = st.sampled_from(
    [
        "RUN true",
        "RUN make",
        "COPY a.txt /a",
        "COPY . /all",
        "COPY *.txt /t/",
        "ADD b.txt /b/",
        "WORKDIR /w",
        "WORKDIR in",
        "ENV A=1",
        "ENV A=$A-2",
        "ARG A=3",
        "ARG B",
        "USER 5",
        "LABEL l=$A",
        "EXPOSE 80",
        'CMD ["x"]',
        "VOLUME /v",
        "COPY --chown=1:2 a.txt /w/c",
        "COPY --from=0 /a /from",
        "RUN --mount=type=bind,target=/m true",
        "COPY --link a.txt /linked",
        "COPY missing /x",
        "ADD https://example.org/x /x",
        "RUN echo ${A#3}",
        "COPY ${A%x} /x",
        "ONBUILD RUN trigger",
    ]
)
STAGES = st.lists(st.lists(LINES, max_size=6), min_size=1, max_size=3)
FOUNDATIONS = st.sampled_from(["base", "scratch", "s0"])


@st.composite
def dockerfiles(draw: st.DrawFn) -> str:
    parts = []
    for index, lines in enumerate(draw(STAGES)):
        foundation = draw(FOUNDATIONS) if index else "base"
        parts += [f"FROM {foundation} AS s{index}", *lines]
    return "\n".join(parts) + "\n"


EVERY_PROFILE = st.sampled_from(sorted(PROFILES.values(), key=lambda one: one.name))


@settings(deadline=None)
@given(dockerfiles(), EVERY_PROFILE)
def test_the_same_again_hits_wherever_it_is_known(text: str, profile: Profile) -> None:
    history = History()
    one = build(text)
    history.add(predict(one, profile, history))
    again = predict(one, profile, history)
    assert not {Predicted.MISS, Predicted.DEPENDS} & {each.outcome for each in again.decisions}


@settings(deadline=None)
@given(dockerfiles(), EVERY_PROFILE)
def test_every_instruction_is_decided_once_in_the_order_of_the_file(
    text: str, profile: Profile
) -> None:
    prediction = predict(build(text), profile, History())
    lines = [decision.line for decision in prediction.decisions]
    assert lines == list(range(1, len(text.splitlines()) + 1))


@settings(deadline=None)
@given(dockerfiles(), dockerfiles(), EVERY_PROFILE)
def test_a_prediction_neither_changes_the_history_nor_itself(
    first: str, second: str, profile: Profile
) -> None:
    history = History()
    history.add(predict(build(first), profile, history))
    assert _plain(predict(build(second), profile, history)) == _plain(
        predict(build(second), profile, history)
    )


@settings(deadline=None)
@given(dockerfiles(), dockerfiles(), EVERY_PROFILE)
def test_more_history_never_turns_a_hit_into_a_miss(
    first: str, second: str, profile: Profile
) -> None:
    history = History()
    history.add(predict(build(second), profile, history))
    history.add(predict(build(first), profile, history))
    outcomes = {one.outcome for one in predict(build(second), profile, history).decisions}
    assert not {Predicted.MISS, Predicted.DEPENDS} & outcomes


@settings(deadline=None)
@given(dockerfiles(), dockerfiles(), EVERY_PROFILE)
def test_every_miss_has_a_reason_and_its_origin_missed_before(
    first: str, second: str, profile: Profile
) -> None:
    prediction = last(profile, build(first), build(second))
    for decision in prediction.decisions:
        if decision.outcome in {Predicted.MISS, Predicted.DEPENDS, Predicted.UNKNOWN}:
            assert decision.reason is not None
            assert decision.reason.kind is not ReasonKind.UNKNOWN or (
                decision.outcome is Predicted.UNKNOWN
            )
        if decision.reason is not None and decision.reason.origin is not None:
            assert decision.reason.origin <= decision.place


def _plain(prediction: Prediction) -> object:
    return prediction.decisions, prediction.problems


def test_observed_outcomes_settle_only_what_depended() -> None:
    """Once the artefact is known to be equal, what stands on it is certain."""
    text = "FROM base AS x\nRUN make {}\nFROM base\nCOPY --from=x /o /o\nRUN true\n"
    history = History()
    history.add(predict(build(text.format(1)), BUILDKIT_28, history))
    second = build(text.format(2))
    assert letters(predict(second, BUILDKIT_28, history)) == "bM b??"
    hit = {StepPlace(0, 2): "miss", StepPlace(1, 2): "hit", StepPlace(1, 3): "hit"}
    assert letters(predict(second, BUILDKIT_28, history, observed=hit)) == "bM b?H"
    missed = {**hit, StepPlace(1, 2): "miss", StepPlace(1, 3): "miss"}
    assert letters(predict(second, BUILDKIT_28, history, observed=missed)) == "bM b?M"


def test_an_artefact_that_turned_out_equal_is_remembered() -> None:
    text = "FROM base AS x\nRUN make {}\nFROM base\nCOPY --from=x /o /o\nRUN {}\n"
    history = History()
    history.add(predict(build(text.format(1, "a")), BUILDKIT_28, history))
    second = build(text.format(2, "a"))
    seen = {StepPlace(0, 2): "miss", StepPlace(1, 2): "hit", StepPlace(1, 3): "hit"}
    history.add(predict(second, BUILDKIT_28, history, observed=seen), seen)
    assert letters(predict(second, BUILDKIT_28, history)) == "bH bHH"
    assert letters(predict(build(text.format(2, "b")), BUILDKIT_28, history)) == "bH bHM"


def test_a_failed_step_leaves_nothing_in_the_history() -> None:
    history = History()
    one = build("FROM base\nRUN a\nRUN b\n")
    prediction = predict(one, BUILDKIT_28, history)
    history.add(prediction, {StepPlace(0, 2): "miss", StepPlace(0, 3): "failed"})
    assert letters(predict(one, BUILDKIT_28, history)) == "bHM"


@pytest.mark.parametrize(
    ("text", "profile", "line", "word"),
    [
        ("FROM base\nADD https://example.org/x /x\n", BUILDKIT_28, 2, "https://example.org/x"),
        ("FROM base\nCOPY --parents a.txt /x\n", BUILDKIT_28, 2, "--parents"),
        ("FROM base\nCOPY --link a.txt /x\n", BUILDKIT_08, 2, "--link"),
        ("FROM base\nRUN --mount=type=bind,target=/m true\n", CLASSIC_25, 2, "flags"),
        ("FROM base\nARG A\nCOPY ${A#x} /x\n", BUILDKIT_28, 3, "operator"),
        ("FROM base\nCOPY nowhere /x\n", CLASSIC_25, 2, "nowhere"),
    ],
)
def test_what_is_not_understood_is_named_and_never_guessed(
    text: str, profile: Profile, line: int, word: str
) -> None:
    prediction = predict(build(text + "RUN after\n"), profile, History())
    unknown = [one for one in prediction.decisions if one.outcome is Predicted.UNKNOWN]
    assert [one.line for one in unknown] == [line, line + 1]
    assert f"line {line}: " in prediction.problems[0]
    assert word in prediction.problems[0]


def test_a_stage_that_copies_from_an_unknown_one_is_unknown_too() -> None:
    text = "FROM base AS x\nADD https://example.org/x /x\nFROM base\nCOPY --from=x /x /x\nRUN a\n"
    assert letters(predict(build(text), BUILDKIT_28, History())) == "bU bUU"


def test_a_stage_that_needs_nothing_of_an_unknown_one_is_known() -> None:
    text = "FROM base AS x\nADD https://example.org/x /x\nFROM base\nRUN a\n"
    assert letters(predict(build(text), CLASSIC_25, History())) == "bU bM"


def test_the_context_is_seen_as_the_builder_got_it() -> None:
    """What .dockerignore leaves out is not in the manifest, so it cannot be copied."""
    prediction = predict(
        build("FROM base\nCOPY gone.txt /x\n", context(file("a.txt"))), BUILDKIT_28, History()
    )
    assert letters(prediction) == "bU"


def test_the_model_needs_no_docker_client() -> None:
    code = "import sys, bench.cache_model; sys.exit('docker' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
