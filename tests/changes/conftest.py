"""A small source tree with its pristine copy, and a way to apply steps to it."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from bench.changes import Change, ChangeIds, SourceState, apply_change

if TYPE_CHECKING:
    from pathlib import Path

IDS = ChangeIds(id="0f3a9c", port=20001, n=7, round=2)


@dataclass
class Tree:
    """A scratch copy at work."""

    state: SourceState

    @property
    def root(self) -> Path:
        return self.state.root

    def apply(self, *steps: dict[str, Any], ids: ChangeIds = IDS) -> None:
        apply_change(Change.model_validate({"name": "edit", "steps": steps}), self.state, ids)

    def read(self, path: str) -> str:
        return (self.root / path).read_text()

    def mtime(self, path: str) -> int:
        return (self.root / path).lstat().st_mtime_ns


FILES = {
    "Dockerfile": "FROM scratch\nEXPOSE 80\n",
    "app.js": "const x = {n: {id}};\n",
    "src/main.go": "package main\n",
    "src/util.go": "package main\n",
    "package.json": '{"version": "1.0.0"}\n',
    ".dockerignore": "*.md",
}
OLD_NS = 1_500_000_000_000_000_000


def populate(root: Path) -> None:
    for name, text in FILES.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(0o644)
        os.utime(file, ns=(OLD_NS, OLD_NS))


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    pristine = tmp_path / "pristine"
    populate(pristine)
    root = tmp_path / "work"
    shutil.copytree(pristine, root, symlinks=True)
    scenario = tmp_path / "scenario"
    scenario.mkdir()
    return Tree(
        SourceState(
            root=root,
            dockerfile="Dockerfile",
            source=pristine,
            pristine=pristine,
            scenario=scenario,
        )
    )
