"""Small projects with a git history, to be advised on."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_GIT = ("git", "-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false")


def make_project(
    folder: Path, files: Mapping[str, str], commits: Sequence[Mapping[str, str]] = ()
) -> Path:
    """Write ``files``, then make a commit of them and one for every further set of files."""
    folder.mkdir(parents=True)
    _run(folder, "init", "--quiet", "--initial-branch=main")
    for number, content in enumerate([files, *commits]):
        for name, text in content.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        commit_all(folder, f"commit {number}")
    return folder


def commit_all(folder: Path, message: str) -> None:
    """Commit everything that is not ignored."""
    _run(folder, "add", "--all")
    _run(folder, "commit", "--quiet", "--allow-empty", "--message", message)


def edits(path: str, count: int) -> list[dict[str, str]]:
    """Return that many commits that change one file."""
    return [{path: f"edit {number}\n"} for number in range(count)]


def _run(folder: Path, *arguments: str) -> None:
    subprocess.run([*_GIT, "-C", str(folder), *arguments], check=True, capture_output=True)
