"""Writing into the scratch copy: whole files at once, and never with an mtime that stands still.

A builder that receives the context over a session compares size and mtime and does not read a
file again where both are the same (buildkit, fsutil ``sameFile``), so every new content gets a
later mtime, in whole seconds too: a tar in GNU format holds nothing finer.
"""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

SECOND_NS = 1_000_000_000


def later_than(mtime_ns: int) -> int:
    """Return an mtime in nanoseconds: now, but at least a second after ``mtime_ns``."""
    return max(time.time_ns(), mtime_ns + SECOND_NS)


def write_content(file: Path, content: bytes) -> None:
    """Give ``file`` a new content, keeping its mode and moving its mtime forward.

    The file becomes a new inode, so that another name of the old one (a hard link, perhaps to
    outside of the scratch copy) keeps the old content; after a fault the old file is whole.
    """
    old = file.lstat() if file.exists() else None
    parent = file.parent.stat()
    with _replacement(file) as temporary:
        temporary.write_bytes(content)
        if old is not None:
            temporary.chmod(stat.S_IMODE(old.st_mode))
            mtime = later_than(old.st_mtime_ns)
        else:
            temporary.chmod(0o644)
            mtime = time.time_ns()
        os.utime(temporary, ns=(mtime, mtime))
    if old is not None:
        # No entry came or went, so the folder has not changed.
        os.utime(file.parent, ns=(parent.st_atime_ns, parent.st_mtime_ns))


def move_forward(path: Path, old_ns: int | None = None) -> None:
    """Move the mtime of a file, folder or symlink forward, past ``old_ns`` (default: its own)."""
    own_inode(path)
    mtime = later_than(path.lstat().st_mtime_ns if old_ns is None else old_ns)
    os.utime(path, ns=(mtime, mtime), follow_symlinks=False)


def own_inode(file: Path) -> None:
    """Part a regular file from its other names, so that its mode and mtime are its own."""
    status = file.lstat()
    if not stat.S_ISREG(status.st_mode) or status.st_nlink == 1:
        return
    parent = file.parent.stat()
    with _replacement(file) as temporary:
        shutil.copy2(file, temporary)
    os.utime(file.parent, ns=(parent.st_atime_ns, parent.st_mtime_ns))


def remove(path: Path) -> None:
    """Remove a file, a symlink (not what it points to) or a whole folder."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


@contextmanager
def _replacement(file: Path) -> Iterator[Path]:
    """Give a new file beside ``file`` that takes its place, or vanishes after a fault."""
    handle, name = tempfile.mkstemp(prefix=".bench-", dir=file.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.replace(file)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
