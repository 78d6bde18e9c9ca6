"""Projects to start a scenario for, and git repositories with a history."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from bench.changes.git_source import git_environment

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

IDENTITY = {
    "GIT_AUTHOR_NAME": "A",
    "GIT_AUTHOR_EMAIL": "a@b.example",
    "GIT_COMMITTER_NAME": "A",
    "GIT_COMMITTER_EMAIL": "a@b.example",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_SYSTEM": "/dev/null",
}


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(
        ["git", *arguments],
        cwd=folder,
        check=True,
        capture_output=True,
        env={**git_environment(), **IDENTITY},
    )


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return folder


def commit(folder: Path, files: Iterable[str], text: str = "x\n") -> None:
    """Make one commit that adds ``text`` to each of the files."""
    for name in files:
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("a", encoding="utf-8") as stream:
            stream.write(text)
    git(folder, "add", "--all", ".")
    git(folder, "commit", "--quiet", "--message", "work")
