"""The fast outcomes of every step are those of the whole cache model, in any legal ordering."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.cache_model import PROFILES, History, Predicted, StepPlace, predict
from bench.orderings.ordering import Ordering, arranged
from bench.orderings.outcomes import Outcomes, count
from bench.orderings.own_parts import NotRankableError
from bench.orderings.strikes import count_struck
from tests.conformance.dialect import BUILDKIT, BUILDKIT_08, CLASSIC
from tests.conformance.generate import cases
from tests.orderings.generated import (
    draw,
    orders_of,
    outcomes_of,
    same_instructions,
    state_of,
)
from tests.orderings.states import state

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    from bench.cache_model import Profile
    from bench.orderings.strikes import Strike
    from bench.predicting import BuildState
    from tests.conformance.case import Case

_DIALECTS = {
    "classic-20.10": CLASSIC,
    "classic-26": CLASSIC,
    "buildkit-0.8": BUILDKIT_08,
    "buildkit-0.10": BUILDKIT,
    "buildkit-28": BUILDKIT,
    "buildkit-28-containerd": BUILDKIT,
}


def predicted(
    states: Sequence[BuildState], ordering: Ordering, profile: Profile
) -> list[dict[StepPlace, Predicted]]:
    """Predict the first state on an empty cache, and each other one after it, as a whole."""
    history = History()
    found = []
    for number, one in enumerate(states):
        moved = dataclasses.replace(one, dockerfile=arranged(one.dockerfile, ordering))
        prediction = predict(moved.input_for(profile), profile, history)
        if number == 0:
            history.add(prediction)
        found.append(outcomes_of(prediction, ordering))
    return found


def understood(states: Sequence[BuildState], profile: Profile) -> bool:
    history = History()
    first = predict(states[0].input_for(profile), profile, history)
    history.add(first)
    later = [predict(one.input_for(profile), profile, history) for one in states[1:]]
    return not any(one.problems for one in (first, *later))


@pytest.mark.parametrize("name", _DIALECTS)
def test_every_step_does_what_the_whole_model_says(name: str) -> None:
    profile, checked = PROFILES[name], []

    @given(case=cases(_DIALECTS[name]), random=st.randoms(use_true_random=False))
    @settings(max_examples=60, deadline=None)
    def check(case: Case, random: Random) -> None:
        first, *others = [state_of(one, profile) for one in case.states]
        states = [first, *(one for one in others if same_instructions(first, one))]
        if len(states) == 1 or not understood(states, profile):
            return
        orders = orders_of(states)
        outcomes = Outcomes(states[0], states[1:], profile)
        written = Ordering.written(states[0].dockerfile)
        for ordering in (written, *(draw(orders, random) for _ in range(3))):
            whole = predicted(states, ordering, profile)
            fast = outcomes.settled(ordering)
            for expected, found in zip(whole, fast, strict=True):
                assert {one.place: one.outcome for one in found if one.place.step > 0} == expected
            checked.append(sum(map(len, whole)))
            strikes = outcomes.struck(ordering, {})
            if strikes is not None:
                assert by_masks(strikes, len(states) - 1) == whole[1:]
                assert count_struck(strikes, len(states) - 1) == list(map(count, fast[1:]))

    check()
    assert sum(checked) > 500


def by_masks(strikes: list[Strike], changes: int) -> list[dict[StepPlace, Predicted]]:
    return [
        {
            one.place: Predicted.MERGED
            if one.merged
            else Predicted.MISS
            if one.missed >> number & 1
            else Predicted.DEPENDS
            if one.open >> number & 1
            else Predicted.HIT
            for one in strikes
            if one.place.step > 0
        }
        for number in range(changes)
    ]


TWO_STAGES = """\
FROM base AS make
COPY a /a
COPY b /b
RUN make
FROM base
COPY --from=make /out /out
COPY c /c
"""


@pytest.mark.parametrize("name", ["classic-26", "buildkit-28"])
def test_an_artefact_that_was_seen_to_come_out_the_same_hits_with_what_stands_on_it(
    name: str,
) -> None:
    profile = PROFILES[name]
    states = [state(TWO_STAGES, a="1", b="1", c="1"), state(TWO_STAGES, a="2", b="1", c="1")]
    outcomes = Outcomes(states[0], states[1:], profile)
    written = Ordering.written(states[0].dockerfile)
    seen = StepPlace(1, 2)
    _, after = outcomes.settled(written)
    assert [one.outcome for one in after][-2:] == [Predicted.DEPENDS] * 2
    _, after = outcomes.settled(written, [{seen}])
    assert [one.outcome for one in after][-2:] == [Predicted.HIT] * 2
    strikes = outcomes.struck(written, {seen: 1})
    assert strikes is not None
    assert count_struck(strikes, 1) == [count(after)]


@pytest.mark.parametrize("name", ["classic-26", "buildkit-28"])
def test_a_hit_that_was_seen_tells_nothing_below_an_artefact_that_is_open(name: str) -> None:
    text = TWO_STAGES.replace("COPY c /c", "COPY --from=make /else /else")
    states = [state(text, a="1", b="1"), state(text, a="2", b="1")]
    outcomes = Outcomes(states[0], states[1:], PROFILES[name])
    written = Ordering.written(states[0].dockerfile)
    lower = StepPlace(1, 3)
    _, after = outcomes.settled(written, [{lower}])
    assert [one.outcome for one in after][-2:] == [Predicted.DEPENDS] * 2
    strikes = outcomes.struck(written, {lower: 1})
    assert strikes is not None
    assert count_struck(strikes, 1) == [count(after)]
    _, after = outcomes.settled(Ordering((written.stages[0], (1, 3, 2))), [{lower}])
    assert [one.outcome for one in after][-2:] == [Predicted.HIT, Predicted.DEPENDS]


def test_what_a_change_strikes_moves_along_with_it() -> None:
    profile = PROFILES["buildkit-28"]
    states = [state(TWO_STAGES, a="1", b="1", c="1"), state(TWO_STAGES, a="2", b="1", c="1")]
    outcomes = Outcomes(states[0], states[1:], profile)
    _, after = outcomes.settled(Ordering(((1, 3, 2, 4), (1, 2, 3))))
    assert [one.outcome.value for one in after][:3] == ["hit", "miss", "miss"]


def test_a_change_that_adds_an_instruction_cannot_be_ranked() -> None:
    first = state("FROM base\nCOPY a /a\n", a="1")
    other = state("FROM base\nCOPY a /a\nRUN x\n", change="edit-dockerfile", a="1")
    with pytest.raises(NotRankableError, match="'edit-dockerfile' adds, removes or replaces"):
        Outcomes(first, [other], PROFILES["classic-26"])


def test_a_step_that_the_model_does_not_understand_is_named() -> None:
    first = state("FROM base\nRUN --mount=type=cache,target=/x x\n")
    with pytest.raises(NotRankableError, match="line 2"):
        Outcomes(first, [], PROFILES["classic-26"])


def test_which_run_comes_last_decides_what_an_artefact_comes_from() -> None:
    profile = PROFILES["buildkit-28"]
    text = """\
