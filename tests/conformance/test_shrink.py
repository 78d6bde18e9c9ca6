"""Shrinking: what does not matter goes, what matters stays."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.conformance.dialect import BUILDKIT, CLASSIC
from tests.conformance.generate import case_of
from tests.conformance.shrink import Shrinker
from tests.conformance.simulate import builds

if TYPE_CHECKING:
    from tests.conformance.case import Case


def buildable(case: Case) -> bool:
    return all(builds(state, BUILDKIT) for state in case.states)


def with_two_copies() -> Case:
    for number in range(500):
        case = case_of(1, number, BUILDKIT)
        if len(case.states) > 3 and len(case.states[0].stages) > 1 and copies(case):
            return case
    raise AssertionError


def copies(case: Case) -> bool:
    """Whether one state copies from a stage, and a later one has another content of a.txt."""
    first, *later = case.states
    return any(line.text.startswith("COPY --from") for line in first.all_lines()) and any(
        "a.txt" in state.files and state.files["a.txt"] != first.files.get("a.txt")
        for state in later
    )


def test_a_case_is_reduced_to_what_the_predicate_asks_for() -> None:
    case = Shrinker(lambda one: copies(one) and buildable(one)).shrink(with_two_copies())
    assert copies(case)
    assert len(case.states) == 2
    for state in case.states:
        assert len(state.all_lines()) <= 3 * len(state.stages)
        assert set(state.files) <= {"a.txt"}
        assert dict(state.build_args) == {}
    assert case.states[0].text == case.states[1].text


def test_a_line_that_matters_stays_and_its_flags_go() -> None:
    def shows(case: Case) -> bool:
        return any("COPY" in line.text and "a.txt" in line.text for line in lines(case))

    def lines(case: Case):  # type: ignore[no-untyped-def]
        return (line for state in case.states for line in state.all_lines())

    start = next(
        case
        for number in range(500)
        if shows(case := case_of(2, number, CLASSIC))
        and any("--chown" in line.text and "a.txt" in line.text for line in lines(case))
    )
    case = Shrinker(lambda one: shows(one) and buildable(one)).shrink(start)
    assert len(case.states) == 1
    assert "--chown" not in case.states[0].text


def test_no_more_candidates_are_tried_than_allowed() -> None:
    tried = []

    def shows(case: Case) -> bool:
        tried.append(case)
        return False

    case = case_of(1, 1, BUILDKIT)
    assert Shrinker(shows, tries=7).shrink(case) == case
    assert len(tried) == 7


def test_no_candidate_is_tried_twice() -> None:
    tried = []

    def shows(case: Case) -> bool:
        tried.append(repr(case.states))
        return len(tried) % 3 == 0

    Shrinker(shows, tries=200).shrink(case_of(1, 3, BUILDKIT))
    assert len(tried) == len(set(tried))
