"""Looking at a tree, and knowing when a later change cannot hide in the same clock tick."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest

from bench.workspace.tree import (
    Kind,
    Lister,
    coarse_clock_ns,
    list_directory,
    look,
    settle,
    walk,
)
from tests.workspace.conftest import write_files

if TYPE_CHECKING:
    from pathlib import Path


def test_settle_waits_until_the_file_systems_clock_has_passed() -> None:
    for _ in range(20):
        stamp = coarse_clock_ns()
        settle(stamp)
        assert coarse_clock_ns() > stamp


def test_settle_does_not_wait_for_a_stamp_far_in_the_future() -> None:
    start = time.monotonic()
    settle(time.time_ns() + 3600 * 10**9)
    assert time.monotonic() - start < 5


def test_a_directory_is_listed_in_byte_order_and_links_are_not_followed(tmp_path: Path) -> None:
    write_files(tmp_path, {"b": b"", "B": b"", "é": b"", "a/x": b""})
    (tmp_path / "c").symlink_to("a")
    nodes = list_directory(tmp_path, "")
    assert [node.path for node in nodes] == ["B", "a", "b", "c", "é"]
    assert [node.kind for node in nodes][3] is Kind.SYMLINK
    assert {node.path for node in walk(tmp_path)} == {"B", "a", "a/x", "b", "c", "é"}


def test_a_directory_is_read_again_only_if_a_name_in_it_came_or_went(tmp_path: Path) -> None:
    write_files(tmp_path, {"a": b"", "b": b""})
    settle(os.lstat(tmp_path).st_ctime_ns)
    lister = Lister(tmp_path)
    lister.list(lister.top())
    (tmp_path / "a").write_bytes(b"longer")
    sizes = {node.path: node.size for node in lister.list(lister.top())}
    assert sizes == {"a": 6, "b": 0}
    assert lister.directories_read == 1
    (tmp_path / "b").rename(tmp_path / "c")
    assert {node.path for node in lister.list(lister.top())} == {"a", "c"}
    assert lister.directories_read == 2


def test_a_name_that_comes_within_the_same_clock_tick_is_seen(tmp_path: Path) -> None:
    lister = Lister(tmp_path)
    for number in range(300):
        (tmp_path / str(number)).touch()
        assert len(lister.list(lister.top())) == number + 1


def test_a_directory_whose_clock_tick_is_not_over_is_not_remembered(tmp_path: Path) -> None:
    """On kernels without finer stamps a change in the same tick would leave the same one."""
    lister = Lister(tmp_path)
    node = lister.top()._replace(ctime_ns=time.time_ns() + 10**9)
    write_files(tmp_path, {"a": b""})
    assert len(lister.list(node)) == 1
    write_files(tmp_path, {"b": b""})
    assert len(lister.list(node)) == 2


def test_a_directory_that_changes_while_it_is_looked_at_is_read(tmp_path: Path) -> None:
    write_files(tmp_path, {"a": b"", "b": b""})
    settle(os.lstat(tmp_path).st_ctime_ns)
    lister = Lister(tmp_path)
    before = lister.top()
    lister.list(before)
    (tmp_path / "a").unlink()
    assert [node.path for node in lister.list(before)] == ["b"]


def test_nothing_is_seen_behind_a_file_or_where_nothing_is(tmp_path: Path) -> None:
    write_files(tmp_path, {"a": b""})
    assert look(tmp_path, "a/b") is None
    assert look(tmp_path, "c") is None


def test_parents_come_before_what_is_inside(tmp_path: Path) -> None:
    write_files(tmp_path, {"a/b/c/d": b"", "a/e": b""})
    seen: set[str] = set()
    for node in walk(tmp_path):
        assert os.path.dirname(node.path) in seen | {""}  # noqa: PTH120
        seen.add(node.path)


def test_an_unreadable_directory_is_tried_again_if_told_so(without_root: Path) -> None:
    write_files(without_root, {"a/b": b""})
    (without_root / "a").chmod(0)
    with pytest.raises(PermissionError):
        list(walk(without_root))

    def unlock(path: str, _: OSError) -> bool:
        (without_root / path).chmod(0o700)
        return True

    assert [node.path for node in walk(without_root, unlock)] == ["a", "a/b"]