FROM base AS make
RUN --mount=type=bind,target=/c make
RUN other
FROM base
COPY --from=make /out /out
"""
    states = [state(text, a="1"), state(text, a="2")]
    outcomes = Outcomes(states[0], states[1:], profile)
    for ordering in (Ordering(((1, 2, 3), (1, 2))), Ordering(((1, 3, 2), (1, 2)))):
        found = {one.place: one.outcome for one in outcomes.settled(ordering)[1]}
        assert found == predicted(states, ordering, profile)[1]
        assert found[StepPlace(1, 2)] is Predicted.DEPENDS


KNOWN_ON_TOP = """\
FROM base AS make
COPY a /a
RUN make
COPY b /out/b
FROM base
COPY --from=make /out /out
"""
ALIKE = """\
FROM base AS make
COPY a /a
RUN make
FROM base AS one
COPY --from=make /out /out
RUN one
FROM base
COPY --from=make /./out /out
COPY --from=one /one /one
"""


@pytest.mark.parametrize("name", ["classic-26", "buildkit-28"])
@pytest.mark.parametrize(
    ("text", "before", "after"),
    [
        (KNOWN_ON_TOP, {"a": "1", "b": "1"}, {"a": "2", "b": "2"}),
        (KNOWN_ON_TOP, {"a": "1", "b": "1"}, {"a": "1", "b": "2"}),
        (ALIKE, {"a": "1"}, {"a": "2"}),
    ],
    ids=["known and unknown", "known alone", "equal keys, unlike definitions"],
)
def test_artefacts_that_are_known_in_part(
    name: str, text: str, before: dict[str, str], after: dict[str, str]
) -> None:
    profile = PROFILES[name]
    states = [state(text, **before), state(text, **after)]
    outcomes = Outcomes(states[0], states[1:], profile)
    written = Ordering.written(states[0].dockerfile)
    whole = predicted(states, written, profile)
    assert [{one.place: one.outcome for one in each} for each in outcomes.settled(written)] == whole
    strikes = outcomes.struck(written, {})
    assert strikes is not None
    assert by_masks(strikes, 1) == whole[1:]
