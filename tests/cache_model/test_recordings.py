"""The model agrees with the hand-written truth that recorded streams of real engines are held to.

Where the truth says that a step is merged with another stage's, the model may name the other one
of the two as the one that is shown.
"""

from __future__ import annotations

import pytest

from bench.cache_model import BaseImage, History, Profile, StepPlace, disagreements, predict
from bench.cache_model.profiles import (
    BUILDKIT_08,
    BUILDKIT_28,
    BUILDKIT_28_CONTAINERD,
    CLASSIC_20,
    CLASSIC_25,
    Family,
)
from tests.builders.cases import CASES, Case
from tests.builders.test_recordings import LETTERS, TRUTH
from tests.cache_model.states import build, context, file

OUTCOMES = {letter: outcome for outcome, letter in LETTERS.items()}
PROFILES = (CLASSIC_20, CLASSIC_25, BUILDKIT_08, BUILDKIT_28, BUILDKIT_28_CONTAINERD)
NOT_PREDICTED = {"failed", "missing-file", "missing-image", "timeout"}
"""Builds that fail: the model says what a build does that does not."""


@pytest.mark.parametrize("profile", PROFILES, ids=lambda one: one.name)
@pytest.mark.parametrize("case", CASES, ids=lambda one: one.name)
def test_every_build_of_a_case_is_as_recorded(case: Case, profile: Profile) -> None:
    history = History()
    for name, files in case.builds:
        for truth in _truths(case, name, profile):
            manifest = context(*(file(path, content) for path, content in files.items()))
            prediction = predict(
                build(
                    case.text,
                    manifest,
                    target=case.target,
                    build_args=case.build_args,
                    bases={"ONBUILD_BASE": BaseImage("ONBUILD_BASE", on_build=("RUN echo t",))},
                ),
                profile,
                history,
            )
            history.add(prediction)
            found = [disagreements(prediction, seen) for seen in truth]
            assert [] in found, found


def _truths(case: Case, name: str, profile: Profile) -> list[list[dict[StepPlace, str]]]:
    """Return the outcomes that a real build of this case may have, if there is a truth for it."""
    if case.name in NOT_PREDICTED or (case.modern and profile is BUILDKIT_08):
        return []
    words = TRUTH[case.name, name][profile.family is not Family.CLASSIC]
    return [[_outcomes(one, case) for one in words.split("|")]] if words else []


def _outcomes(letters: str, case: Case) -> dict[StepPlace, str]:
    has_globals = case.text.startswith("ARG")
    return {
        StepPlace(index - has_globals, step): OUTCOMES[letter]
        for index, word in enumerate(letters.split())
        for step, letter in enumerate(word, start=1)
    }
