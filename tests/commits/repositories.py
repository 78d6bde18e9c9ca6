"""Git repositories made of real commits, for the tests of what reads their history."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

from bench.changes.git_source import git_environment

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_IDENTITY = ("-c", "user.name=t", "-c", "user.email=t@t", "-c", "commit.gpgsign=false")
_ALLOW = ("-c", "protocol.file.allow=always")


class Repo:
    """A repository in a folder; every commit has its number as its time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._seconds = 1_700_000_000
        folder.mkdir(parents=True, exist_ok=True)
        self.git("init", "--quiet", "--initial-branch=main")

    def git(self, *arguments: str) -> str:
        """Run git in the repository."""
        self._seconds += 60
        time = f"{self._seconds} +0000"
        environment = {
            **git_environment(),
            "GIT_AUTHOR_DATE": time,
            "GIT_COMMITTER_DATE": time,
            "HOME": os.fspath(self.folder.parent),
        }
        done = subprocess.run(
            ["git", *_IDENTITY, *_ALLOW, *arguments],
            cwd=self.folder,
            env=environment,
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout.strip()

    def write(self, files: Mapping[str, str | bytes]) -> None:
        """Write files into the working tree."""
        for name, content in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)

    def commit(self, subject: str, files: Mapping[str, str | bytes] | None = None) -> str:
        """Commit everything there is, after writing ``files``; return the commit's id."""
        self.write(files or {})
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", subject)
        return self.git("rev-parse", "HEAD")
