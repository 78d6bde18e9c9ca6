"""What the builders hash of a build context: one entry per path, and how two of them differ."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Literal, NamedTuple, cast

from bench.workspace.tree import Kind, Node

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

EntryType = Literal["file", "dir", "symlink"]


class Entry(NamedTuple):
    """One path of a build context.

    ``mode`` holds the permission bits, ``size`` the bytes of a file (0 for the others),
    ``link_target`` where a symbolic link points, ``sha256`` the hex digest of a file's content,
    ``mtime_ns`` the modification time in nanoseconds, which no builder hashes. ``uid`` and ``gid``
    are 0 in everything that a workspace packs, as in what the docker clients send.
    """

    path: str
    type: EntryType
    mode: int
    size: int
    link_target: str | None
    sha256: str | None
    mtime_ns: int
    uid: int = 0
    gid: int = 0


@dataclass(frozen=True)
class ManifestDiff:
    """How one manifest differs from an earlier one; every field holds sorted paths.

    A path whose type changed is in ``type_changed`` alone; any other path may be in several of
    ``content_changed``, ``mode_changed``, ``owner_changed`` and ``link_changed``. ``mtime_only``
    holds what differs in nothing but the modification time. Times of directories are not
    compared: they follow from what was added and removed inside.
    """

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    content_changed: tuple[str, ...] = ()
    mode_changed: tuple[str, ...] = ()
    owner_changed: tuple[str, ...] = ()
    type_changed: tuple[str, ...] = ()
    link_changed: tuple[str, ...] = ()
    mtime_only: tuple[str, ...] = ()

    @property
    def paths(self) -> frozenset[str]:
        """Every path that differs in any way."""
        return frozenset().union(*(getattr(self, field.name) for field in fields(self)))

    @property
    def hashed_paths(self) -> frozenset[str]:
        """The paths whose difference a builder can see: all but those in ``mtime_only``."""
        return self.paths - frozenset(self.mtime_only)

    @property
    def is_empty(self) -> bool:
        """Whether nothing differs, modification times included."""
        return not self.paths


class Manifest(Mapping[str, Entry]):
    """The entries of a build context by path, in byte order of the paths, the root left out.

    ``sent_although_ignored`` names the Dockerfile, its folder and ``.dockerignore`` where an
    ignore pattern matches them. A builder gets them all the same; the classic one removes the two
    files again before ``COPY``, BuildKit over a tar body cannot.
    """

    def __init__(self, entries: Iterable[Entry], sent_although_ignored: Iterable[str] = ()) -> None:
        self._entries = {entry.path: entry for entry in entries}
        self.sent_although_ignored = frozenset(sent_although_ignored)

    def __getitem__(self, path: str) -> Entry:
        return self._entries[path]

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def __repr__(self) -> str:
        return f"Manifest({len(self)} entries)"

    def without(self, ignores: Callable[[str], bool]) -> Manifest:
        """Return what is still sent where ``ignores`` says so of more paths than before."""
        always = self.sent_although_ignored
        kept = (one for path, one in self.items() if path in always or not ignores(path))
        return Manifest(kept, always)

    def diff(self, other: Manifest) -> ManifestDiff:
        """Compare with ``other``, the later one: what was added there, removed, changed."""
        found: dict[str, list[str]] = {field.name: [] for field in fields(ManifestDiff)}
        found["added"] = [path for path in other if path not in self]
        found["removed"] = [path for path in self if path not in other]
        for path, before in self.items():
            after = other.get(path)
            if after is not None and after != before:
                for name in _differences(before, after):
                    found[name].append(path)
        return ManifestDiff(**{name: tuple(sorted(paths)) for name, paths in found.items()})


def _differences(before: Entry, after: Entry) -> list[str]:
    if before.type != after.type:
        return ["type_changed"]
    names = {
        "content_changed": before.sha256 != after.sha256,
        "mode_changed": before.mode != after.mode,
        "owner_changed": (before.uid, before.gid) != (after.uid, after.gid),
        "link_changed": before.link_target != after.link_target,
    }
    found = [name for name, differs in names.items() if differs]
    if not found and before.type != "dir":
        return ["mtime_only"]
    return found


class EntryIndex:
    """Turns nodes into entries and reads a file again only if its node changed.

    A file counts as unchanged while size, mode, inode, modification time and change time stay the
    same; the change time cannot be set back by ``utime``, so an edit that restores the
    modification time is seen as well.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._known: dict[str, tuple[Node, Entry]] = {}
        self.files_hashed = 0
        """How many files were read and hashed since the index was made."""

    def entries(self, nodes: Iterable[Node]) -> list[Entry]:
        """Make the entries for ``nodes``, in their order.

        Raises:
            OSError: a file or link cannot be read.

        """
        known = self._known
        found = []
        for node in nodes:
            before = known.get(node.path)
            if before is None or before[0] != node:
                before = known[node.path] = (node, self._read(node))
            found.append(before[1])
        return found

    def _read(self, node: Node) -> Entry:
        path = f"{self._root}/{node.path}"
        size, target, digest = 0, None, None
        if node.kind is Kind.FILE:
            size, digest = node.size, hash_file(path)
            self.files_hashed += 1
        elif node.kind is Kind.SYMLINK:
            target = os.readlink(path)  # noqa: PTH115 - Path would not keep ./ and // as they are
        kind = cast("EntryType", node.kind.value)
        return Entry(node.path, kind, node.mode, size, target, digest, node.mtime_ns)


def hash_file(path: str) -> str:
    """Compute the sha256 of a file's content in hex, reading in pieces."""
    with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - twice as fast
        return hashlib.file_digest(file, "sha256").hexdigest()
