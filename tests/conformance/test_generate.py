"""Generated cases: reproducible, buildable by all that is known, and of the whole grammar."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings

from bench.dockerfile import KEYWORDS, external_images, parse
from tests.conformance.base_images import BASE_IMAGES
from tests.conformance.case import SALT, Case, from_json, to_json
from tests.conformance.dialect import BUILDKIT, BUILDKIT_08, CLASSIC, DIALECTS, Dialect
from tests.conformance.edits import CHANGES
from tests.conformance.features import features_of
from tests.conformance.generate import LARGE, SIZES, SMALL, Size, case_of, cases
from tests.conformance.simulate import why_not

_MANY = 400


def many(dialect: Dialect, size: Size = LARGE) -> list[Case]:
    return [case_of(5, number, dialect, size) for number in range(_MANY)]


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda one: one.name)
def test_a_seed_and_a_number_decide_a_case(dialect: Dialect) -> None:
    assert case_of(3, 14, dialect) == case_of(3, 14, dialect)
    assert case_of(3, 14, dialect) != case_of(3, 15, dialect)
    assert case_of(4, 14, dialect) != case_of(3, 14, dialect)


@given(case=cases(BUILDKIT))
@settings(max_examples=150)
def test_every_state_parses_and_would_build(case: Case) -> None:
    for state in case.states:
        dockerfile = parse(state.text)
        assert len(dockerfile.stages) == len(state.stages)
        assert why_not(state, BUILDKIT) is None


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda one: one.name)
def test_every_image_is_one_of_the_salted_bases_or_a_salted_scratch(dialect: Dialect) -> None:
    for case in many(dialect):
        for state in case.states:
            images = {use.image for use in external_images(parse(state.text), state.build_args)}
            assert images <= {*BASE_IMAGES, "scratch"}
            for stage in state.stages:
                if stage.lines[0].text.split()[1] == "scratch":
                    assert SALT in stage.lines[1].text


def test_a_case_has_two_to_six_states_and_often_returns_to_one() -> None:
    returns = 0
    for case in many(BUILDKIT):
        assert 2 <= len(case.states) <= 6
        assert not any(a.built_like(b) for a, b in zip(case.states, case.states[1:], strict=False))
        returns += any(
            state.built_like(earlier)
            for number, state in enumerate(case.states)
            for earlier in case.states[:number]
        )
    assert returns > _MANY // 4


def test_a_classic_case_holds_nothing_that_needs_buildkit() -> None:
    text = "".join(state.text for case in many(CLASSIC) for state in case.states)
    assert "--chown" in text
    for unknown in ("--mount", "--link", "--chmod", "--network", "<<"):
        assert unknown not in text


def test_a_case_for_buildkit_0_8_holds_mounts_but_no_links_or_here_documents() -> None:
    text = "".join(state.text for case in many(BUILDKIT_08) for state in case.states)
    assert "--mount" in text
    assert "--chmod" in text
    for unknown in ("--link", "--network", "<<"):
        assert unknown not in text


def test_the_whole_grammar_is_generated() -> None:
    seen: Counter[str] = Counter()
    for case in many(BUILDKIT):
        for state in case.states:
            for stage in parse(state.text).stages:
                for instruction in stage.instructions:
                    seen.update(features_of(instruction))
    wanted = {
        *KEYWORDS,
        *("COPY --from", "COPY --chown", "COPY --chmod", "COPY --link", "COPY heredoc"),
        *("COPY several sources", "COPY pattern", "COPY whole context", "COPY with variable"),
        *("COPY to a directory", "COPY to a relative place", "ADD of a tar", "ADD --chown"),
        *("RUN mount bind of the context", "RUN mount bind of a stage", "RUN mount cache"),
        *("RUN mount tmpfs", "RUN heredoc", "RUN exec form", "LABEL with variable"),
        *("WORKDIR with variable", "ENV with variable", "FROM with variable"),
    }
    assert {feature for feature in wanted if seen[feature] < 4} == set()


@pytest.mark.parametrize("size", SIZES.values(), ids=lambda one: one.name)
def test_every_kind_of_change_is_made(size: Size) -> None:
    seen: Counter[str] = Counter()
    for case in many(BUILDKIT, size):
        for state in case.states[1:]:
            seen.update(state.change.split(" + "))
    assert {change for change in CHANGES if not seen[change]} == set()
    assert seen["nothing"] < _MANY // 50


def test_small_cases_are_smaller() -> None:
    def lines(size: Size) -> int:
        return sum(len(s.all_lines()) for case in many(BUILDKIT, size) for s in case.states)

    assert lines(SMALL) * 1.5 < lines(LARGE)


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda one: one.name)
def test_a_case_is_the_same_after_it_was_written_and_read(dialect: Dialect) -> None:
    for case in many(dialect)[:60]:
        read = from_json(to_json(case, dialect=dialect.name))
        assert [state.text for state in read.states] == [state.text for state in case.states]
        for one, other in zip(read.states, case.states, strict=True):
            assert one.files == other.files
            assert (one.build_args, one.target, one.bases) == (
                other.build_args,
                other.target,
                other.bases,
            )
