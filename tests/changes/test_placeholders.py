"""Placeholders: four exact tokens, every other brace stays."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.changes import ChangeIds
from bench.changes.placeholders import fill, has_placeholder

IDS = ChangeIds(id="beef", port=1234, n=5, round=6)


def test_each_token_is_filled_wherever_it_stands() -> None:
    assert fill("{id}-{port}{n}/{round}{id}", IDS) == "beef-12345/6beef"


@pytest.mark.parametrize(
    "text",
    ["{", "}", "{}", "{{}}", "{ id }", "{ID}", "{id", "id}", "{idx}", "a { color: red }", "${id_}"],
)
def test_other_braces_are_left_alone(text: str) -> None:
    assert fill(text, IDS) == text
    assert not has_placeholder(text)


def test_token_inside_more_braces_is_filled_once() -> None:
    assert fill("{{id}}", IDS) == "{beef}"


@given(st.text(alphabet="{}idportnrou x"))
def test_filling_again_changes_nothing_more_unless_braces_met(text: str) -> None:
    filled = fill(text, IDS)
    assert has_placeholder(text) == (filled != text)
