"""A build context that is only read, where it stands: nothing is copied, nothing is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.workspace.errors import WorkspaceError, explained
from bench.workspace.ignore import ClientRule
from bench.workspace.manifest import EntryIndex, Manifest
from bench.workspace.select import Selector

if TYPE_CHECKING:
    from pathlib import Path


class Context:
    """A build context and its Dockerfile, as ``docker build -f DOCKERFILE DIR`` takes them.

    The Dockerfile may lie outside: then it is no part of the context.
    """

    def __init__(self, root: Path, dockerfile: Path) -> None:
        """Look at a folder.

        Raises:
            WorkspaceError: it is no folder, or cannot be looked at.

        """
        with explained("read the build context"):
            if not root.is_dir():
                what = "is not a folder" if root.exists() else "does not exist"
                raise WorkspaceError(
                    f"{root}: the build context {what}", remedy="name an existing folder"
                )
            self.root = root.resolve()
            # Where it stands counts, not what it links to: so do the builders see it.
            place = dockerfile.parent.resolve() / dockerfile.name
        inside = place.is_relative_to(self.root)
        self._selector = Selector(
            self.root, place.relative_to(self.root).as_posix() if inside else place
        )
        self._index = EntryIndex(self.root)

    def manifest(self, client: ClientRule = ClientRule.BUILDKIT) -> Manifest:
        """List what the builders would hash of the context now, reading only files that changed.

        BuildKit's client sends a Dockerfile that the patterns match apart from the context, so
        that no COPY sees it; the classic client sends it along and the engine removes it again.

        Args:
            client: whose ``.dockerignore`` rules to follow.

        Raises:
            WorkspaceError: something cannot be read, or the ignore file makes no sense.

        """
        selection = self._selector.select(client)
        with explained("read the build context"):
            entries = self._index.entries(selection.nodes)
        if client is ClientRule.CLASSIC:
            return Manifest(entries, selection.sent_although_ignored)
        return Manifest(one for one in entries if one.path not in selection.sent_although_ignored)
