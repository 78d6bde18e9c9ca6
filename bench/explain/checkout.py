"""What the files of a commit would be in a checkout, without making one.

git keeps of a file's mode whether it can be executed, and stores some contents in another form:
with other line endings, or as a pointer to what Git LFS holds. Where a file in the working tree is
what a checkout would have made, it counts as unchanged.
"""

from __future__ import annotations

import hashlib
import os
import re
from typing import TYPE_CHECKING

from bench.explain.git import EXECUTABLE, SYMLINK, has_content
from bench.workspace import Entry
from bench.workspace.tree import Kind, look

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from bench.explain.git import Blob, Repository
    from bench.workspace.manifest import EntryIndex
    from bench.workspace.tree import Node

_LFS = re.compile(
    rb"\Aversion https://git-lfs\.github\.com/spec/v1\n(?:.*\n)*oid sha256:(\w{64})\n"
)
"""A pointer that Git LFS keeps in place of a large file; it names the digest of the file."""
_FOLDER_MODE = 0o755
_FILE_MODE = 0o644


class Checkout:
    """Makes entries of a build context from the files of a commit.

    ``root`` is the context in the working tree, ``entries`` hashes its files, each once.
    """

    def __init__(self, root: Path, repository: Repository, entries: EntryIndex) -> None:
        self._root = root
        self._repository = repository
        self._entries = entries
        self._counts_modes = repository.counts_modes()

    def folders(self, paths: Iterable[str]) -> Iterator[Entry]:
        """Yield an entry for every folder: git knows no mode of it, so it is the present one."""
        for path in paths:
            node = look(self._root, path)
            mode = node.mode if node is not None and node.kind is Kind.DIR else _FOLDER_MODE
            yield Entry(path, "dir", mode, 0, None, None, 0)

    def files(self, blobs: Mapping[str, Blob]) -> Iterator[Entry]:
        """Yield an entry for every file and link.

        Raises:
            OSError: a file of the working tree cannot be read.
            UsageError: the repository lacks a content (a partial clone).

        """
        unlike: dict[str, Blob] = {}
        for path, blob in blobs.items():
            entry = self._unchanged(path, blob)
            if entry is not None:
                yield entry
            else:
                unlike[path] = blob
        contents = self._repository.contents(unlike.values())
        for (path, blob), content in zip(unlike.items(), contents, strict=True):
            yield self._entry(path, blob, content)

    def _unchanged(self, path: str, blob: Blob) -> Entry | None:
        """Return the entry of a file that is on the disk as git stores it."""
        node = self._file(path)
        if node is None or blob.mode == SYMLINK or not has_content(self._root / path, blob):
            return None
        return self._entries.entries([node])[0]._replace(mode=self._mode(blob, node))

    def _entry(self, path: str, blob: Blob, content: bytes) -> Entry:
        if blob.mode == SYMLINK:
            return Entry(path, "symlink", 0o777, 0, os.fsdecode(content), None, 0)
        node = self._file(path)
        digest = self._digest(path, blob, content, node)
        return Entry(path, "file", self._mode(blob, node), len(content), None, digest, 0)

    def _file(self, path: str) -> Node | None:
        node = look(self._root, path)
        return node if node is not None and node.kind is Kind.FILE else None

    def _digest(self, path: str, blob: Blob, content: bytes, node: Node | None) -> str:
        """Return the digest of a file as a checkout would have written it."""
        pointer = _LFS.match(content)
        if pointer is not None:
            return pointer[1].decode()
        if node is not None and b"\n" in content:
            present = (self._root / path).read_bytes()
            if present.replace(b"\r\n", b"\n") == content.replace(b"\r\n", b"\n"):
                content = self._repository.converted(blob.oid, path)
        return hashlib.sha256(content).hexdigest()

    def _mode(self, blob: Blob, node: Node | None) -> int:
        """Return the mode a file had: the present one unless git would call it changed."""
        executable = blob.mode == EXECUTABLE
        if node is None:
            return _FOLDER_MODE if executable else _FILE_MODE
        if bool(node.mode & 0o100) == executable or not self._counts_modes:
            return node.mode
        return node.mode | (node.mode & 0o444) >> 2 if executable else node.mode & ~0o111
