"""What the builders' content hashes tell apart, and what not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.cache_model.files import FileTree
from bench.cache_model.hashing import BuildKitHash, ClassicHash, MissingSourceError
from bench.cache_model.profiles import BUILDKIT_08, BUILDKIT_28
from tests.cache_model.states import context, file, folder, link

if TYPE_CHECKING:
    from bench.cache_model import Profile
    from bench.workspace.manifest import Entry


def buildkit(source: str, *entries: Entry, profile: Profile = BUILDKIT_28) -> str:
    return BuildKitHash(FileTree.of_manifest(context(*entries)), profile).select(source).digest


def classic(source: str, *entries: Entry) -> str:
    return ClassicHash(FileTree.of_manifest(context(*entries))).select((source,)).digest


def test_buildkit_leaves_the_name_of_a_single_file_out() -> None:
    assert buildkit("a", file("a", "1")) == buildkit("b", file("b", "1"))
    assert buildkit("d", file("d/a", "1")) != buildkit("d", file("d/b", "1"))
    assert buildkit("d", file("d/a", "1")) == buildkit("e", file("e/a", "1"))


def test_classic_hashes_the_full_name() -> None:
    assert classic("a", file("a", "1")) != classic("b", file("b", "1"))
    assert classic("d", file("d/a", "1")) != classic("e", file("e/a", "1"))


def test_a_link_inside_a_folder_counts_as_link_for_buildkit_and_as_target_for_classic() -> None:
    one = (file("d/a", "1"), file("d/b", "1"), link("d/l", "a"))
    other = (file("d/a", "1"), file("d/b", "1"), link("d/l", "./a"))
    assert buildkit("d", *one) != buildkit("d", *other)
    assert classic("d", *one) == classic("d", *other)


def test_a_wildcard_with_one_match_of_its_own_name_is_like_the_file() -> None:
    """``a*/x`` that matches one ``x`` is hashed as that ``x`` (checksum.go)."""
    assert buildkit("a*/x", file("ab/x", "1")) == buildkit("ab/x", file("ab/x", "1"))
    assert buildkit("*", file("x", "1")) != buildkit("x", file("x", "1"))


def test_a_wildcard_over_folders_lists_files_since_0_9() -> None:
    """A file that moves between two matched folders keeps its place in the list of names."""
    before = (folder("d1"), folder("d2"), file("d1/x", "1"))
    moved = (folder("d1"), folder("d2"), file("d2/x", "1"))
    for profile in (BUILDKIT_08, BUILDKIT_28):
        assert buildkit("d*", *before, profile=profile) != buildkit("d*", *moved, profile=profile)


def test_a_wildcard_that_matches_nothing_is_empty_for_buildkit_and_an_error_for_classic() -> None:
    assert buildkit("*.no", file("a")) == buildkit("*.nein", file("b"))
    with pytest.raises(MissingSourceError):
        classic("*.no", file("a"))


def test_a_source_that_is_not_there() -> None:
    with pytest.raises(MissingSourceError):
        buildkit("nowhere", file("a"))
    with pytest.raises(MissingSourceError):
        classic("nowhere", file("a"))


def test_paths_name_all_that_is_selected() -> None:
    tree = FileTree.of_manifest(context(file("d/a"), file("d/e/b"), file("x")))
    assert BuildKitHash(tree, BUILDKIT_28).select("d").paths == ("d", "d/a", "d/e", "d/e/b")
    assert ClassicHash(tree).select(("x", "d")).paths == ("x", "d", "d/a", "d/e", "d/e/b")


NAMES = st.sampled_from(["a", "b", "d/a", "d/b", "d/e/c", "z"])
TREES = st.dictionaries(NAMES, st.sampled_from(["1", "2"]), min_size=1)


@given(TREES, TREES)
def test_the_whole_context_is_equal_only_if_every_file_is(
    one: dict[str, str], other: dict[str, str]
) -> None:
    first = [file(path, text) for path, text in one.items()]
    second = [file(path, text) for path, text in other.items()]
    assert (buildkit(".", *first) == buildkit(".", *second)) == (one == other)
    assert (classic(".", *first) == classic(".", *second)) == (one == other)
