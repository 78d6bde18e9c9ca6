"""The manifest: what the builders hash, read again only where something changed."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings

from bench.workspace import ClientRule, Manifest, ManifestDiff, Workspace, WorkspaceError
from bench.workspace.manifest import EntryIndex
from bench.workspace.select import select
from tests.workspace.trees import MUTATIONS, TREES, Action, perform

if TYPE_CHECKING:
    from tests.workspace.conftest import MakeWorkspace


def from_scratch(root: Path) -> Manifest:
    """The manifest of a tree that nothing is known of yet."""
    return Manifest(EntryIndex(root).entries(select(root, "Dockerfile").nodes))


@settings(max_examples=100, deadline=None)
@given(TREES, MUTATIONS, MUTATIONS)
def test_the_incremental_manifest_is_the_one_from_scratch(
    todo: list[Action], first: list[Action], second: list[Action]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "source")
        source.mkdir()
        perform(source, todo)
        workspace = Workspace.create(
            source, Path(folder, "scratch"), dockerfile_text="", dockerfile_path="Dockerfile"
        )
        before = workspace.manifest()
        for mutations in (first, second):
            perform(workspace.root, mutations)
            assert dict(workspace.manifest()) == dict(from_scratch(workspace.root))
        workspace.reset()
        assert before.diff(workspace.manifest()).is_empty


def test_an_entry_says_everything_about_its_path(make_workspace: MakeWorkspace) -> None:
    workspace = make_workspace({"d/f": b"content", "e/": b""})
    (workspace.root / "l").symlink_to("./d//f")
    (workspace.root / "d/f").chmod(0o4750)
    manifest = workspace.manifest()
    assert list(manifest) == ["Dockerfile", "d", "d/f", "e", "l"]
    entry = manifest["d/f"]
    assert (entry.type, entry.mode, entry.size, entry.link_target) == ("file", 0o4750, 7, None)
    assert entry.sha256 == hashlib.sha256(b"content").hexdigest()
    assert entry.mtime_ns == (workspace.root / "d/f").stat().st_mtime_ns
    link = manifest["l"]
    assert (link.type, link.link_target, link.sha256, link.size) == ("symlink", "./d//f", None, 0)
    assert (manifest["e"].type, manifest["e"].sha256) == ("dir", None)


def test_only_files_that_changed_are_read_again(make_workspace: MakeWorkspace) -> None:
    workspace = make_workspace({f"d{i % 7}/f{i}": bytes([i]) for i in range(100)})
    workspace.manifest()
    assert workspace.files_hashed == 101
    workspace.manifest()
    assert workspace.files_hashed == 101
    (workspace.root / "d0/f0").write_bytes(b"x")
    (workspace.root / "d1/f1").unlink()
    (workspace.root / "new").write_bytes(b"y")
    workspace.manifest()
    assert workspace.files_hashed == 103
    workspace.reset()
    workspace.manifest()
    assert workspace.files_hashed == 105  # the file put back in content, and the one removed


def test_ignored_files_are_not_read(make_workspace: MakeWorkspace) -> None:
    workspace = make_workspace({".dockerignore": b"big\n", "big/a": b"", "b": b""})
    assert list(workspace.manifest()) == [".dockerignore", "Dockerfile", "b"]
    assert workspace.files_hashed == 3


def test_an_edit_right_after_the_manifest_is_seen_although_it_hides_itself(
    make_workspace: MakeWorkspace,
) -> None:
    workspace = make_workspace({"a": b"0"})
    path = workspace.root / "a"
    mtime = path.stat().st_mtime_ns
    for number in range(1, 30):
        before = workspace.manifest()
        path.write_bytes(b"%d" % (number % 10))  # same size, same inode, within one clock tick
        os.utime(path, ns=(mtime, mtime))
        assert before.diff(workspace.manifest()).content_changed == ("a",)


def test_the_diff_tells_every_kind_of_change_apart(make_workspace: MakeWorkspace) -> None:
    workspace = make_workspace(
        dict.fromkeys(("content", "mode", "both", "type", "time", "gone", "same"), b"1")
    )
    root = workspace.root
    (root / "link").symlink_to("a")
    before = workspace.manifest()
    (root / "content").write_bytes(b"2")
    (root / "mode").chmod(0o755)
    (root / "both").write_bytes(b"2")
    (root / "both").chmod(0o755)
    (root / "type").unlink()
    (root / "type").mkdir()
    os.utime(root / "time", ns=(0, 0))
    (root / "gone").unlink()
    (root / "new").write_bytes(b"")
    (root / "link").unlink()
    (root / "link").symlink_to("b")
    diff = before.diff(workspace.manifest())
    assert diff == ManifestDiff(
        added=("new",),
        removed=("gone",),
        content_changed=("both", "content"),
        mode_changed=("both", "mode"),
        type_changed=("type",),
        link_changed=("link",),
        mtime_only=("time",),
    )
    assert diff.paths == {
        "new", "gone", "both", "content", "mode", "type", "link", "time",
    }  # fmt: skip
    assert diff.hashed_paths == diff.paths - {"time"}
    assert not diff.is_empty


def test_a_new_file_does_not_make_its_directory_differ(make_workspace: MakeWorkspace) -> None:
    workspace = make_workspace({"d/a": b""})
    before = workspace.manifest()
    (workspace.root / "d/b").write_bytes(b"")
    assert before.diff(workspace.manifest()).paths == {"d/b"}


def test_the_dockerfile_and_the_ignore_file_are_sent_although_ignored(
    make_workspace: MakeWorkspace,
) -> None:
    workspace = make_workspace({".dockerignore": b"*\n", "a": b""}, dockerfile="d/Dockerfile")
    manifest = workspace.manifest()
    assert list(manifest) == [".dockerignore", "d", "d/Dockerfile"]
    assert manifest.sent_although_ignored == {".dockerignore", "d", "d/Dockerfile"}
    assert not make_workspace({"a": b""}).manifest().sent_although_ignored


def test_parents_of_what_is_brought_back_are_sent_by_buildkit_only(
    make_workspace: MakeWorkspace,
) -> None:
    workspace = make_workspace({".dockerignore": b"d\n!d/e/keep\n", "d/e/keep": b"", "d/x": b""})
    assert {"d", "d/e", "d/e/keep"} <= set(workspace.manifest(ClientRule.BUILDKIT))
    classic = workspace.manifest(ClientRule.CLASSIC)
    assert "d/e/keep" in classic
    assert not {"d", "d/e", "d/x"} & set(classic)


def test_an_ignore_file_beside_the_dockerfile_counts_for_buildkit_only(
    make_workspace: MakeWorkspace,
) -> None:
    files = {".dockerignore": b"a\n", "p.Dockerfile.dockerignore": b"b\n", "a": b"", "b": b""}
    workspace = make_workspace(files, dockerfile="p.Dockerfile")
    buildkit, classic = (workspace.manifest(rule) for rule in ClientRule)
    assert ("a" in buildkit, "b" in buildkit) == (True, False)
    assert ("a" in classic, "b" in classic) == (False, True)


def test_a_change_of_the_ignore_file_counts_at_once(make_workspace: MakeWorkspace) -> None:
    workspace = make_workspace({"a": b""})
    before = workspace.manifest()
    (workspace.root / ".dockerignore").write_bytes(b"a\n")
    diff = before.diff(workspace.manifest())
    assert (diff.added, diff.removed) == ((".dockerignore",), ("a",))


def test_what_was_ignored_is_remembered_only_while_the_patterns_stay(
    make_workspace: MakeWorkspace,
) -> None:
    workspace = make_workspace({".dockerignore": b"*.log\n", "a.log": b"", "d/b.log": b""})
    ignore = workspace.root / ".dockerignore"
    kept = [".dockerignore", "Dockerfile", "d"]
    assert list(workspace.manifest()) == [*kept, "d/b.log"]
    assert list(workspace.manifest(ClientRule.CLASSIC)) == [*kept, "d/b.log"]
    ignore.write_text("**/*.log\n")
    assert list(workspace.manifest()) == kept
    assert list(workspace.manifest(ClientRule.CLASSIC)) == kept
    ignore.unlink()
    assert list(workspace.manifest()) == ["Dockerfile", "a.log", "d", "d/b.log"]


def test_an_ignore_file_that_leads_out_is_refused(
    make_workspace: MakeWorkspace, tmp_path: Path
) -> None:
    (tmp_path / "outside").write_bytes(b"a\n")
    workspace = make_workspace({"a": b""})
    (workspace.root / ".dockerignore").symlink_to(tmp_path / "outside")
    with pytest.raises(WorkspaceError, match="leads out"):
        workspace.manifest()


def test_a_broken_pattern_names_the_remedy(make_workspace: MakeWorkspace) -> None:
    workspace = make_workspace({"a": b""})
    (workspace.root / ".dockerignore").write_bytes(b"[a\n")
    with pytest.raises(WorkspaceError, match="close every"):
        workspace.manifest()


def test_a_dockerfile_that_is_gone_is_reported(make_workspace: MakeWorkspace) -> None:
    workspace = make_workspace({"a": b""})
    (workspace.root / "Dockerfile").unlink()
    with pytest.raises(WorkspaceError, match="Dockerfile is gone"):
        workspace.manifest()
