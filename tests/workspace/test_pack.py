"""The tar: the tree and nothing else, the same bytes for the same tree, and one a builder takes."""

from __future__ import annotations

import hashlib
import os
import tarfile
import tempfile
import tracemalloc
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings

from bench.builders import make_builder
from bench.builders.protocol import BuildOutcome, BuildRequest, PackedContext
from bench.dockerfile import parse
from bench.workspace import Workspace, WorkspaceError
from tests.workspace.conftest import write_files
from tests.workspace.oracle import paths_in_image
from tests.workspace.trees import TREES, Action, Picture, perform, picture

if TYPE_CHECKING:
    import docker

    from tests.workspace.conftest import MakeWorkspace

_TYPES = {tarfile.REGTYPE: "file", tarfile.DIRTYPE: "dir", tarfile.SYMTYPE: "symlink"}


def unpacked(packed: PackedContext) -> Picture:
    """What is in a tar, with times cut to whole seconds."""
    seen: Picture = {}
    with tarfile.open(packed.path, errors="surrogateescape") as tar:
        for member in tar:
            assert (member.uid, member.gid, member.uname, member.gname) == (0, 0, "", "")
            content = os.fsencode(member.linkname)
            if member.isreg():
                file = tar.extractfile(member)
                assert file is not None
                content = file.read()
            time = int(member.mtime) * 10**9
            seen[member.name] = (_TYPES[member.type], member.mode, time, content)
    return seen


