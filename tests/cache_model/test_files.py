"""Paths and links in a tree of files."""

from __future__ import annotations

import pytest

from bench.cache_model.files import FileTree, clean
from tests.cache_model.states import context, file, folder, link

TREE = FileTree.of_manifest(
    context(
        file("a"),
        file("d/e/f"),
        file("d-x/y"),
        folder("empty"),
        link("to-a", "a"),
        link("to-d", "d"),
        link("up", "d/../a"),
        link("absolute", "/d/e"),
        link("out", "../../../a"),
        link("loop", "loop"),
        link("d/back", "../a"),
    )
)


@pytest.mark.parametrize(
    ("path", "reached"),
    [
        ("a", "a"),
        ("to-a", "a"),
        ("to-d/e/f", "d/e/f"),
        ("up", "a"),
        ("absolute/f", "d/e/f"),
        ("out", "a"),
        ("d/back", "a"),
        ("to-d/back", "a"),
        ("no/where", "no/where"),
        ("loop", "loop"),
    ],
)
def test_links_are_followed_and_never_lead_out(path: str, reached: str) -> None:
    assert TREE.resolve(path) == reached


def test_the_last_link_is_kept_if_asked() -> None:
    assert TREE.resolve("to-d/back", last=False) == "d/back"


def test_what_is_below_comes_by_component() -> None:
    """``d-x`` sorts between ``d`` and ``d/e`` as a string, but lies in neither."""
    assert list(TREE.below("d")) == ["d/back", "d/e", "d/e/f"]


@pytest.mark.parametrize(
    ("path", "is_dir"), [("", True), ("d", True), ("empty", True), ("a", False), ("none", False)]
)
def test_knows_folders(path: str, *, is_dir: bool) -> None:
    assert TREE.is_dir(path) is is_dir


def test_a_folder_that_is_only_implied_exists() -> None:
    tree = FileTree({"x/y/z": TREE.nodes["a"]})
    assert tree.exists("x/y")
    assert tree.is_dir("x")
    assert not tree.exists("x/q")


@pytest.mark.parametrize(
    ("path", "expected"),
    [(".", ""), ("./a", "a"), ("/a/", "a"), ("a/../b", "b"), ("../a", "a"), ("//a//b", "a/b")],
)
def test_clean(path: str, expected: str) -> None:
    assert clean(path) == expected
