from __future__ import annotations

import hashlib
import io
import tarfile

import pytest

from bench.bases.salt import neutral_layer
from bench.equality.layers import HARD_LINK, Entry, Layer, read_layer, relative
from bench.equality.merging import Files
from tests.equality.tars import (
    CAPABILITY,
    device,
    file,
    folder,
    gone,
    hard_link,
    layer_of,
    link,
    member,
    opaque,
)


def test_an_entry_holds_all_but_the_times() -> None:
    layer = layer_of(
        folder("./d/", mode=0o2750, uid=3_000_000, gid=7, mtime=5),
        file("d/f", b"abc", mode=0o4755, xattrs={"security.capability": CAPABILITY}),
        link("d/s", "../elsewhere"),
        device("d/null", 1, 3),
        member("d/p", type=tarfile.FIFOTYPE),
    )
    assert layer.entries == {
        "d": Entry("directory", 0o2750, 3_000_000, 7),
        "d/f": Entry(
            "file",
            0o4755,
            0,
            0,
            3,
            hashlib.sha256(b"abc").hexdigest(),
            xattrs=(("security.capability", CAPABILITY),),
        ),
        "d/s": Entry("symlink", 0o777, 0, 0, target="../elsewhere"),
        "d/null": Entry("character device", 0o644, 0, 0, device=(1, 3)),
        "d/p": Entry("fifo", 0o644, 0, 0),
    }


def test_a_gzipped_layer_is_the_same() -> None:
    members = [folder("d"), file("d/f", b"x" * 100_000)]
    assert layer_of(*members) == layer_of(*members, gzipped=True)


def test_a_name_that_is_not_utf_8_keeps_its_bytes() -> None:
    layer = layer_of(file("n\udcffm", b"q"), link("s", "to\udcfe"))
    assert layer.entries["n\udcffm"].size == 1
    assert layer.entries["s"].target == "to\udcfe"


def test_a_salt_is_a_layer_without_files() -> None:
    assert read_layer(io.BytesIO(neutral_layer("salt 1"))) == Layer()
    with pytest.raises(tarfile.TarError):
        read_layer(io.BytesIO(b"no tar at all" * 100))


def test_a_hard_link_is_its_target() -> None:
    layer = layer_of(file("a", b"one", mode=0o600), hard_link("b", "./a"))
    assert layer.entries["b"] == layer.entries["a"]
    assert not layer.links


def test_a_later_member_of_one_name_counts() -> None:
    layer = layer_of(file("a", b"one"), file("a", b"three"))
    assert layer.entries["a"].size == 5
    relinked = layer_of(hard_link("a", "below"), file("a", b"one"))
    assert (relinked.entries["a"].size, relinked.links) == (3, {})


def test_whiteouts_are_no_files_and_notes_of_drivers_are_nothing() -> None:
    layer = layer_of(gone("d/f"), gone("top"), opaque("o"), file(".wh..wh.plnk"))
    assert (layer.entries, layer.gone, layer.opaque) == ({}, {"d/f", "top"}, {"o"})


@pytest.mark.parametrize(
    ("name", "path"), [("./", ""), ("/", ""), ("/a/b/", "a/b"), ("./a", "a"), ("a/../b", "b")]
)
def test_names_are_paths_below_the_root(name: str, path: str) -> None:
    assert relative(name) == path


def test_a_link_to_a_lower_layer_is_that_layers_file() -> None:
    lower = layer_of(file("a", b"old"))
    upper = layer_of(hard_link("b", "a"))
    top = layer_of(file("a", b"new one"))
    files = Files([lower, upper, top])
    assert files.at("b") == lower.entries["a"]
    assert Files([upper]).entries["b"].type == HARD_LINK
    assert Files([upper]).at("b", Files([lower])) == lower.entries["a"]
