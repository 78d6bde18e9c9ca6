"""Writing a build context as one tar whose bytes depend on the files alone."""

from __future__ import annotations

import hashlib
import os
import sys
import tarfile
from typing import TYPE_CHECKING, BinaryIO

from bench.workspace.errors import WorkspaceError
from bench.workspace.tree import Kind, Node

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

_BLOCK = tarfile.BLOCKSIZE
_RECORD = tarfile.RECORDSIZE
_PIECE = 1 << 20
_TYPES = {Kind.FILE: tarfile.REGTYPE, Kind.DIR: tarfile.DIRTYPE, Kind.SYMLINK: tarfile.SYMTYPE}


class _HashedFile:
    """A file being written whose size and sha256 are known at the end."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._hash = hashlib.sha256()
        self.size = 0

    def write(self, data: bytes) -> None:
        self._file.write(data)
        self._hash.update(data)
        self.size += len(data)

    def pad(self, multiple: int) -> None:
        self.write(bytes(-self.size % multiple))

    @property
    def digest(self) -> str:
        return self._hash.hexdigest()


def write_tar(
    root: Path, nodes: Sequence[Node], destination: Path, replace: Mapping[str, bytes]
) -> tuple[int, str]:
    """Write ``nodes`` of the tree ``root`` as a tar to ``destination``; gives size and sha256.

    GNU format, owner 0:0 without names, whole seconds of each file's own time, hard links as
    separate files. The first entry always fits one plain header block: BuildKit decides from the
    first 1024 bytes whether a body is a tar at all and takes a PAX or a long-name record for a
    Dockerfile (``dockerui/context.go isArchive``).

    Args:
        root: the tree.
        nodes: what to write, in order; parents before children.
        destination: the tar, which is overwritten.
        replace: content to write in place of a file's own, by path.

    Raises:
        WorkspaceError: a file changes meanwhile, or no entry can stand first.
        OSError: something cannot be read or written.

    """
    with destination.open("wb", buffering=_PIECE) as file:
        out = _HashedFile(file)
        for node in _plain_header_first(root, nodes):
            _write_node(out, root, node, replace.get(node.path))
        out.write(bytes(2 * _BLOCK))
        out.pad(_RECORD)
    return out.size, out.digest


def _write_node(out: _HashedFile, root: Path, node: Node, content: bytes | None) -> None:
    header, size = _header(root, node, content)
    out.write(header)
    if content is not None:
        out.write(content)
    elif node.kind is Kind.FILE:
        _write_file(out, f"{root}/{node.path}", size)
    out.pad(_BLOCK)


def _header(root: Path, node: Node, content: bytes | None) -> tuple[bytes, int]:
    info = tarfile.TarInfo(node.path)
    info.type = _TYPES[node.kind]
    info.mode = node.mode
    info.mtime = node.mtime_ns // 1_000_000_000
    if node.kind is Kind.SYMLINK:
        info.linkname = os.readlink(f"{root}/{node.path}")  # noqa: PTH115
    elif node.kind is Kind.FILE:
        info.size = node.size if content is None else len(content)
    encoding = sys.getfilesystemencoding()  # names come from os.fsdecode: the same bytes again
    return info.tobuf(tarfile.GNU_FORMAT, encoding, "surrogateescape"), info.size


def _write_file(out: _HashedFile, path: str, size: int) -> None:
    written = 0
    with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - twice as fast
        while piece := file.read(_PIECE):
            out.write(piece)
            written += len(piece)
    if written != size:
        raise WorkspaceError(
            f"{path} changed while it was packed", remedy="let nothing else write to the scratch"
        )


def _plain_header_first(root: Path, nodes: Iterable[Node]) -> Iterable[Node]:
    """Bring the first top-level entry with a one-block header forward if the first has none."""
    ordered = list(nodes)
    for index, node in enumerate(ordered):
        if "/" not in node.path and len(_header(root, node, None)[0]) == _BLOCK:
            return [node, *ordered[:index], *ordered[index + 1 :]]
    if not ordered:
        return ordered
    raise WorkspaceError(
        f"{root}: every name at the top of the build context is longer than 100 bytes",
        remedy="give one file or folder at the top a shorter name",
    )
