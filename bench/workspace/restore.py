"""Bringing a changed tree back to what it was, touching only what differs."""

from __future__ import annotations

import filecmp
import os
import shutil
import stat
from typing import TYPE_CHECKING

from bench.workspace.copy import apply_metadata
from bench.workspace.tree import Kind, Node, look, node_of, path_order, settle, walk

if TYPE_CHECKING:
    from pathlib import Path

    from bench.workspace.copy import Copier


class Restorer:
    """Knows how ``work`` looked when it equalled ``pristine`` and restores that.

    A path whose ``lstat`` is exactly as remembered (inode and change time included) was not
    touched and is left alone; nothing of it is read.
    """

    def __init__(self, pristine: Path, work: Path, copier: Copier) -> None:
        self._pristine = pristine
        self._work = work
        self._copier = copier
        self._originals = _nodes(pristine)
        self._as_restored = _nodes(work)
        self._settle()

    def restore(self) -> int:
        """Make ``work`` equal to ``pristine`` again; gives the number of paths touched.

        Raises:
            OSError: something cannot be read or written.

        """
        self._work.mkdir(exist_ok=True)
        touched: set[str] = set()
        current = self._look_around(touched)
        self._remove_strangers(current, touched)
        for path, original in self._originals.items():
            if path and current.get(path) != self._as_restored[path]:
                touched.add(path)
                self._repair(original, current.get(path), touched)
        self._finish_directories(touched)
        self._remember(touched)
        return len(touched)

    def _look_around(self, touched: set[str]) -> dict[str, Node]:
        def unlock(path: str, error: OSError) -> bool:
            if not self._open_up(path, touched):
                raise error
            return True

        if look(self._work, "") != self._as_restored[""]:
            touched.add("")
        return {node.path: node for node in walk(self._work, unlock)}

    def _remove_strangers(self, current: dict[str, Node], touched: set[str]) -> None:
        """Remove what was added or became another type, from the tree and from ``current``."""
        removed: set[str] = set()
        for node in sorted(current.values(), key=path_order):
            if not removed.isdisjoint(_parents(node.path)):
                del current[node.path]
                continue
            original = self._originals.get(node.path)
            if original is None or original.kind is not node.kind:
                self._open_up_to(node.path, touched)
                self._remove(node)
                removed.add(node.path)
                del current[node.path]

    def _remove(self, node: Node) -> None:
        path = f"{self._work}/{node.path}"
        if node.kind is Kind.DIR:
            shutil.rmtree(path)
        else:
            os.unlink(path)  # noqa: PTH108

    def _repair(self, original: Node, present: Node | None, touched: set[str]) -> None:
        """Bring one path back; the metadata of directories waits until all of them are filled."""
        path = f"{self._work}/{original.path}"
        if present is not None and self._same_content(original, present):
            if original.kind is not Kind.DIR:
                apply_metadata(path, original)
            return
        self._open_up_to(original.path, touched)
        if present is not None:
            os.unlink(path)  # noqa: PTH108 - never write through: a change may have linked it
        self._copier.copy_node(self._pristine, self._work, original)

    def _same_content(self, original: Node, present: Node) -> bool:
        old, new = f"{self._pristine}/{original.path}", f"{self._work}/{original.path}"
        if original.kind is Kind.DIR:
            return True
        if original.kind is Kind.SYMLINK:
            return os.readlink(old) == os.readlink(new)  # noqa: PTH115
        if present.links > 1 or present.size != original.size:
            return False
        if not present.mode & stat.S_IRUSR:
            os.chmod(new, 0o600)  # noqa: PTH101
        return filecmp.cmp(old, new, shallow=False)

    def _finish_directories(self, touched: set[str]) -> None:
        for path in sorted(touched, key=os.fsencode, reverse=True):
            original = self._originals.get(path)
            if original is not None and original.kind is Kind.DIR:
                apply_metadata(f"{self._work}/{path}", original)

    def _remember(self, touched: set[str]) -> None:
        for path in touched:
            node = look(self._work, path)
            if node is not None:
                self._as_restored[path] = node
        self._settle()

    def _settle(self) -> None:
        settle(max(node.ctime_ns for node in self._as_restored.values()))

    def _open_up_to(self, path: str, touched: set[str]) -> None:
        """Make the directories above ``path`` writable for us, since its own is about to change."""
        parents = _parents(path)
        for parent in parents:
            self._open_up(parent, touched)
        touched.add(parents[-1])

    def _open_up(self, directory: str, touched: set[str]) -> bool:
        """Give ourselves all rights to a directory; whether that changed anything."""
        node = look(self._work, directory)
        if node is None or node.mode & stat.S_IRWXU == stat.S_IRWXU:
            return False
        os.chmod(f"{self._work}/{directory}", node.mode | stat.S_IRWXU)  # noqa: PTH101
        touched.add(directory)
        return True


def _nodes(root: Path) -> dict[str, Node]:
    top = node_of("", os.lstat(root))
    return {"": top} | {node.path: node for node in walk(root)}


def _parents(path: str) -> tuple[str, ...]:
    """List the directories above ``path``, the root ("") first."""
    cuts = [index for index, char in enumerate(path) if char == "/"]
    return ("", *(path[:cut] for cut in cuts))
