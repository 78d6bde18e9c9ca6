"""The tar and the manifest of a state: what a docker client would send, and the very same."""

from __future__ import annotations

import io
import os
import tarfile
from typing import TYPE_CHECKING

import pytest

from bench.workspace import Workspace
from tests.conformance.case import DOCKERFILE, File, directory
from tests.conformance.dialect import BUILDKIT, CLASSIC, Dialect
from tests.conformance.generate import case_of
from tests.conformance.sending import client_rule, content_of, pack, usable_paths

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def write(root: Path, files: Mapping[str, File]) -> None:
    root.mkdir()
    for path in sorted(files):
        file = files[path]
        place = root / path
        if file.kind == "dir":
            place.mkdir()
        elif file.kind == "link":
            place.symlink_to(file.content)
        else:
            place.write_bytes(content_of(file))
    for path in sorted(files, reverse=True):
        file = files[path]
        if file.kind != "link":
            (root / path).chmod(file.mode)
        os.utime(root / path, (file.mtime, file.mtime), follow_symlinks=False)


@pytest.mark.parametrize("dialect", [CLASSIC, BUILDKIT], ids=lambda one: one.name)
def test_the_manifest_is_that_of_a_workspace_but_for_owners(
    dialect: Dialect, tmp_path: Path
) -> None:
    compared = 0
    for number in range(60):
        state = case_of(2, number, dialect).states[-1]
        write(tmp_path / f"source{number}", state.files)
        workspace = Workspace.create(
            tmp_path / f"source{number}",
            tmp_path / f"scratch{number}",
            dockerfile_text=state.text,
            dockerfile_path=DOCKERFILE,
        )
        expected = workspace.manifest(client_rule(dialect.builder))
        _, manifest = pack(state.files, state.text, dialect.builder)
        assert [entry._replace(uid=0, gid=0, mtime_ns=0) for entry in manifest.values()] == [
            entry._replace(mtime_ns=0) for entry in expected.values()
        ]
        assert manifest.sent_although_ignored == expected.sent_although_ignored
        compared += ".dockerignore" in state.files
    assert compared > 5


def test_the_tar_holds_what_the_manifest_says() -> None:
    files = {
        "d": directory(0o700),
        "d/f": File(content="f\n", mode=0o640, uid=12, gid=34, mtime=1_600_000_111),
        "l": File("link", "d/f", 0o777),
    }
    body, manifest = pack(files, "FROM scratch\n", "buildkit")
    with tarfile.open(fileobj=io.BytesIO(body)) as archive:
        members = {member.name: member for member in archive}
    assert list(members) == list(manifest) == ["Dockerfile", "d", "d/f", "l"]
    inner = members["d/f"]
    assert (inner.mode, inner.uid, inner.gid, inner.mtime) == (0o640, 12, 34, 1_600_000_111)
    assert (manifest["d/f"].uid, manifest["d/f"].gid) == (12, 34)
    assert members["l"].linkname == manifest["l"].link_target == "d/f"
    assert pack(files, "FROM scratch\n", "buildkit")[0] == body


def test_the_classic_builder_loses_an_ignored_dockerfile_and_buildkit_does_not() -> None:
    files = {".dockerignore": File(content="Dockerfile\n"), "a": File()}
    assert usable_paths(files, "classic") == [".dockerignore", "a"]
    assert usable_paths(files, "buildkit") == [".dockerignore", "Dockerfile", "a"]
