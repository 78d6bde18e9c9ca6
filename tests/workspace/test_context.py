"""A context that is read where it stands: what the clients would send, and nothing written."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from bench.workspace import ClientRule, Context, WorkspaceError
from tests.workspace.conftest import write_files

if TYPE_CHECKING:
    from pathlib import Path


def read(root: Path, dockerfile: Path, client: ClientRule = ClientRule.BUILDKIT) -> list[str]:
    return list(Context(root, dockerfile).manifest(client))


def test_it_lists_what_is_sent_and_writes_nothing(tmp_path: Path) -> None:
    write_files(tmp_path, {".dockerignore": b"b\n", "Dockerfile": b"", "a": b"", "b": b""})
    before = {entry.name: entry.stat().st_mtime_ns for entry in os.scandir(tmp_path)}
    assert read(tmp_path, tmp_path / "Dockerfile") == [".dockerignore", "Dockerfile", "a"]
    assert {entry.name: entry.stat().st_mtime_ns for entry in os.scandir(tmp_path)} == before


def test_a_dockerfile_from_outside_is_no_part_of_the_context(tmp_path: Path) -> None:
    write_files(tmp_path, {"in/Dockerfile": b"other", "in/a": b"", "out/Dockerfile": b""})
    assert read(tmp_path / "in", tmp_path / "out/Dockerfile") == ["Dockerfile", "a"]
    (tmp_path / "in/Dockerfile").unlink()
    assert read(tmp_path / "in", tmp_path / "out/Dockerfile") == ["a"]


def test_the_ignore_file_of_a_dockerfile_outside_counts_for_buildkit(tmp_path: Path) -> None:
    write_files(
        tmp_path,
        {"in/a": b"", "in/b": b"", "in/.dockerignore": b"b\n", "D.dockerignore": b"a\n", "D": b""},
    )
    context = Context(tmp_path / "in", tmp_path / "D")
    assert list(context.manifest()) == [".dockerignore", "b"]
    assert list(context.manifest(ClientRule.CLASSIC)) == [".dockerignore", "a"]


def test_an_ignored_dockerfile_is_not_seen_by_buildkit_and_removed_by_classic(
    tmp_path: Path,
) -> None:
    write_files(tmp_path, {"Dockerfile": b"", ".dockerignore": b"*\n!a\n", "a": b""})
    context = Context(tmp_path, tmp_path / "Dockerfile")
    assert list(context.manifest()) == ["a"]
    classic = context.manifest(ClientRule.CLASSIC)
    assert list(classic) == [".dockerignore", "Dockerfile", "a"]
    assert classic.sent_although_ignored == {".dockerignore", "Dockerfile"}


def test_a_link_to_the_context_counts_as_the_context(tmp_path: Path) -> None:
    write_files(tmp_path, {"real/Dockerfile": b"", "real/.dockerignore": b"Dockerfile\n"})
    (tmp_path / "link").symlink_to("real")
    assert read(tmp_path / "link", tmp_path / "real/Dockerfile") == [".dockerignore"]


@pytest.mark.parametrize(
    ("name", "says"), [("nothing", "does not exist"), ("a", "is not a folder")]
)
def test_a_context_that_is_none_is_refused(tmp_path: Path, name: str, says: str) -> None:
    write_files(tmp_path, {"a": b""})
    with pytest.raises(WorkspaceError, match=says):
        Context(tmp_path / name, tmp_path / "Dockerfile")


def test_a_file_that_may_not_be_read_is_named(without_root: Path) -> None:
    write_files(without_root, {"Dockerfile": b"", "secret": b""})
    (without_root / "secret").chmod(0)
    with pytest.raises(WorkspaceError, match=r"secret.*make it readable, or list it"):
        read(without_root, without_root / "Dockerfile")
