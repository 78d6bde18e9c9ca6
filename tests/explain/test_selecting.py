"""The selection from a listed tree is that of the walk over a real one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.explain.selecting import parents_of, selected
from bench.workspace import ClientRule, IgnoreRules, WorkspaceError, read_patterns
from bench.workspace.select import select
from bench.workspace.tree import Kind, walk
from tests.workspace.ignore_cases import CASES, make_tree

if TYPE_CHECKING:
    from pathlib import Path

PATTERNS = st.lists(
    st.tuples(
        st.sampled_from(["", "!"]),
        st.lists(
            st.sampled_from(["src", "docs", "build", "deep", "*", "**", "foo", "?.txt", "keep"]),
            min_size=1,
            max_size=3,
        ),
    ),
    max_size=5,
).map(lambda patterns: "".join(f"{sign}{'/'.join(parts)}\n" for sign, parts in patterns))


def listed(root: Path, ignore: bytes, client: ClientRule) -> set[str] | None:
    nodes = list(walk(root))
    try:
        rules = IgnoreRules(read_patterns(ignore), client)
        files, folders = selected(
            [node.path for node in nodes if node.kind is not Kind.DIR],
            [node.path for node in nodes if node.kind is Kind.DIR],
            rules,
        )
    except WorkspaceError:
        return None
    return files | folders


def walked(root: Path, client: ClientRule) -> set[str] | None:
    try:
        selection = select(root, "no/Dockerfile/here", client)
    except WorkspaceError:
        return None
    return {node.path for node in selection.nodes} - selection.sent_although_ignored


@pytest.mark.parametrize("client", ClientRule)
@pytest.mark.parametrize("case", CASES)
def test_awkward_ignore_files_select_the_same(
    tmp_path: Path, case: str, client: ClientRule
) -> None:
    make_tree(tmp_path, CASES[case])

    assert listed(tmp_path, CASES[case], client) == walked(tmp_path, client)


@pytest.mark.parametrize("client", ClientRule)
@settings(max_examples=40)
@given(text=PATTERNS)
def test_any_ignore_file_selects_the_same(
    tmp_path_factory: pytest.TempPathFactory, client: ClientRule, text: str
) -> None:
    root = tmp_path_factory.mktemp("tree")
    make_tree(root, text.encode())

    assert listed(root, text.encode(), client) == walked(root, client)


def test_parents_come_outermost_first() -> None:
    assert parents_of("a/b/c") == ["a", "a/b"]
    assert parents_of("a") == []


def test_a_path_as_deep_as_a_file_system_allows() -> None:
    deep = "/".join(["d"] * 2000)

    assert selected([deep], [], IgnoreRules(["d/d"])) == (set(), set())
