"""Workspaces for the tests of this room, and a user who is not root."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pytest

from bench.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Iterator

NOBODY = 65534


class MakeWorkspace(Protocol):
    """Makes a workspace from files given by path; a path that ends in / is a directory."""

    def __call__(
        self, files: dict[str, bytes], *, text: str = ..., dockerfile: str = ...
    ) -> Workspace:
        """Make it."""
        ...


@pytest.fixture
def make_workspace(tmp_path: Path) -> MakeWorkspace:
    """Make workspaces in the test's own folder."""

    def make(
        files: dict[str, bytes],
        *,
        text: str = "FROM scratch\nCOPY . /\n",
        dockerfile: str = "Dockerfile",
    ) -> Workspace:
        source = Path(tempfile.mkdtemp(dir=tmp_path, prefix="source-"))
        write_files(source, files)
        scratch = Path(tempfile.mkdtemp(dir=tmp_path, prefix="scratch-"))
        return Workspace.create(source, scratch, dockerfile_text=text, dockerfile_path=dockerfile)

    return make


def write_files(root: Path, files: dict[str, bytes]) -> None:
    """Write files below ``root``; a path that ends in / becomes an empty directory."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name.endswith("/"):
            path.mkdir(exist_ok=True)
        else:
            path.write_bytes(content)


@pytest.fixture
def without_root() -> Iterator[Path]:
    """Drop root's right to read and write everything; gives a folder of our own."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o777)
    before = os.geteuid()
    if before == 0:
        os.seteuid(NOBODY)
    try:
        yield folder
    finally:
        os.seteuid(before)
        shutil.rmtree(folder, ignore_errors=True)
