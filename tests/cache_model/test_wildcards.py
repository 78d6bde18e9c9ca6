"""Wildcards match as Go's path.Match does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.cache_model.wildcards import has_wildcards, matches, split_wildcards

# From Go's own table for path.Match (src/path/match_test.go): pattern, name, whether it matches.
GO = [
    ("abc", "abc", True),
    ("*", "abc", True),
    ("*c", "abc", True),
    ("a*", "a", True),
    ("a*", "abc", True),
    ("a*", "ab/c", False),
    ("a*/b", "abc/b", True),
    ("a*/b", "a/c/b", False),
    ("a*b*c*d*e*/f", "axbxcxdxe/f", True),
    ("a*b*c*d*e*/f", "axbxcxdxexxx/f", True),
    ("a*b*c*d*e*/f", "axbxcxdxe/xxx/f", False),
    ("a*b?c*x", "abxbbxdbxebxczzx", True),
    ("a*b?c*x", "abxbbxdbxebxczzy", False),
    ("ab[c]", "abc", True),
    ("ab[b-d]", "abc", True),
    ("ab[e-g]", "abc", False),
    ("ab[^c]", "abc", False),
    ("ab[^b-d]", "abc", False),
    ("ab[^e-g]", "abc", True),
    (r"a\*b", "a*b", True),
    (r"a\*b", "ab", False),
    ("a?b", "a☺b", True),
    ("a[^a]b", "a☺b", True),
    ("a?b", "a/b", False),
    ("a*b", "a/b", False),
    (r"[\]a]", "]", True),
    (r"[\-]", "-", True),
    (r"[x\-]", "x", True),
    (r"[x\-]", "-", True),
    (r"[\-x]", "a", False),
    ("[]a]", "]", False),
    ("[-]", "-", True),
    ("[", "a", False),
    ("[^", "a", False),
    ("[^bc", "a", False),
    ("a[", "ab", False),
    ("*x", "xxx", True),
    (".*", ".git", True),
    ("*", ".git", True),
    ("**", "a", True),
    ("**", "a/b", False),
]


@pytest.mark.parametrize(("pattern", "name", "expected"), GO)
def test_matches_like_go(pattern: str, name: str, expected: bool) -> None:
    assert matches(pattern, name) is expected


@given(st.text(alphabet="ab*?[]^-\\/.", max_size=8), st.text(alphabet="ab/.^-]", max_size=6))
def test_any_pattern_gives_an_answer(pattern: str, name: str) -> None:
    assert matches(pattern, name) in {True, False}


@given(st.text(alphabet="abc/.", min_size=1, max_size=8))
def test_a_plain_path_matches_itself_alone(path: str) -> None:
    assert not has_wildcards(path)
    assert matches(path, path)
    assert not matches(path, path + "x")


@pytest.mark.parametrize(
    ("path", "parts"),
    [
        ("a/b", ("a/b", "")),
        ("*.txt", ("", "*.txt")),
        ("a/b*/c", ("a", "b*/c")),
        (r"a\*/b", (r"a\*/b", "")),
    ],
)
def test_splits_before_the_first_component_with_a_wildcard(
    path: str, parts: tuple[str, str]
) -> None:
    assert split_wildcards(path) == parts
