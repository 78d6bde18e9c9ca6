"""Paths of a change stay inside the scratch copy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bench.changes import resolve_inside
from bench.changes.paths import entry_inside, path_fault
from bench.errors import ChangeError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "..", "../x", "a/../../x", "a/..", "", " ", ".", "./", "a\0b", "//x"]
)
def test_spelling_that_leads_out_is_refused(tmp_path: Path, path: str) -> None:
    assert path_fault(path)
    with pytest.raises(ChangeError, match="path"):
        resolve_inside(tmp_path, path)


def test_plain_path_need_not_exist(tmp_path: Path) -> None:
    assert resolve_inside(tmp_path, "a/./b") == tmp_path.resolve() / "a" / "b"


@pytest.mark.parametrize("path", ["out", "out/x", "folder/out", "folder/out/deeper/x"])
def test_symlink_that_leads_out_is_refused_wherever_it_stands(tmp_path: Path, path: str) -> None:
    root = tmp_path / "root"
    (root / "folder").mkdir(parents=True)
    (tmp_path / "outside").mkdir()
    (root / "out").symlink_to("../outside")
    (root / "folder" / "out").symlink_to(tmp_path / "outside")
    for resolve in (resolve_inside, entry_inside):
        with pytest.raises(ChangeError, match="symlink"):
            resolve(root, path)


def test_dangling_symlink_out_and_a_chain_of_links_are_refused(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "dangling").symlink_to("../not-there")
    (root / "chain").symlink_to("dangling")
    for path in ("dangling", "chain"):
        with pytest.raises(ChangeError, match="symlink"):
            resolve_inside(root, path)


def test_loop_of_symlinks_is_an_error_not_a_hang(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(ChangeError, match="followed"):
        resolve_inside(tmp_path, "a/x")


def test_symlink_that_stays_inside_is_followed_for_content_but_not_for_the_entry(
    tmp_path: Path,
) -> None:
    (tmp_path / "real").write_text("")
    (tmp_path / "link").symlink_to("real")
    assert resolve_inside(tmp_path, "link") == tmp_path.resolve() / "real"
    assert entry_inside(tmp_path, "link") == tmp_path.resolve() / "link"


def test_root_may_itself_be_reached_through_a_symlink(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "alias").symlink_to("real")
    assert resolve_inside(tmp_path / "alias", "x") == tmp_path.resolve() / "real" / "x"


def test_sibling_with_the_roots_name_as_prefix_is_outside(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "root-2").mkdir()
    (tmp_path / "root" / "link").symlink_to("../root-2")
    with pytest.raises(ChangeError, match="symlink"):
        resolve_inside(tmp_path / "root", "link/x")
