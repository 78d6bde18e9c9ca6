"""A scratch copy of a build context that can be changed, looked at, packed and put back."""

from __future__ import annotations

import os
import time
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from bench.builders.protocol import PackedContext
from bench.workspace.copy import Copier, apply_metadata
from bench.workspace.errors import WorkspaceError, explained
from bench.workspace.ignore import ClientRule
from bench.workspace.manifest import EntryIndex, Manifest
from bench.workspace.pack import write_tar
from bench.workspace.restore import Restorer
from bench.workspace.select import IGNORE_FILE, Selection, Selector, select
from bench.workspace.tree import Kind, Node, look, node_of, settle

if TYPE_CHECKING:
    from collections.abc import Mapping

DOCKERFILE_MTIME_NS = 946_684_800 * 10**9
"""2000-01-01: a Dockerfile given as text has no time of its own, and packs must be repeatable."""


class Workspace:
    """A build context in ``scratch/work``, beside an untouched copy in ``scratch/pristine``.

    ``root`` is the copy that changes are made to, ``pristine`` the one never to write to. All
    that reads ``root`` follows the ignore file as it stands there at that moment.

    What the builders make of the Dockerfile and ``.dockerignore`` themselves: they are always
    packed, since the daemon needs them. If ``.dockerignore`` lists them, the classic builder
    removes the two files again before any ``COPY . .`` (moby ``remotecontext/detect.go``).
    BuildKit cannot do that with a tar body, so there ``COPY . .`` copies them and an edit of the
    Dockerfile invalidates it, unlike in a session build. ``Manifest.sent_although_ignored`` names
    them.
    """

    def __init__(
        self, scratch: Path, dockerfile_path: str, copier: Copier, *, keep_packs: int
    ) -> None:
        """Take over a scratch folder that ``create`` has filled."""
        self.root = scratch / "work"
        self.pristine = scratch / "pristine"
        self.dockerfile_path = dockerfile_path
        self._packs = scratch / "packs"
        self._packs.mkdir()
        self._kept: list[Path] = []
        self._keep_packs = keep_packs
        self._number = 0
        self._selector = Selector(self.root, dockerfile_path)
        self._index = EntryIndex(self.root)
        self._restorer = Restorer(self.pristine, self.root, copier)

    @classmethod
    def create(
        cls,
        source: Path,
        scratch: Path,
        *,
        dockerfile_text: str,
        dockerfile_path: str,
        dockerignore_text: str | None = None,
        keep_packs: int = 2,
    ) -> Workspace:
        """Copy the build context ``source`` to ``scratch``, with this Dockerfile in it.

        Everything is copied, ignored files too, since a change may need them: mode, modification
        time, symbolic links and empty directories as they are, hard links as separate files,
        owners and extended attributes not (packing sets owner 0:0 as the docker clients do).
        Sockets are left out, as by the docker clients. Nothing is ever written to ``source``.

        Args:
            source: the build context.
            scratch: a folder that is empty or does not exist, neither inside ``source`` nor
                around it.
            dockerfile_text: written in place of whatever is at ``dockerfile_path``; its
                modification time is the constant ``DOCKERFILE_MTIME_NS``.
            dockerfile_path: relative to the context.
            dockerignore_text: written in place of ``.dockerignore``; None leaves that as it is.
            keep_packs: how many of the last tars stay on disk.

        Raises:
            WorkspaceError: ``source`` cannot be read or holds a FIFO or device that is not
                ignored, ``scratch`` cannot be used, or the path of the Dockerfile makes no sense.

        """
        source = source.absolute()
        scratch = scratch.absolute()
        _check_places(source, scratch)
        dockerfile = _check_dockerfile_path(dockerfile_path)
        selected = {node.path for node in select(source, dockerfile).nodes}

        def leave_out(path: str, error: OSError) -> bool:
            if path in selected:
                raise error
            return False  # ignored and unreadable: the docker clients never look at it

        copier = Copier()
        with explained("copy the build context"):
            scratch.mkdir(parents=True, exist_ok=True)
            copier.copy_tree(source, scratch / "pristine", leave_out)
            _write_text(scratch / "pristine", dockerfile, dockerfile_text)
            if dockerignore_text is not None:
                _write_text(scratch / "pristine", IGNORE_FILE, dockerignore_text)
            copier.copy_tree(scratch / "pristine", scratch / "work")
            return cls(scratch, dockerfile, copier, keep_packs=keep_packs)

    @property
    def files_hashed(self) -> int:
        """How many files ``manifest`` has read and hashed so far."""
        return self._index.files_hashed

    def manifest(self, client: ClientRule = ClientRule.BUILDKIT) -> Manifest:
        """List what the builders would hash of the context now, reading only files that changed.

        Args:
            client: whose ``.dockerignore`` rules to follow.

        Raises:
            WorkspaceError: something cannot be read, or the ignore file makes no sense.

        """
        selection = self._select(client)
        with explained("read the build context"):
            entries = self._index.entries(selection.nodes)
        settle(max((node.ctime_ns for node in selection.nodes), default=0))
        return Manifest(entries, selection.sent_although_ignored)

    def pack(
        self,
        *,
        replace: Mapping[str, bytes] | None = None,
        client: ClientRule = ClientRule.BUILDKIT,
    ) -> PackedContext:
        """Write the context as a tar whose bytes depend on the selected files alone.

        Every pack is a new file under ``scratch/packs``, put there only when it is complete; of
        the earlier ones the last ``keep_packs - 1`` stay.

        Args:
            replace: content to pack in place of a file's own, by path; mode and time stay.
            client: whose ``.dockerignore`` rules to follow.

        Raises:
            WorkspaceError: something cannot be read or written, a path in ``replace`` is no file
                of the context, or a file changes meanwhile.

        """
        start = time.perf_counter()
        replace = replace or {}
        nodes = self._select(client).nodes
        missing = set(replace) - {node.path for node in nodes if node.kind is Kind.FILE}
        if missing:
            raise WorkspaceError(
                f"cannot replace {', '.join(sorted(missing))}: no such file in the build context",
                remedy="name files that exist and are not ignored",
            )
        self._number += 1
        path = self._packs / f"context-{self._number:06}.tar"
        unfinished = path.with_suffix(".part")
        try:
            with explained("pack the build context"):
                size, digest = write_tar(self.root, nodes, unfinished, replace)
                unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)
        self._forget_old_packs(path)
        return PackedContext(path, size, digest, time.perf_counter() - start)

    def reset(self) -> int:
        """Put ``root`` back to what ``create`` made; gives the number of paths it touched.

        Content, mode, modification time, type, what was added and what was removed all go back;
        a path that did not change is neither read nor written.

        Raises:
            WorkspaceError: something cannot be read or written.

        """
        with explained("restore the build context"):
            return self._restorer.restore()

    def _select(self, client: ClientRule) -> Selection:
        selection = self._selector.select(client)
        if not any(node.path == self.dockerfile_path for node in selection.nodes):
            raise WorkspaceError(
                f"{self.root / self.dockerfile_path}: the Dockerfile is gone",
                remedy="let no change delete or rename it",
            )
        return selection

    def _forget_old_packs(self, newest: Path) -> None:
        self._kept.append(newest)
        while len(self._kept) > self._keep_packs:
            self._kept.pop(0).unlink(missing_ok=True)


