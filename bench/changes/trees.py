"""What a whole tree looks like, what differs between two, and bringing one to the other."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.changes.files import move_forward, remove, write_content

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


@dataclass(frozen=True)
class Print:
    """One entry of a tree: what a builder sees of it, and its mtime beside that."""

    kind: int
    mode: int
    content: str
    mtime_ns: int

    def same(self, other: Print | None) -> bool:
        """Tell whether a builder would see no difference; the mtime does not count."""
        return other is not None and (self.kind, self.mode, self.content) == (
            other.kind,
            other.mode,
            other.content,
        )


def fingerprint(root: Path) -> dict[str, Print]:
    """Return every entry below ``root`` by its relative path; symlinks are not followed."""
    return {
        str(path.relative_to(root)): _print(path)
        for path in walk(root)
        if not _is_special(path.lstat().st_mode)
    }


def walk(root: Path) -> Iterator[Path]:
    """Yield everything below ``root``, a folder before what is in it, sorted."""
    for entry in sorted(os.scandir(root), key=lambda one: one.name):
        path = root / entry.name
        yield path
        if entry.is_dir(follow_symlinks=False):
            yield from walk(path)


def _is_special(mode: int) -> bool:
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode) or stat.S_ISLNK(mode))


def _print(path: Path) -> Print:
    status = path.lstat()
    content = ""
    if stat.S_ISLNK(status.st_mode):
        content = str(path.readlink())
    elif stat.S_ISREG(status.st_mode):
        with path.open("rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
    mode = stat.S_IMODE(status.st_mode)
    return Print(stat.S_IFMT(status.st_mode), mode, content, status.st_mtime_ns)


def advance(root: Path, before: Mapping[str, Print], started_ns: int) -> bool:
    """Move every content that is new since ``before`` forward in time; tell whether anything is.

    For programs that alter the tree by themselves: some keep or set back an mtime.
    """
    after = fingerprint(root)
    for relative, entry in after.items():
        old = before.get(relative)
        if entry.same(old) or stat.S_ISDIR(entry.kind):
            continue
        floor = old.mtime_ns // 10**9 if old is not None else -1
        if entry.mtime_ns < started_ns or entry.mtime_ns // 10**9 <= floor:
            past = max(entry.mtime_ns, old.mtime_ns if old is not None else 0)
            move_forward(root / relative, past)
    gone = before.keys() - after.keys()
    return bool(gone) or any(not entry.same(before.get(name)) for name, entry in after.items())


def restore(wanted: Path, path: Path) -> bool:
    """Bring ``path`` to the content, type and modes of ``wanted``; tell whether anything differed.

    Either may be missing. What changes gets a later mtime, never its old one back.
    """
    if not wanted.exists() and not wanted.is_symlink():
        if path.exists() or path.is_symlink():
            remove(path)
            return True
        return False
    if wanted.is_dir() and not wanted.is_symlink():
        return _restore_folder(wanted, path)
    return _restore_file(wanted, path)


def _restore_folder(wanted: Path, path: Path) -> bool:
    changed = False
    if path.is_symlink() or not path.is_dir():
        if path.exists() or path.is_symlink():
            remove(path)
        path.mkdir(parents=True)
        changed = True
    names = {entry.name for entry in os.scandir(wanted)} | {one.name for one in os.scandir(path)}
    for name in sorted(names):
        changed |= restore(wanted / name, path / name)
    return _restore_mode(wanted, path) or changed


def _restore_file(wanted: Path, path: Path) -> bool:
    there = path.exists() or path.is_symlink()
    old = _print(path) if there else None
    new = _print(wanted)
    if new.same(old):
        return False
    if old is not None and (old.kind, old.content) == (new.kind, new.content):
        return _restore_mode(wanted, path)
    if old is not None and old.kind != new.kind:
        remove(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    if wanted.is_symlink():
        path.unlink(missing_ok=True)
        path.symlink_to(wanted.readlink())
    else:
        write_content(path, wanted.read_bytes())
        shutil.copymode(wanted, path)
    return True


def _restore_mode(wanted: Path, path: Path) -> bool:
    mode = stat.S_IMODE(wanted.lstat().st_mode)
    if stat.S_IMODE(path.lstat().st_mode) == mode:
        return False
    path.chmod(mode)
    return True


def now_ns() -> int:
    """Return the time as file systems stamp it, in nanoseconds; they may lag by a tick."""
    return time.time_ns() - 20_000_000
