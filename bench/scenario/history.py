"""How often each file of a folder was changed, by the history of the repository it stands in."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bench.changes.git_source import read_git
from bench.errors import ChangeError

if TYPE_CHECKING:
    from pathlib import Path

COMMITS = 200
"""How far the history is looked back: enough for a stable order, quick on any repository."""


@dataclass(frozen=True)
class History:
    """The last commits that touched a folder, merges left out."""

    commits: int = 0
    """How many were looked at; 0 where there is no history."""
    counts: Counter[str] = field(default_factory=Counter)
    """In how many of them each file was changed, by its path relative to the folder."""
    fault: str = ""
    """Why there is no history, as git says it."""


def read_history(folder: Path) -> History:
    """Return the history of ``folder``; an empty one where it stands in no git repository.

    The repository is only read. A file that was renamed counts from then on under its new name.
    """
    log = ("log", f"--max-count={COMMITS}", "--no-merges", "--no-show-signature")
    try:
        commits = read_git(folder, *log, "--format=%H", "--", ".")
        names = read_git(
            folder,
            *log,
            "--format=",
            "--name-only",
            "--no-renames",
            "--root",
            "--relative",
            "-z",
            "--",
            ".",
        )
    except ChangeError as error:  # no git, no repository, no commit yet
        return History(fault=" ".join(error.message.split()))
    listed = (os.fsdecode(name) for name in names.split(b"\0") if name)
    return History(len(commits.split()), Counter(listed))
