"""A prediction is held against the outcomes of a real build step by step."""

from __future__ import annotations

import pytest

from bench.cache_model import Disagreement, History, StepPlace, disagreements, predict
from bench.cache_model.profiles import BUILDKIT_28
from tests.cache_model.states import build, last

PLAIN = "FROM base\nLABEL a=1\nRUN one\nRUN two\n"
TWINS = (
    "FROM base AS x\nRUN same\nFROM base AS y\nRUN same\n"
    "FROM base\nCOPY --from=x / /x\nCOPY --from=y / /y\n"
)


def seen(*stages: str) -> dict[StepPlace, str]:
    names = {"b": "base", "c": "config", "H": "hit", "M": "miss", "=": "merged", "F": "failed"}
    names["-"] = "not-run"
    return {
        StepPlace(index, step): names[letter]
        for index, word in enumerate(stages)
        for step, letter in enumerate(word, start=1)
    }


def test_equal_outcomes_agree() -> None:
    assert disagreements(predict(build(PLAIN), BUILDKIT_28, History()), seen("bcMM")) == []


def test_every_unlike_step_is_named() -> None:
    prediction = predict(build(PLAIN), BUILDKIT_28, History())
    assert disagreements(prediction, seen("bcHM")) == [
        Disagreement(StepPlace(0, 3), "miss", "hit", "RUN one")
    ]
    assert len(disagreements(prediction, seen("bMMM"))) == 1


def test_what_failed_or_did_not_run_is_not_compared() -> None:
    prediction = predict(build(PLAIN), BUILDKIT_28, History())
    assert disagreements(prediction, seen("bcF-")) == []


def test_what_is_not_known_is_not_compared() -> None:
    text = "FROM base\nADD https://example.org/a /a\nRUN one\n"
    prediction = predict(build(text), BUILDKIT_28, History())
    assert disagreements(prediction, seen("bHM")) == []


@pytest.mark.parametrize("letter", "HM")
def test_an_open_artefact_may_hit_or_miss(letter: str) -> None:
    text = "FROM base AS x\nRUN {}\nFROM base\nCOPY --from=x /a /a\n"
    prediction = last(BUILDKIT_28, build(text.format(1)), build(text.format(2)))
    assert disagreements(prediction, seen("bM", f"b{letter}")) == []
    assert disagreements(prediction, seen("bM", "bc")) != []


def test_of_one_vertex_either_stage_may_be_shown() -> None:
    prediction = predict(build(TWINS), BUILDKIT_28, History())
    assert disagreements(prediction, seen("bM", "b=", "bMM")) == []
    assert disagreements(prediction, seen("b=", "bM", "bMM")) == []


@pytest.mark.parametrize("pair", [("bM", "bM"), ("b=", "b="), ("bH", "b="), ("b=", "bH")])
def test_of_one_vertex_just_one_stage_is_shown_with_the_outcome(pair: tuple[str, str]) -> None:
    prediction = predict(build(TWINS), BUILDKIT_28, History())
    assert disagreements(prediction, seen(*pair, "bMM")) != []