@settings(max_examples=60, deadline=None)
@given(TREES)
def test_the_tar_is_the_tree_and_repeats_byte_for_byte_anywhere(todo: list[Action]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "source")
        source.mkdir()
        perform(source, todo)
        one, two = (
            Workspace.create(
                source, Path(folder, name), dockerfile_text="", dockerfile_path="Dockerfile"
            )
            for name in ("here", "there/and/deeper")
        )
        first, again, other = one.pack(replace={}), one.pack(), two.pack()
        assert first.path != again.path
        assert first.path.read_bytes() == again.path.read_bytes() == other.path.read_bytes()
        assert first.digest == hashlib.sha256(first.path.read_bytes()).hexdigest() == other.digest
        assert first.size == first.path.stat().st_size
        expected = {
            path: (kind, mode, time // 10**9 * 10**9, content)
            for path, (kind, mode, time, content) in picture(one.root).items()
        }
        assert unpacked(first) == expected
        assert first.path.read_bytes()[156:157] in {b"0", b"2", b"5"}  # no PAX, no long-name record


def test_entries_are_in_byte_order_with_parents_first(make_workspace: MakeWorkspace) -> None:
    workspace = make_workspace({"a/b": b"", "a-b": b"", "B": b"", "é": b"", "a.c": b""})
    names = list(unpacked(workspace.pack()))
    assert names == ["B", "Dockerfile", "a", "a-b", "a.c", "a/b", "é"]


def test_a_long_name_never_comes_first(make_workspace: MakeWorkspace) -> None:
    workspace = make_workspace({"A" * 120: b"", "B/x": b""})
    names = list(unpacked(workspace.pack()))
    assert names == ["B", "A" * 120, "B/x", "Dockerfile"]


def test_names_that_are_all_long_are_refused(make_workspace: MakeWorkspace) -> None:
    workspace = make_workspace({"A" * 120: b""}, dockerfile="D" * 120)
    with pytest.raises(WorkspaceError, match="longer than 100"):
        workspace.pack()


def test_replaced_content_keeps_mode_and_time(make_workspace: MakeWorkspace) -> None:
    workspace = make_workspace({"a": b"1"})
    plain, salted = workspace.pack(), workspace.pack(replace={"Dockerfile": b"FROM other\n"})
    before, after = unpacked(plain), unpacked(salted)
    assert after.pop("Dockerfile")[3] == b"FROM other\n"
    assert before.pop("Dockerfile")[:3] == unpacked(salted)["Dockerfile"][:3]
    assert before == after
    assert (workspace.root / "Dockerfile").read_text() != "FROM other\n"


@pytest.mark.parametrize("path", ["none", "d", "ignored"])
def test_only_files_of_the_context_can_be_replaced(
    make_workspace: MakeWorkspace, path: str
) -> None:
    workspace = make_workspace({".dockerignore": b"ignored\n", "ignored": b"", "d/": b""})
    with pytest.raises(WorkspaceError, match=f"cannot replace {path}"):
        workspace.pack(replace={path: b""})


def test_ignored_files_are_not_packed(make_workspace: MakeWorkspace) -> None:
    workspace = make_workspace({".dockerignore": b"**\n!a\n", "a": b"", "b/c": b""})
    assert list(unpacked(workspace.pack())) == [".dockerignore", "Dockerfile", "a"]


def test_the_last_two_tars_stay_and_no_unfinished_one(make_workspace: MakeWorkspace) -> None:
    workspace = make_workspace({"a": b""})
    packs = [workspace.pack() for _ in range(4)]
    assert [pack.path.exists() for pack in packs] == [False, False, True, True]
    folder = packs[0].path.parent
    (workspace.root / "Dockerfile").unlink()
    with pytest.raises(WorkspaceError):
        workspace.pack()
    assert len(list(folder.iterdir())) == 2


def test_a_change_of_time_alone_changes_the_tar_only_by_whole_seconds(
    make_workspace: MakeWorkspace,
) -> None:
    workspace = make_workspace({"a": b""})
    digests = []
    for nanoseconds in (5 * 10**9, 5 * 10**9 + 1, 6 * 10**9):
        os.utime(workspace.root / "a", ns=(nanoseconds, nanoseconds))
        digests.append(workspace.pack().digest)
    assert digests[0] == digests[1] != digests[2]


def test_memory_stays_flat_however_large_the_files(make_workspace: MakeWorkspace) -> None:
    workspace = make_workspace({"big": bytes(64 << 20)})
    tracemalloc.start()
    try:
        packed = workspace.pack()
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()
    assert packed.size > 64 << 20
    assert packed.seconds > 0


TEXT = "FROM scratch\nCOPY . /\n"


def built_paths(client: docker.DockerClient, name: str, source: Path, scratch: Path) -> list[str]:
    """What is in the image that a real builder makes of a packed context."""
    workspace = Workspace.create(
        source, scratch, dockerfile_text=TEXT, dockerfile_path="Dockerfile"
    )
    tag = f"cachebench-test-pack-{name}"
    request = BuildRequest(
        context=workspace.pack(),
        dockerfile=parse(TEXT, path="Dockerfile"),
        dockerfile_path="Dockerfile",
        tag=tag,
    )
    build = make_builder(name, client).build(request)
    assert build.outcome is BuildOutcome.OK, build.error
    try:
        return paths_in_image(client, tag)
    finally:
        client.images.remove(tag, force=True)


@pytest.mark.engine
@pytest.mark.parametrize("name", ["classic", "buildkit"])
def test_real_builders_take_a_tar_of_awkward_names(
    name: str, any_engine: docker.DockerClient, tmp_path: Path
) -> None:
    source = tmp_path / "source"
    files = {"A" * 120: b"", "한글": b"", "d/" + "x" * 200: b"1", os.fsdecode(b"\xff\x80"): b""}
    write_files(source, files)
    (source / "link").symlink_to("t" * 150)
    paths = built_paths(any_engine, name, source, tmp_path / "scratch")
    assert set(paths) == {*files, "d/", "link", "Dockerfile"}


@pytest.mark.engine
@pytest.mark.parametrize(("name", "left"), [("classic", []), ("buildkit", ["Dockerfile"])])
def test_only_the_classic_builder_takes_an_ignored_dockerfile_out_again(
    name: str, left: list[str], engine_client: docker.DockerClient, tmp_path: Path
) -> None:
    source = tmp_path / "source"
    write_files(source, {"a": b"", ".dockerignore": b"Dockerfile\n"})
    paths = built_paths(engine_client, name, source, tmp_path / "scratch")
    assert paths == [".dockerignore", *left, "a"]
