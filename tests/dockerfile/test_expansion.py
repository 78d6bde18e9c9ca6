"""The cases follow moby/buildkit ``frontend/dockerfile/shell`` (lex.go and its envVarTest)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.dockerfile import expand

VARIABLES = {"A": "1", "PWD": "/home", "EMPTY": "", "한글": "값", "Q": "a b"}


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("he", "he"),
        ("$A", "1"),
        ("x$A.y", "x1.y"),
        ("${A}y", "1y"),
        ("$Ay", ""),
        ("$NONE", ""),
        ("a$NONE.b", "a.b"),
        ("$", "$"),
        ("a$", "a$"),
        ("$.", "$."),
        ("$1x", "x"),
        ("$$x", "x"),
        ("$@x", "x"),
        ("$한글", "값"),
        ("${NONE:-d}", "d"),
        ("${NONE-d}", "d"),
        ("${EMPTY:-d}", "d"),
        ("${EMPTY-d}", ""),
        ("${A:-d}", "1"),
        ("${A:+s}", "s"),
        ("${A+s}", "s"),
        ("${EMPTY:+s}", ""),
        ("${EMPTY+s}", "s"),
        ("${NONE+s}", ""),
        ("${NONE:-$A}", "1"),
        ("${NONE:-${EMPTY:-${A}}}x", "1x"),
        ("${NONE:-}", ""),
        ("'$A'", "$A"),
        ("'a\\b'", "a\\b"),
        ('"$A"', "1"),
        ("\"'$A'\"", "'1'"),
        ("'\"'", '"'),
        ('"a b"c', "a bc"),
        ('"\\$A \\" \\\\ \\n"', '$A " \\ \\n'),
        ("\\$A", "$A"),
        ("\\\\", "\\"),
        ("\\a", "a"),
        ("a\\", "a"),
        ("${Q}", "a b"),
        ("/a/${A}/b:${EMPTY:-latest}", "/a/1/b:latest"),
    ],
)
def test_words_expand_as_buildkit_expands_them(word: str, expected: str) -> None:
    assert expand(word, VARIABLES) == expected


def test_the_escape_character_can_be_another() -> None:
    assert expand("C:\\x`$A", VARIABLES, escape="`") == "C:\\x$A"


@given(st.text(), st.dictionaries(st.text(), st.text(), max_size=3))
def test_any_text_expands(word: str, variables: dict[str, str]) -> None:
    assert isinstance(expand(word, variables), str)


@given(st.text(alphabet="${}:-+AB'\"\\ab1", max_size=30))
def test_any_expression_expands(word: str) -> None:
    assert isinstance(expand(word, {"A": "1"}), str)


@given(st.text(alphabet=st.characters(exclude_characters="$'\"\\")))
def test_plain_text_stays_as_it_is(word: str) -> None:
    assert expand(word, {"A": "1"}) == word
