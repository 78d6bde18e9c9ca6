"""A tree of files with what builders hash of each: the build context, or a part of a stage.

Directories that are only implied by what lies in them count as existing, but have no header of
their own.
"""

from __future__ import annotations

import bisect
import posixpath
from functools import cached_property
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bench.workspace.manifest import Entry

_MOST_LINKS = 255


class Node(NamedTuple):
    """One file, directory or link. ``owner`` is ``uid:gid``, or the names where none is known."""

    type: Literal["file", "dir", "symlink"]
    mode: int
    owner: str
    content: str
    """Of a file the digest of its bytes, of a link where it points."""

    @classmethod
    def of(cls, entry: Entry) -> Node:
        """Return what is hashed of a context entry, its name left out."""
        content = entry.sha256 if entry.type == "file" else entry.link_target
        return cls(entry.type, entry.mode, f"{entry.uid}:{entry.gid}", content or "")


class FileTree:
    """Nodes by path; paths are relative, without a leading slash; ``""`` is the root."""

    def __init__(self, nodes: Mapping[str, Node]) -> None:
        self.nodes = nodes

    @classmethod
    def of_manifest(cls, manifest: Mapping[str, Entry]) -> FileTree:
        """Return the tree of a build context."""
        return cls({path: Node.of(entry) for path, entry in manifest.items()})

    @cached_property
    def _order(self) -> list[tuple[str, str]]:
        """All paths in the order in which BuildKit walks them: by component."""
        return sorted((path.replace("/", "\0"), path) for path in self.nodes)

    @cached_property
    def _has_links(self) -> bool:
        return any(node.type == "symlink" for node in self.nodes.values())

    def below(self, folder: str) -> Iterator[str]:
        """Yield the paths below ``folder``, component by component in byte order."""
        if not folder:
            yield from (path for _, path in self._order)
            return
        prefix = folder.replace("/", "\0") + "\0"
        start = bisect.bisect_left(self._order, (prefix, ""))
        for key, path in self._order[start:]:
            if not key.startswith(prefix):
                return
            yield path

    def exists(self, path: str) -> bool:
        """Tell whether something is at ``path`` (links not followed)."""
        return not path or path in self.nodes or next(self.below(path), None) is not None

    def is_dir(self, path: str) -> bool:
        """Tell whether a directory is at ``path``, one that is only implied included."""
        node = self.nodes.get(path)
        if node is not None:
            return node.type == "dir"
        return not path or next(self.below(path), None) is not None

    def resolve(self, path: str, *, last: bool = True) -> str:
        """Follow the links on the way to ``path``, the last component's only if ``last``.

        Links are kept inside the root, as the builders do. A path that does not exist is
        returned as far as it goes.
        """
        if not self._has_links and "." not in path:
            return path.strip("/") if "//" not in path else clean(path)
        pending = [part for part in path.split("/") if part not in {"", "."}][::-1]
        reached = ""
        links = 0
        while pending:
            part = pending.pop()
            if part == "..":
                reached = posixpath.dirname(reached)
                continue
            here = f"{reached}/{part}" if reached else part
            node = self.nodes.get(here)
            if node is None or node.type != "symlink" or (not pending and not last):
                reached = here
                continue
            links += 1
            if links > _MOST_LINKS:
                return here
            if node.content.startswith("/"):
                reached = ""
            pending += [one for one in node.content.split("/") if one not in {"", "."}][::-1]
        return reached


def clean(path: str) -> str:
    """Return a source path as the builders look it up: relative to the root, no dots."""
    return posixpath.normpath("/" + path.lstrip("/"))[1:]
