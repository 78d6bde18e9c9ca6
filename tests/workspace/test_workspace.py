"""The scratch copy: equal to the source, never touching it, and always able to go back."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings

from bench.errors import BenchError
from bench.workspace import DOCKERFILE_MTIME_NS, Workspace, WorkspaceError
from tests.workspace.conftest import write_files
from tests.workspace.trees import MUTATIONS, TREES, Action, perform, picture

if TYPE_CHECKING:
    from tests.workspace.conftest import MakeWorkspace

TEXT = "FROM scratch\n"


def create(source: Path, scratch: Path, dockerfile: str = "Dockerfile") -> Workspace:
    return Workspace.create(source, scratch, dockerfile_text=TEXT, dockerfile_path=dockerfile)


@settings(max_examples=60, deadline=None)
@given(TREES)
def test_both_copies_equal_the_source_but_for_the_dockerfile(todo: list[Action]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        source, scratch = Path(folder, "source"), Path(folder, "scratch")
        source.mkdir()
        perform(source, todo)
        before = picture(source)
        workspace = create(source, scratch)
        for copy in (workspace.root, scratch / "pristine"):
            seen = picture(copy)
            written = seen.pop("Dockerfile")
            assert written == ("file", 0o644, DOCKERFILE_MTIME_NS, TEXT.encode())
            assert seen == before
        assert picture(source) == before


@settings(max_examples=100, deadline=None)
@given(TREES, MUTATIONS, MUTATIONS)
def test_reset_undoes_any_changes_and_pristine_stays(
    todo: list[Action], first: list[Action], second: list[Action]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        source, scratch = Path(folder, "source"), Path(folder, "scratch")
        source.mkdir()
        perform(source, todo)
        workspace = create(source, scratch)
        pristine = picture(scratch / "pristine")
        for mutations in (first, second):
            perform(workspace.root, mutations)
            workspace.reset()
            assert picture(workspace.root) == pristine
            assert picture(scratch / "pristine") == pristine


def test_reset_touches_only_what_differs(make_workspace: MakeWorkspace) -> None:
    workspace = make_workspace({"a/one": b"1", "a/two": b"2", "b/three": b"3"})
    inodes = {path: path.lstat().st_ctime_ns for path in workspace.root.rglob("*")}
    assert workspace.reset() == 0
    (workspace.root / "a/one").write_bytes(b"changed")
    assert workspace.reset() == 2  # the file and its directory
    moved = {p for p in inodes if p.lstat().st_ctime_ns != inodes[p]}
    assert {path.name for path in moved} == {"one", "a"}


def test_reset_sees_an_edit_that_hides_itself(make_workspace: MakeWorkspace) -> None:
    workspace = make_workspace({"a": b"1"})
    path = workspace.root / "a"
    before = path.stat()
    path.write_bytes(b"2")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    workspace.reset()
    assert path.read_bytes() == b"1"


def test_reset_does_not_write_through_a_link_out_of_the_copy(
    make_workspace: MakeWorkspace, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.write_bytes(b"mine")
    outside.chmod(0o600)
    workspace = make_workspace({"a": b"mine", "b": b"2", "d/x": b"3"})
    for name in ("a", "b"):
        (workspace.root / name).unlink()
    os.link(outside, workspace.root / "a")
    (workspace.root / "b").symlink_to(outside)
    (workspace.root / "d/x").unlink()
    (workspace.root / "d").rmdir()
    (workspace.root / "d").symlink_to(tmp_path)
    workspace.reset()
    assert outside.read_bytes() == b"mine"
    assert outside.stat().st_mode & 0o777 == 0o600
    assert outside.stat().st_nlink == 1
    assert not (tmp_path / "x").exists()
    assert (workspace.root / "d/x").read_bytes() == b"3"


def test_reset_brings_back_a_copy_that_was_removed_whole(make_workspace: MakeWorkspace) -> None:
    workspace = make_workspace({"a/b": b"1"})
    before = picture(workspace.root)
    shutil.rmtree(workspace.root)
    workspace.reset()
    assert picture(workspace.root) == before


def test_hard_links_become_separate_files(tmp_path: Path) -> None:
    source = tmp_path / "source"
    write_files(source, {"a": b"1"})
    os.link(source / "a", source / "b")
    workspace = create(source, tmp_path / "scratch")
    (workspace.root / "a").write_bytes(b"2")
    assert (workspace.root / "b").read_bytes() == b"1"
    assert (source / "a").read_bytes() == b"1"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small file system")
def test_a_full_disk_gives_one_clear_message(tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    write_files(tmp_path / "source", {"a": bytes(3 << 20)})
    mount = ["mount", "-t", "tmpfs", "-o", "size=7m", "tmpfs", str(small)]
    subprocess.run(mount, check=True)
    try:
        workspace = create(tmp_path / "source", small / "scratch")
        with pytest.raises(WorkspaceError, match=r"pack.*No space.*free space"):
            workspace.pack()
        assert not list((small / "scratch/packs").iterdir())
        with pytest.raises(WorkspaceError, match=r"copy.*No space.*free space"):
            create(tmp_path / "source", small / "other")
    finally:
        subprocess.run(["umount", str(small)], check=True)


def test_the_dockerfile_replaces_a_link_and_not_what_it_names(tmp_path: Path) -> None:
    source = tmp_path / "source"
    write_files(source, {"real": b"old"})
    (source / "Dockerfile").symlink_to("real")
    workspace = create(source, tmp_path / "scratch")
    assert (workspace.root / "Dockerfile").read_text() == TEXT
    assert not (workspace.root / "Dockerfile").is_symlink()
    assert (workspace.root / "real").read_bytes() == b"old"


def test_the_dockerfile_keeps_the_mode_it_has_in_the_source(tmp_path: Path) -> None:
    source = tmp_path / "source"
    write_files(source, {"Dockerfile": b"old"})
    (source / "Dockerfile").chmod(0o600)
    workspace = create(source, tmp_path / "scratch")
    assert (workspace.root / "Dockerfile").stat().st_mode & 0o777 == 0o600


def test_folders_for_the_dockerfile_are_made(make_workspace: MakeWorkspace) -> None:
    workspace = make_workspace({"a": b""}, dockerfile="./deep/er/Dockerfile")
    assert (workspace.root / "deep/er/Dockerfile").exists()
    assert workspace.manifest()["deep"].mode == 0o755
    assert workspace.reset() == 0


def test_sockets_are_left_out(tmp_path: Path) -> None:
    source = tmp_path / "s"
    source.mkdir()
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(source / "sock"))
        workspace = create(source, tmp_path / "scratch")
    assert list(workspace.manifest()) == ["Dockerfile"]


def test_a_fifo_is_refused_unless_it_is_ignored(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    os.mkfifo(source / "pipe")
    with pytest.raises(WorkspaceError, match=r"pipe is a FIFO.*\.dockerignore"):
        create(source, tmp_path / "one")
    (source / ".dockerignore").write_text("pipe\n")
    workspace = create(source, tmp_path / "two")
    assert not (workspace.root / "pipe").exists()


def test_a_fifo_made_by_a_change_is_refused(make_workspace: MakeWorkspace) -> None:
    workspace = make_workspace({"a": b""})
    os.mkfifo(workspace.root / "pipe")
    with pytest.raises(WorkspaceError, match="FIFO"):
        workspace.manifest()
    with pytest.raises(WorkspaceError, match="FIFO"):
        workspace.pack()
    workspace.reset()
    assert not (workspace.root / "pipe").exists()


@pytest.mark.parametrize("path", ["", "/Dockerfile", "../Dockerfile", "a/../../b", "."])
def test_a_dockerfile_outside_the_context_is_refused(tmp_path: Path, path: str) -> None:
    (tmp_path / "source").mkdir()
    with pytest.raises(WorkspaceError, match="not a path inside"):
        create(tmp_path / "source", tmp_path / "scratch", path)


@pytest.mark.parametrize("path", ["file/Dockerfile", "link/Dockerfile", "folder"])
def test_a_dockerfile_where_none_can_be_is_refused(tmp_path: Path, path: str) -> None:
    source = tmp_path / "source"
    write_files(source, {"file": b"", "folder/": b""})
    (source / "link").symlink_to("folder")
    with pytest.raises(WorkspaceError, match=path.split("/", maxsplit=1)[0]):
        create(source, tmp_path / "scratch", path)


@pytest.mark.parametrize(
    ("source", "scratch"),
    [("there/in", "there/in/side"), ("there/in", "there"), ("nothing", "x"), ("there", "full")],
)
def test_places_that_cannot_be_are_refused(tmp_path: Path, source: str, scratch: str) -> None:
    write_files(tmp_path, {"there/in/a": b"", "full/a": b""})
    with pytest.raises(WorkspaceError) as caught:
        create(tmp_path / source, tmp_path / scratch)
    assert caught.value.remedy
    assert isinstance(caught.value, BenchError)


def test_a_file_that_may_not_be_read_is_named(without_root: Path) -> None:
    source = without_root / "source"
    write_files(source, {"secret": b"1"})
    (source / "secret").chmod(0)
    with pytest.raises(WorkspaceError, match=r"secret.*make it readable"):
        create(source, without_root / "one")
    (source / ".dockerignore").write_text("secret\n")
    workspace = create(source, without_root / "two")
    assert "secret" not in workspace.manifest()


def test_a_directory_that_may_not_be_read_is_left_out_if_ignored(without_root: Path) -> None:
    source = without_root / "source"
    write_files(source, {"data/x": b"1", "a": b"2"})
    (source / "data").chmod(0)
    with pytest.raises(WorkspaceError, match="data"):
        create(source, without_root / "one")
    (source / ".dockerignore").write_text("data\n!a\n")
    workspace = create(source, without_root / "two")
    assert {"a", "Dockerfile"} <= set(workspace.manifest())
    (source / "data").chmod(0o700)


def test_reset_copes_with_what_may_not_be_read_or_written(without_root: Path) -> None:
    source = without_root / "source"
    write_files(source, {"locked/x": b"1", "open/y": b"2", "z": b"3"})
    (source / "locked").chmod(0o500)
    workspace = create(source, without_root / "scratch")
    before = picture(workspace.root)
    (workspace.root / "locked").chmod(0o700)
    (workspace.root / "locked/x").unlink()
    (workspace.root / "locked").chmod(0o500)
    (workspace.root / "open").chmod(0)
    (workspace.root / "z").chmod(0)
    workspace.reset()
    assert picture(workspace.root) == before
    for path in without_root.rglob("locked"):
        path.chmod(0o700)