def _check_places(source: Path, scratch: Path) -> None:
    if not source.is_dir():
        raise WorkspaceError(
            f"{source}: the build context is not a folder", remedy="name an existing folder"
        )
    old, new = source.resolve(), scratch.resolve()
    if new.is_relative_to(old) or old.is_relative_to(new):
        raise WorkspaceError(
            f"{scratch}: the scratch folder and the build context {source} lie inside each other",
            remedy="choose a scratch folder elsewhere, e.g. under the system's temporary folder",
        )
    if scratch.exists() and (not scratch.is_dir() or any(scratch.iterdir())):
        raise WorkspaceError(
            f"{scratch}: the scratch folder is not an empty folder", remedy="choose a new one"
        )


def _check_dockerfile_path(path: str) -> str:
    cleaned = PurePosixPath(path)
    if cleaned.is_absolute() or ".." in cleaned.parts or not cleaned.parts:
        raise WorkspaceError(
            f"{path!r} is not a path inside the build context",
            remedy="give the Dockerfile's path relative to the context",
        )
    return str(cleaned)


def _write_text(root: Path, path: str, text: str) -> None:
    """Write a Dockerfile or ignore file without following a link; directories keep their times."""
    target = root / path
    before = look(root, path)
    if before and before.kind is Kind.DIR:
        raise WorkspaceError(f"{target} is a folder", remedy=f"name a file that {path} can be")
    parents = _make_parents(root, path)
    target.unlink(missing_ok=True)
    target.write_text(text, encoding="utf-8", newline="")
    target.chmod(before.mode if before and before.kind is Kind.FILE else 0o644)
    os.utime(target, ns=(DOCKERFILE_MTIME_NS, DOCKERFILE_MTIME_NS))
    for parent in reversed(parents):
        apply_metadata(f"{root}/{parent.path}", parent)


def _make_parents(root: Path, path: str) -> list[Node]:
    """Make the missing directories above ``path`` and open all of them for writing.

    Gives them as they have to be in the end.
    """
    parents = [node_of("", os.lstat(root))]
    root.chmod(parents[0].mode | 0o700)
    parts = PurePosixPath(path).parts[:-1]
    for depth in range(len(parts)):
        directory = "/".join(parts[: depth + 1])
        node = look(root, directory)
        if node is None:
            (root / directory).mkdir()
            made = node_of(directory, os.lstat(root / directory))
            node = made._replace(mode=0o755, mtime_ns=DOCKERFILE_MTIME_NS)
        if node.kind is not Kind.DIR:
            raise WorkspaceError(
                f"{path}: {directory} is a {node.kind}, not a folder",
                remedy="put the Dockerfile into a folder of the build context",
            )
        (root / directory).chmod(node.mode | 0o700)
        parents.append(node)
    return parents
