"""Looking at a directory tree without following links: nodes, and when their times are safe."""

from __future__ import annotations

import os
import stat
import sys
import time
from collections.abc import Callable
from enum import StrEnum
from functools import cache
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path


class Kind(StrEnum):
    """What a path is. Only the first three can be part of a build context."""

    FILE = "file"
    DIR = "dir"
    SYMLINK = "symlink"
    SOCKET = "socket"
    FIFO = "FIFO"
    DEVICE = "device"


_CLOCK_REALTIME_COARSE = 5
"""linux/time.h; Python's time module does not name it."""

SPECIAL = frozenset({Kind.FIFO, Kind.DEVICE})
_KINDS = {
    stat.S_IFREG: Kind.FILE,
    stat.S_IFDIR: Kind.DIR,
    stat.S_IFLNK: Kind.SYMLINK,
    stat.S_IFSOCK: Kind.SOCKET,
    stat.S_IFIFO: Kind.FIFO,
}
_PATH = attrgetter("path")


class Node(NamedTuple):
    """One path as ``lstat`` saw it; two equal nodes stand for unchanged content.

    ``path`` is relative and ``/``-separated; bytes of a name that are no text are kept by
    ``surrogateescape``. Times are in nanoseconds, ``size`` in bytes, ``mode`` the permission bits.
    """

    path: str
    kind: Kind
    mode: int
    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int
    links: int


@cache
def _kind_and_mode(st_mode: int) -> tuple[Kind, int]:
    return _KINDS.get(stat.S_IFMT(st_mode), Kind.DEVICE), stat.S_IMODE(st_mode)


def node_of(path: str, status: os.stat_result) -> Node:
    """Make the node for ``path`` from its ``lstat`` result."""
    kind, mode = _kind_and_mode(status.st_mode)
    return Node(
        path,
        kind,
        mode,
        status.st_size,
        status.st_mtime_ns,
        status.st_ctime_ns,
        status.st_ino,
        status.st_nlink,
    )


def look(root: Path, path: str) -> Node | None:
    """Look at ``path`` below ``root``; None if there is nothing."""
    try:
        return node_of(path, os.lstat(os.path.join(root, path)))  # noqa: PTH118 - bytes kept as is
    except (FileNotFoundError, NotADirectoryError):
        return None


def list_directory(root: Path, path: str) -> list[Node]:
    """List what is directly inside directory ``path`` below ``root``, in byte order of names.

    Raises:
        OSError: the directory cannot be read.

    """
    return in_path_order(scan_directory(root, path))


def scan_directory(root: Path, path: str) -> list[Node]:
    """List what is directly inside directory ``path`` below ``root``, in no order.

    Raises:
        OSError: the directory cannot be read.

    """
    prefix = f"{path}/" if path else ""
    with os.scandir(f"{root}/{path}") as entries:
        return [
            node_of(prefix + entry.name, entry.stat(follow_symlinks=False)) for entry in entries
        ]


class Lister:
    """Lists the directories of one tree again and again; an unchanged one is not read again.

    A directory's change time moves when a name in it comes or goes. Its names are remembered only
    if that time was over on the file system's clock when it was looked at: a change within the
    same tick of the clock would leave the same time behind.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._names: dict[str, tuple[Node, list[str]]] = {}
        self.directories_read = 0
        """How many directories were read so far."""

    def top(self) -> Node:
        """Look at the root.

        Raises:
            OSError: it is not there.

        """
        return node_of("", os.lstat(self._root))

    def list(self, directory: Node) -> list[Node]:
        """List what is directly inside ``directory``, in no order.

        Args:
            directory: as it was when it was last looked at.

        Raises:
            OSError: the directory cannot be read.

        """
        known = self._names.get(directory.path)
        if known is not None and known[0] == directory:
            try:
                return [node_of(path, os.lstat(f"{self._root}/{path}")) for path in known[1]]
            except (FileNotFoundError, NotADirectoryError):
                pass  # it changes while we look: read it
        is_over = directory.ctime_ns < coarse_clock_ns()
        self.directories_read += 1
        nodes = scan_directory(self._root, directory.path)
        if is_over:
            self._names[directory.path] = directory, [node.path for node in nodes]
        else:
            self._names.pop(directory.path, None)
        return nodes


def in_path_order(nodes: Iterable[Node]) -> list[Node]:
    """Sort nodes by the bytes of their paths: a directory comes before what is inside it."""
    found = list(nodes)
    if all(node.path.isascii() for node in found):  # then characters have the order of bytes
        return sorted(found, key=_PATH)
    return sorted(found, key=path_order)


def path_order(node: Node) -> bytes:
    """Sort key: the bytes of the path, so that a directory comes before what is inside it."""
    return os.fsencode(node.path)


Unreadable = Callable[[str, OSError], bool]
"""Told of a path that may not be read; True means that it should work now, False to leave it out.

To give up, it raises.
"""


def walk(root: Path, unreadable: Unreadable | None = None) -> Iterator[Node]:
    """Every node below ``root``, parents before children, the root itself left out.

    Args:
        root: a directory.
        unreadable: told of each directory that may not be read; without it the error is raised.

    Raises:
        OSError: a directory cannot be read and ``unreadable`` is not given.

    """
    pending = [""]
    while pending:
        directory = pending.pop()
        try:
            nodes = list_directory(root, directory)
        except PermissionError as error:
            if unreadable is None:
                raise
            if unreadable(directory, error):
                pending.append(directory)
            continue
        pending.extend(node.path for node in nodes if node.kind is Kind.DIR)
        yield from nodes


def settle(newest_ctime_ns: int) -> None:
    """Wait (a few milliseconds at most) until a later change must get a later change time.

    File systems stamp with the kernel's coarse clock, which ticks every 1 to 10 ms; a file
    changed twice within one tick would look unchanged the second time.
    """
    for _ in range(50):  # a stamp in the future (the clock was set back) must not hang us
        if coarse_clock_ns() > newest_ctime_ns:
            return
        time.sleep(0.001)


def coarse_clock_ns() -> int:
    """Read the clock that file systems stamp with, in nanoseconds since 1970."""
    if sys.platform == "linux":
        return time.clock_gettime_ns(_CLOCK_REALTIME_COARSE)
    return time.time_ns() - 20_000_000  # later than any tick can lag behind
