"""Content is written whole, and every new content has a later mtime."""

from __future__ import annotations

import os
import stat
import time
from typing import TYPE_CHECKING

import pytest

from bench.changes.files import SECOND_NS, later_than, move_forward, own_inode, write_content

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("ahead_seconds", [-100_000, 0, 5, 100_000])
def test_new_mtime_is_later_by_a_whole_second_even_from_the_future(ahead_seconds: int) -> None:
    old = time.time_ns() + ahead_seconds * SECOND_NS
    new = later_than(old)
    assert new // SECOND_NS > old // SECOND_NS
    assert new >= time.time_ns() - SECOND_NS


@pytest.mark.parametrize("ahead_seconds", [-100_000, 0, 100_000])
def test_written_file_moves_forward_and_keeps_its_mode(tmp_path: Path, ahead_seconds: int) -> None:
    file = tmp_path / "run.sh"
    file.write_text("old")
    file.chmod(0o750)
    old = time.time_ns() + ahead_seconds * SECOND_NS
    os.utime(file, ns=(old, old))
    write_content(file, b"new")
    status = file.stat()
    assert file.read_bytes() == b"new"
    assert stat.S_IMODE(status.st_mode) == 0o750
    assert status.st_mtime_ns // SECOND_NS > old // SECOND_NS


def test_writing_leaves_the_folders_mtime_and_no_other_file(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_text("old")
    os.utime(tmp_path, ns=(SECOND_NS, SECOND_NS))
    write_content(file, b"new")
    assert tmp_path.stat().st_mtime_ns == SECOND_NS
    assert [one.name for one in tmp_path.iterdir()] == ["a"]


def test_hard_link_elsewhere_keeps_the_old_content_mode_and_mtime(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("precious")
    os.utime(outside, ns=(SECOND_NS, SECOND_NS))
    (tmp_path / "a").hardlink_to(outside)
    (tmp_path / "b").hardlink_to(outside)
    (tmp_path / "c").hardlink_to(outside)
    write_content(tmp_path / "a", b"new")
    move_forward(tmp_path / "b")
    own_inode(tmp_path / "c")
    (tmp_path / "c").chmod(0o777)
    assert outside.read_text() == "precious"
    assert outside.stat().st_mtime_ns == SECOND_NS
    assert stat.S_IMODE(outside.stat().st_mode) != 0o777
    assert (tmp_path / "b").read_text() == (tmp_path / "c").read_text() == "precious"


def test_failed_write_leaves_the_old_file_and_nothing_beside_it(tmp_path: Path) -> None:
    folder = tmp_path / "a"
    folder.mkdir()
    (folder / "x").write_text("")
    with pytest.raises(OSError, match="a"):
        write_content(folder, b"cannot replace a folder")
    assert [one.name for one in tmp_path.iterdir()] == ["a"]
