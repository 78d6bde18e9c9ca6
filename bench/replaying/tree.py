"""The scratch copy of a replay: brought from commit to commit, whatever lies between them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from bench.changes.files import write_content
from bench.changes.git_source import drop_file, put_file
from bench.explain.git import SUBMODULE, Blob
from bench.workspace import Workspace
from bench.workspace.select import IGNORE_FILE

if TYPE_CHECKING:
    from pathlib import Path

    from bench.replaying.source import Recipe, ReplaySource, Step


class CommitTree:
    """The scratch copy for one Dockerfile. Files are as git stores them, no filter is run.

    A submodule's files are not in the repository, so they are not in the context either.
    """

    def __init__(self, source: ReplaySource, recipe: Recipe, scratch: Path) -> None:
        """Make an empty scratch copy.

        Raises:
            WorkspaceError: it cannot be made.

        """
        self._source = source
        self._recipe = recipe
        empty = scratch / f"{recipe.name}.empty"
        empty.mkdir(parents=True)
        self.workspace = Workspace.create(
            empty,
            scratch / recipe.name,
            dockerfile_text="FROM scratch\n",
            dockerfile_path=recipe.place,
        )
        self._placed: dict[str, Blob] = {}
        self._texts: dict[str, str] = {}

    def check_out(self, step: Step, text: str) -> None:
        """Bring the scratch copy to a commit; ``text`` is the Dockerfile to build.

        Raises:
            UsageError: the commit does not have the context, or git lacks a content.
            ChangeError: a path of the commit leads out.

        """
        root = self.workspace.root
        own = {self._recipe.place: text}
        ignored = self._source.ignore_file(self._recipe, step)
        if ignored is not None:
            own[self._recipe.place + IGNORE_FILE] = ignored
        blobs = {
            path: blob
            for path, blob in self._source.repository.files(step.id, self._source.folder).items()
            if blob.mode != SUBMODULE and path not in own
        }
        # First what has to go: a file may stand where a folder is to be.
        for path in sorted(self._placed.keys() - blobs.keys(), key=os.fsencode):
            drop_file(root, path)
            del self._placed[path]
        wanted = {path: blob for path, blob in blobs.items() if self._placed.get(path) != blob}
        contents = self._source.repository.contents(wanted.values())
        for (path, blob), content in zip(wanted.items(), contents, strict=True):
            put_file(root, path, blob.mode, content)
            self._placed[path] = blob
        for path in sorted(self._texts.keys() - own.keys()):
            if path not in blobs:
                drop_file(root, path)
            del self._texts[path]
        for path, own_text in own.items():
            self._put_text(path, own_text)

    def _put_text(self, path: str, text: str) -> None:
        file = self.workspace.root / path
        if self._texts.get(path) != text or not file.is_file():
            file.parent.mkdir(parents=True, exist_ok=True)
            write_content(file, text.encode("utf-8", "surrogateescape"))
            self._texts[path] = text
