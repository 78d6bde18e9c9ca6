"""A first build, the builds after it, and where their misses begin."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bench.cache_model import Predicted, find_profile
from bench.errors import UsageError
from bench.predicting import look_ahead

if TYPE_CHECKING:
    from bench.predicting import Rebuild
    from tests.predicting.conftest import MakeState

BUILDKIT, CLASSIC = find_profile("buildkit"), find_profile("classic")
TEXT = "FROM a AS s\nCOPY x y /\nRUN make\nRUN test\nFROM b\nCOPY --from=s /out /\nRUN use\n"


def outcomes(rebuild: Rebuild) -> list[str]:
    return [one.outcome.value for one in rebuild.prediction.decisions if one.step > 1]


def test_each_change_is_made_to_the_first_state_alone(make_state: MakeState) -> None:
    first = make_state(TEXT, {"x": "1", "y": "1"})
    other = make_state(TEXT, {"x": "2", "y": "1"}, change="edit")

    outlook = look_ahead([first, other, other], BUILDKIT)

    assert [one.change for one in outlook.rebuilds] == ["edit", "edit"]
    assert outcomes(outlook.rebuilds[0]) == outcomes(outlook.rebuilds[1])
    assert outcomes(outlook.rebuilds[1])[0] == "miss"


def test_in_a_sequence_everything_that_was_built_stays(make_state: MakeState) -> None:
    first = make_state(TEXT, {"x": "1", "y": "1"})
    other = make_state(TEXT, {"x": "2", "y": "1"}, change="edit")

    outlook = look_ahead([first, other, other, first], BUILDKIT, in_sequence=True)

    assert "miss" in outcomes(outlook.rebuilds[0])
    assert set(outcomes(outlook.rebuilds[1])) == {"hit"}
    assert set(outcomes(outlook.rebuilds[2])) == {"hit"}


def test_a_cause_is_named_once_where_the_misses_begin(make_state: MakeState) -> None:
    first = make_state(TEXT, {"x": "1", "y": "1"})
    other = make_state(TEXT.replace("RUN use", "RUN used"), {"x": "2", "y": "1"})

    causes = look_ahead([first, other], BUILDKIT).rebuilds[0].causes

    assert [(one.step, one.line, one.outcome) for one in causes] == [
        ("s:2 COPY x y /", 2, Predicted.MISS),
        ("1:2 COPY --from=s /out /", 6, Predicted.DEPENDS),
        ("1:3 RUN used", 7, Predicted.MISS),
    ]
    assert causes[0].detail == "x changed"
    assert "stage s" in causes[1].detail
    assert causes[2].detail == "it was `RUN use`"


def test_a_step_that_follows_names_the_one_that_it_goes_back_to(make_state: MakeState) -> None:
    first, other = make_state(TEXT, {"x": "1", "y": "1"}), make_state(TEXT, {"x": "2", "y": "1"})
    rebuild = look_ahead([first, other], CLASSIC).rebuilds[0]
    tested = next(one for one in rebuild.prediction.decisions if one.text == "RUN test")

    assert rebuild.detail(tested) == "s:2 COPY x y / comes before it"


def test_the_first_build_has_one_cause(make_state: MakeState) -> None:
    cold = look_ahead([make_state(TEXT, {"x": "1", "y": "1"})], CLASSIC).cold

    assert [one.step for one in cold.causes if one.outcome is Predicted.MISS] == ["s:2 COPY x y /"]
    assert cold.scored == cold.count(Predicted.MISS) + cold.count(Predicted.DEPENDS)


def test_another_layer_of_a_base_image_is_a_changed_base(make_state: MakeState) -> None:
    first, later = (
        make_state("FROM a\nRUN x\n"),
        make_state("FROM a\nRUN x\n", base_layers={"a": "1"}),
    )

    (rebuild,) = look_ahead([first, later], BUILDKIT).rebuilds

    assert [one.detail for one in rebuild.causes] == ["the base image a changed"]


def test_a_target_that_is_not_there_is_refused_with_those_there_are(make_state: MakeState) -> None:
    with pytest.raises(UsageError, match=r"no stage 'x'.*it has: s, 1"):
        make_state(TEXT, target="x")
