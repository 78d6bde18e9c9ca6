"""The last commits of a repository that touched a build context, and what each of them changed.

The walk follows first parents, as a branch sees its own life: a merge is one commit, and what it
changed is the difference to its first parent. So what came in by it counts once, and the commits
of the merged branch do not count beside it.
"""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from bench.errors import UsageError
from bench.explain.git import SUBMODULE, Repository

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_LOG = (
    *("log", "--first-parent", "-m", "--root", "--no-show-signature"),
    *("--raw", "--no-renames", "-z"),
    "--format=format:%x01%H%x02%h%x02%P%x02%s",
)
_HEAD_MARK = b"\x01"
_PART_MARK = b"\x02"
_NO_REPOSITORY = "name a folder of a git repository"


class PathChangeKind(StrEnum):
    """What a commit did to a path. A rename is a removal and an addition, as builders see it."""

    ADDED = "added"
    DELETED = "deleted"
    CONTENT = "content"
    """Another content or link target, and perhaps another mode."""
    MODE = "mode"
    """The exec bit alone."""
    TYPE = "type"
    """A file became a link, or a link a file."""
    SUBMODULE = "submodule"
    """A submodule came, went, or stands at another commit; its files are not in the repository."""


@dataclass(frozen=True)
class PathChange:
    """One path that a commit changed, relative to the build context."""

    path: str
    kind: PathChangeKind


@dataclass(frozen=True)
class Commit:
    """One commit of the walk.

    ``id`` and ``short`` are its whole and its short name; ``changes`` are paths of the context,
    ``beside`` those that changed of the files that were asked for outside of it.
    """

    id: str
    short: str
    subject: str
    is_merge: bool
    changes: tuple[PathChange, ...]
    beside: tuple[str, ...] = ()

    @cached_property
    def paths(self) -> frozenset[str]:
        """The paths of the context that it changed."""
        return frozenset(change.path for change in self.changes)

    @property
    def title(self) -> str:
        """What people call it: its short name and subject."""
        return f"{self.short} {self.subject}".rstrip()


@dataclass(frozen=True)
class CommitHistory:
    """The last commits that touched a context, oldest first.

    ``folder`` is the context's path from the top of the repository, ``asked`` how many commits
    were wanted. ``notes`` say in sentences what cuts the history short.
    """

    repository: str
    folder: str
    commits: tuple[Commit, ...]
    asked: int
    notes: tuple[str, ...] = ()

    @cached_property
    def counts(self) -> Counter[str]:
        """In how many of the commits each path of the context was changed."""
        return Counter(path for commit in self.commits for path in commit.paths)


def commit_history(repo: Path, *, commits: int, context: Path) -> CommitHistory:
    """Return the last ``commits`` commits of ``repo`` that touch the build context.

    ``context`` is a folder of the repository, as a path on the disk or from its top. The working
    tree is not looked at: what is not committed does not count. In a shallow clone the oldest
    commit there is has no known parent, so what it changed is unknown and it is left out.

    Raises:
        UsageError: there is no repository, or the context lies outside of it.

    """
    repository = Repository(repo, remedy=_NO_REPOSITORY)
    return read_history(repository, folder_in(repository, context), commits)


def folder_in(repository: Repository, folder: Path) -> str:
    """Return a folder's path from the top of the repository, ``""`` for the top itself.

    Raises:
        UsageError: it lies outside.

    """
    top = Path(repository.top)
    for place in (folder.absolute(), top / folder):
        real = place.resolve()
        if not repository.is_bare and place.is_dir() and real.is_relative_to(top.resolve()):
            found = real.relative_to(top.resolve()).as_posix()
            return "" if found == "." else found
    name = Path(os.path.normpath(folder))
    if name.is_absolute() or ".." in name.parts:
        raise UsageError(
            f"{folder} does not lie in the repository {repository.top}",
            remedy="name the repository that the build context is part of",
        )
    return "" if name == Path() else name.as_posix()


def read_history(
    repository: Repository, folder: str, commits: int, beside: Sequence[str] = ()
) -> CommitHistory:
    """Return the last commits that touch a folder, or one of the files ``beside`` it.

    Both are paths from the top of the repository.

    Raises:
        UsageError: git fails.

    """
    if repository.head() is None:
        note = f"{repository.top}: there is no commit yet"
        return CommitHistory(repository.top, folder, (), commits, (note,))
    wanted = [f":(top,literal){path}" if path else ":/" for path in (folder, *beside)]
    # One more than wanted: the oldest of a shallow clone is left out.
    count = f"--max-count={commits + 1}"
    found = list(_parsed(repository.read(*_LOG, count, "--", *wanted), folder, beside))
    cut = _shallow(repository)
    known = [commit for commit in found if commit.id not in cut]
    notes = []
    if len(known) < len(found) and len(known) < commits:
        notes.append(
            f"{repository.top} is a shallow clone: its history ends at {found[-1].short}, and what "
            "that commit changed is not known (git fetch --unshallow brings the rest)"
        )
    if len(known) < commits:
        what = folder or "the repository"
        notes.append(f"only {len(known)} commits touch {what}; {commits} were asked for")
    return CommitHistory(
        repository.top, folder, tuple(reversed(known[:commits])), commits, tuple(notes)
    )


def _shallow(repository: Repository) -> frozenset[str]:
    """Return the commits at which a shallow clone ends."""
    place = os.fsdecode(repository.read("rev-parse", "--git-path", "shallow")).rstrip("\n")
    file = repository.folder / place
    return frozenset(file.read_text().split()) if file.is_file() else frozenset()


def _parsed(log: bytes, folder: str, beside: Sequence[str]) -> Iterator[Commit]:
    """Yield the commits of a log, newest first."""
    heads: list[tuple[bytes, list[tuple[bytes, str]]]] = []
    words = iter(log.split(b"\0"))
    for word in words:
        line = word
        if word.startswith(_HEAD_MARK):
            head, _, line = word.partition(b"\n")
            heads.append((head.removeprefix(_HEAD_MARK), []))
        if line.startswith(b":"):
            heads[-1][1].append((line, os.fsdecode(next(words))))
    for head, lines in heads:
        identity, short, parents, subject = head.split(_PART_MARK, 3)
        inside = f"{folder}/" if folder else ""
        changes = [
            PathChange(path.removeprefix(inside), _kind(line))
            for line, path in lines
            if path.startswith(inside)
        ]
        yield Commit(
            id=identity.decode(),
            short=short.decode(),
            subject=subject.decode("utf-8", "replace"),
            is_merge=b" " in parents,
            changes=tuple(changes),
            beside=tuple(path for _, path in lines if path in beside),
        )


def _kind(line: bytes) -> PathChangeKind:
    """Read ``:OLDMODE NEWMODE OLDOID NEWOID STATUS``."""
    old, new, old_oid, new_oid, status = line.decode().removeprefix(":").split(" ")
    if SUBMODULE in (old, new):
        return PathChangeKind.SUBMODULE
    if status == "M":
        return PathChangeKind.MODE if old_oid == new_oid else PathChangeKind.CONTENT
    return {"A": PathChangeKind.ADDED, "D": PathChangeKind.DELETED}.get(status, PathChangeKind.TYPE)
