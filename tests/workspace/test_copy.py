"""Every way to copy a file gives the same file, and the next is tried where one is not offered."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

import pytest

from bench.workspace import copy

if TYPE_CHECKING:
    from pathlib import Path

CONTENTS = [b"", b"x", bytes(range(256)) * 5000]


def unsupported(_reader: int, _writer: int) -> None:
    """What a file system without reflinks answers."""
    raise OSError(errno.EOPNOTSUPP, "not supported")


def broken(_reader: int, _writer: int) -> None:
    """A disk that is full."""
    raise OSError(errno.ENOSPC, "no space left on device")


@pytest.mark.parametrize("content", CONTENTS, ids=len)
@pytest.mark.parametrize("way", [copy._copy_in_kernel, copy._copy_plainly])
def test_each_way_copies_all_bytes(tmp_path: Path, way: copy.Way, content: bytes) -> None:
    (tmp_path / "old").write_bytes(content)
    copy.Copier([way]).copy_content(str(tmp_path / "old"), str(tmp_path / "new"))
    assert (tmp_path / "new").read_bytes() == content


@pytest.mark.parametrize("content", CONTENTS, ids=len)
def test_the_usual_ways_copy_on_this_file_system(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "old").write_bytes(content)
    copier = copy.Copier()
    for name in ("one", "two"):
        copier.copy_content(str(tmp_path / "old"), str(tmp_path / name))
        assert (tmp_path / name).read_bytes() == content
    (tmp_path / "one").write_bytes(b"changed")
    assert (tmp_path / "old").read_bytes() == content


def test_a_way_that_is_not_offered_is_not_tried_again(tmp_path: Path) -> None:
    (tmp_path / "old").write_bytes(b"x")
    copier = copy.Copier([unsupported, copy._copy_plainly])
    copier.copy_content(str(tmp_path / "old"), str(tmp_path / "new"))
    assert (tmp_path / "new").read_bytes() == b"x"
    assert copier.ways == [copy._copy_plainly]


def test_a_real_failure_is_not_taken_for_a_missing_way(tmp_path: Path) -> None:
    (tmp_path / "old").write_bytes(b"x")
    copier = copy.Copier([broken, copy._copy_plainly])
    with pytest.raises(OSError, match="no space"):
        copier.copy_content(str(tmp_path / "old"), str(tmp_path / "new"))


def test_nothing_is_overwritten_and_no_link_followed(tmp_path: Path) -> None:
    (tmp_path / "old").write_bytes(b"x")
    (tmp_path / "link").symlink_to("old")
    with pytest.raises(FileExistsError):
        copy.Copier().copy_content(str(tmp_path / "old"), str(tmp_path / "link"))
    with pytest.raises(OSError, match="symbolic links"):
        copy.Copier().copy_content(str(tmp_path / "link"), str(tmp_path / "new"))
