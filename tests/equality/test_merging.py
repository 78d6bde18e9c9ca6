from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.equality.layers import UNSAID, Entry, Layer
from bench.equality.merging import Files, differing_paths
from tests.equality.tars import file, folder, gone, hard_link, layer_of, link, opaque

if TYPE_CHECKING:
    from collections.abc import Sequence

NAMES = ("a", "b", "c")
PATHS = [
    *NAMES,
    *(f"{one}/{two}" for one in NAMES for two in NAMES),
    *(f"{one}/{two}/a" for one in NAMES for two in NAMES),
]


def below() -> Files:
    raise AssertionError("the files underneath are not needed here")


def test_the_top_layer_decides() -> None:
    files = Files([layer_of(file("a", b"1")), layer_of(file("a", b"22", mode=0o600))])
    found = files.at("a")
    assert found is not None
    assert (found.size, found.mode) == (2, 0o600)


def test_a_whiteout_removes_what_is_below_and_not_what_is_beside() -> None:
    lower = layer_of(folder("d"), file("d/f"), folder("d/e"), file("d/e/g"), file("d2"))
    files = Files([lower, layer_of(gone("d"))])
    assert set(files.entries) == {"d2"}
    assert files.gone == {"d"}
    assert files.at("d/e/g", Files([lower])) is None


def test_a_whiteout_spares_its_own_layer() -> None:
    lower = layer_of(folder("d"), file("d/old"))
    files = Files([lower, layer_of(gone("d"), folder("d"), file("d/new"))])
    assert set(files.entries) == {"d", "d/new"}
    assert files.at("d/old", Files([lower])) is None


@pytest.mark.parametrize("hiding", [opaque("d"), gone("d/old")])
def test_an_opaque_folder_is_as_good_as_single_whiteouts(hiding: object) -> None:
    base = Files([layer_of(folder("d"), file("d/old"))])
    first = Files([layer_of(folder("d"), opaque("d"), file("d/new"))])
    second = Files([layer_of(folder("d"), hiding, file("d/new"))])  # type: ignore[arg-type]
    assert differing_paths(first, second, lambda: base) == {}


def test_what_an_opaque_folder_hides_is_missing_though_no_whiteout_says_so() -> None:
    base = Files([layer_of(folder("d"), file("d/old"))])
    first = Files([layer_of(folder("d"), opaque("d"))])
    second = Files([layer_of(folder("d"))])
    assert list(differing_paths(first, second, lambda: base)) == ["d/old"]


def test_a_file_that_takes_the_place_of_a_folder_removes_what_was_in_it() -> None:
    lower = layer_of(folder("d"), file("d/f"))
    files = Files([lower, layer_of(link("d", "elsewhere"))])
    assert set(files.entries) == {"d"}
    # … and a folder in its place again has nothing of the first one.
    again = Files([lower, layer_of(file("d")), layer_of(folder("d"), file("d/n"))])
    assert again.at("d/f", Files([lower])) is None


def test_what_is_removed_and_never_was_there_is_no_difference() -> None:
    base = Files([layer_of(folder("d"), file("d/f"))])
    first = Files([layer_of(folder("tmp"), file("tmp/x")), layer_of(gone("tmp"))])
    assert differing_paths(first, Files([]), lambda: base) == {}
    assert differing_paths(Files([layer_of(gone("d/f"))]), Files([]), lambda: base) == {
        "d/f": (None, base.at("d/f"))
    }


def test_a_removed_folder_of_the_base_is_missing_with_all_that_is_in_it() -> None:
    base = Files([layer_of(folder("d"), file("d/f"), file("e"))])
    found = differing_paths(Files([layer_of(gone("d"))]), Files([]), lambda: base)
    assert list(found) == ["d", "d/f"]


