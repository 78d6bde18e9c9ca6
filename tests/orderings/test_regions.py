"""Places in an image: two that may be one are never held for two."""

from __future__ import annotations

import pytest

from bench.orderings.regions import EVERYTHING, Region


@pytest.mark.parametrize(
    ("one", "other", "overlap"),
    [
        ("/a", "/a", True),
        ("/a", "/a/b", True),
        ("/a", "/ab", False),
        ("/a/b", "/a/c", False),
        ("/", "/a", True),
        ("/a//b/", "/a/./b", True),
        ("/a/../b", "/b", True),
        ("/a/*.go", "/a/x.go", True),
        ("/a/*.go", "/a/x.c", False),
        ("/a/*.go", "/a", True),
        ("/a/*", "/a/b/c", True),
        ("/a/*.go", "/a/x*", True),
        ("/a/**/x", "/a/b", True),
        # Usual links.
        ("/bin/sh", "/usr/bin/sh", True),
        ("/sbin/init", "/usr/bin/init", True),
        ("/lib/x", "/usr/lib64/x", True),
        ("/var/run/x", "/run/x", True),
        ("/var/lock/x", "/run/lock/x", True),
        ("/home/x", "/var/home/x", True),
        ("/usr/local/sbin/x", "/usr/local/bin/x", True),
        ("/bin/sh", "/usr/lib/sh", False),
        # A folder itself, without what is in it.
        ("/a/.", "/a", True),
        ("/a/.", "/a/b", False),
        ("/a/.", "/a/.", True),
    ],
)
def test_places_overlap_where_a_path_may_be_in_both(one: str, other: str, overlap: bool) -> None:
    assert Region.of(one).overlaps(Region.of(other)) == overlap
    assert Region.of(other).overlaps(Region.of(one)) == overlap


def test_a_place_covers_what_is_below_it_alone() -> None:
    assert Region.of("/a").covers(Region.of("/a/b"))
    assert not Region.of("/a/b").covers(Region.of("/a"))
    assert EVERYTHING.covers(Region.of("/a"))


def test_unknown_places_may_be_anywhere_but_compare_below_one_root() -> None:
    base = Region.unknown("the working directory of x")
    one, other = base.child("one"), base.child("other")

    assert one.overlaps(Region.of("/a"))
    assert one.overlaps(Region.unknown("another"))
    assert not one.overlaps(other)
    assert one.overlaps(base)
    assert one.child("deep").shown == "the working directory of x/one/deep"


def test_a_way_out_of_an_unknown_place_leads_nowhere_that_is_known() -> None:
    base = Region.unknown("it")

    assert base.joined("../a") is None
    assert base.joined("a/../b") == base.child("b")
    assert base.joined("/a") == Region.of("/a")


@pytest.mark.parametrize(
    ("directory", "path", "found"),
    [("/app", ".", "/app"), ("/app", "./", "/app"), ("/app", "../x/.", "/x"), ("/", "a", "/a")],
)
def test_a_relative_path_is_seen_from_the_working_directory(
    directory: str, path: str, found: str
) -> None:
    assert Region.of(directory).joined(path) == Region.of(found)


def test_the_folders_above_are_as_written_and_the_root_is_none() -> None:
    assert [one.shown for one in Region.of("/opt/a/b").above()] == ["/opt", "/opt/a"]
    assert Region.of("/a").above() == []
    unknown = Region.unknown("it").child("a/b")
    assert [one.shown for one in unknown.above()] == ["it", "it/a"]
