"""Copying files and trees so that type, mode, times and links survive, without following links."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable
from typing import TYPE_CHECKING

from bench.workspace.tree import Kind, Node, node_of, walk

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bench.workspace.tree import Unreadable

_FICLONE = 0x40049409
"""linux/fs.h: share all blocks of another file; file systems without it answer EOPNOTSUPP."""

_NO_SUCH_WAY = frozenset(
    {errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTTY, errno.EPERM}
)
_READ = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
_CREATE = os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_CREAT | os.O_EXCL


Way = Callable[[int, int], None]
"""Copies all bytes from one file descriptor to another; OSError if it cannot."""


class Copier:
    """Copies between two file systems in the cheapest way they offer, found out once.

    First choice is a reflink (FICLONE), which shares the blocks until one side changes; then the
    kernel's ``copy_file_range``; then plain reads and writes.
    """

    def __init__(self, ways: Sequence[Way] = ()) -> None:
        self.ways = list(ways or (_clone, _copy_in_kernel, _copy_plainly))
        """The ways still worth trying, best first."""

    def copy_content(self, source: str, destination: str) -> None:
        """Copy the bytes of the regular file ``source`` to ``destination``, which must not exist.

        Raises:
            OSError: it cannot be read or written.

        """
        reader = os.open(source, _READ)
        try:
            writer = os.open(destination, _CREATE, 0o600)
            try:
                self._copy(reader, writer)
            finally:
                os.close(writer)
        finally:
            os.close(reader)

    def _copy(self, reader: int, writer: int) -> None:
        while True:
            try:
                return self.ways[0](reader, writer)
            except OSError as error:
                if error.errno not in _NO_SUCH_WAY or len(self.ways) == 1:
                    raise
                del self.ways[0]

    def copy_node(self, source: Path, destination: Path, node: Node) -> None:
        """Copy one node from tree ``source`` to tree ``destination``, a directory as empty.

        A directory gets mode 0700 for now: ``apply_metadata`` gives it its own once it is filled.

        Raises:
            OSError: it cannot be read or written.

        """
        old, new = f"{source}/{node.path}", f"{destination}/{node.path}"
        if node.kind is Kind.DIR:
            os.mkdir(new, 0o700)  # noqa: PTH102 - plain strings: a fifth of the time of Path
            return
        if node.kind is Kind.SYMLINK:
            os.symlink(os.readlink(old), new)  # noqa: PTH115, PTH211 - keeps ./ and // as they are
        else:
            self.copy_content(old, new)
        apply_metadata(new, node)

    def copy_tree(
        self,
        source: Path,
        destination: Path,
        unreadable: Unreadable | None = None,
    ) -> None:
        """Copy the tree ``source`` into ``destination``, which is made.

        Hard links become separate files. Sockets, FIFOs and devices are left out. What cannot be
        read is passed to ``unreadable`` and left out; without it the error is raised.

        Raises:
            OSError: something cannot be read or written.

        """
        directories = {"": node_of("", os.lstat(source))}

        def leave_out(path: str, error: OSError) -> bool:
            if unreadable is None or unreadable(path, error):
                raise error
            if path in directories:  # it was made before anyone looked inside
                os.rmdir(f"{destination}/{path}")  # noqa: PTH106
                del directories[path]
            return False

        os.mkdir(destination, 0o700)  # noqa: PTH102
        for node in walk(source, leave_out):
            if node.kind not in (Kind.FILE, Kind.DIR, Kind.SYMLINK):
                continue
            try:
                self.copy_node(source, destination, node)
            except PermissionError as error:
                leave_out(node.path, error)
                continue
            if node.kind is Kind.DIR:
                directories[node.path] = node
        for node in reversed(directories.values()):
            apply_metadata(f"{destination}/{node.path}", node)


def apply_metadata(path: str, node: Node) -> None:
    """Give ``path`` the mode and the modification time of ``node``.

    Raises:
        OSError: it cannot be changed.

    """
    if node.kind is not Kind.SYMLINK:
        os.chmod(path, node.mode)  # noqa: PTH101
    os.utime(path, ns=(node.mtime_ns, node.mtime_ns), follow_symlinks=False)


def _clone(reader: int, writer: int) -> None:
    try:
        from fcntl import ioctl  # not on every system
    except ImportError as error:
        raise OSError(errno.ENOSYS, "no ioctl") from error
    ioctl(writer, _FICLONE, reader)


def _copy_in_kernel(reader: int, writer: int) -> None:
    copy = getattr(os, "copy_file_range", None)
    if copy is None:
        raise OSError(errno.ENOSYS, "no copy_file_range")
    while copy(reader, writer, 1 << 30):
        pass
    if os.fstat(writer).st_size != os.fstat(reader).st_size:  # file systems that answer 0 at once
        os.ftruncate(writer, 0)
        raise OSError(errno.EOPNOTSUPP, "copy_file_range copied nothing")


def _copy_plainly(reader: int, writer: int) -> None:
    os.lseek(reader, 0, os.SEEK_SET)
    os.lseek(writer, 0, os.SEEK_SET)
    with (
        os.fdopen(reader, "rb", closefd=False) as old,
        os.fdopen(writer, "wb", closefd=False) as new,
    ):
        shutil.copyfileobj(old, new, 1 << 20)