def test_an_entry_that_says_what_the_base_has_anyway_is_no_difference() -> None:
    base = Files([layer_of(folder("etc", mode=0o700))])
    first = Files([layer_of(folder("etc", mode=0o700), file("etc/x"))])
    second = Files([layer_of(file("etc/x"))])
    assert differing_paths(first, second, lambda: base) == {}
    other = Files([layer_of(folder("etc", mode=0o755), file("etc/x"))])
    assert list(differing_paths(other, second, lambda: base)) == ["etc"]


def test_a_folder_without_an_entry_is_a_usual_one() -> None:
    first = Files([layer_of(file("d/f"))])
    assert first.at("d") == UNSAID
    second = Files([layer_of(folder("d"), file("d/f"))])
    assert differing_paths(first, second, lambda: Files([])) == {}


def test_the_files_underneath_are_read_only_if_need_be() -> None:
    first = Files([layer_of(folder("d"), file("d/f", b"1")), layer_of(gone("g"))])
    second = Files([layer_of(gone("g"), folder("d"), file("d/f", b"2"))])
    assert list(differing_paths(first, second, below)) == ["d/f"]
    linked = Files([layer_of(folder("d"), hard_link("d/f", "d/g"), gone("g"))])
    base = Files([layer_of(folder("d"), file("d/g", b"1"))])
    assert differing_paths(first, linked, lambda: base) == {}


@st.composite
def layers(draw: st.DrawFn) -> Layer:
    """Return a layer as storage drivers make them: with an entry for each folder on the way."""
    layer = Layer()
    for path in draw(st.lists(st.sampled_from(PATHS), max_size=5, unique=True)):
        kind = draw(st.sampled_from(["file", "folder", "gone", "opaque"]))
        parents = [path[:place] for place, char in enumerate(path) if char == "/"]
        if any(
            one in layer.gone or (one in layer.entries and layer.entries[one].type == "file")
            for one in parents
        ):
            continue
        for parent in parents:
            layer.entries.setdefault(parent, Entry("directory", 0o755, 0, 0))
        if kind == "file" and path not in layer.entries:
            layer.entries[path] = Entry("file", 0o644, 0, 0, draw(st.integers(0, 2)))
        elif kind in {"folder", "opaque"} and path not in layer.entries and path not in layer.gone:
            layer.entries[path] = Entry("directory", draw(st.sampled_from([0o755, 0o700])), 0, 0)
            if kind == "opaque":
                layer.opaque.add(path)
        elif kind == "gone" and path not in layer.entries:
            layer.gone.add(path)
    return layer


def applied(stack: Sequence[Layer]) -> dict[str, Entry]:
    """Apply layers as an engine unpacks them, one above the other (moby ``archive/diff.go``)."""
    tree: dict[str, Entry] = {}

    def remove(path: str, *, itself: bool = True) -> None:
        for one in list(tree):
            if one.startswith(path + "/") or (itself and one == path):
                del tree[one]

    for layer in stack:
        for path in layer.gone:
            remove(path)
        for path in layer.opaque:
            remove(path, itself=False)
        for path, entry in layer.entries.items():
            if entry.type == "file" or (path in tree and tree[path].type == "file"):
                remove(path)
            tree[path] = entry
    return tree


@given(st.lists(layers(), max_size=4))
def test_merging_is_what_unpacking_one_above_the_other_gives(stack: list[Layer]) -> None:
    assert Files(stack).entries == applied(stack)


@given(
    st.lists(layers(), max_size=2), st.lists(layers(), max_size=2), st.lists(layers(), max_size=2)
)
def test_layers_in_common_may_be_left_out(
    shared: list[Layer], first: list[Layer], second: list[Layer]
) -> None:
    one, other = applied([*shared, *first]), applied([*shared, *second])
    expected = {
        path: (one.get(path), other.get(path))
        for path in one.keys() | other.keys()
        if one.get(path) != other.get(path)
    }
    assert differing_paths(Files(first), Files(second), lambda: Files(shared)) == expected
