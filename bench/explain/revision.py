"""The state that a build of an earlier revision had, as far as git and the working tree tell.

git knows the files it tracks, and of their modes only whether they can be executed. So the mode of
a file is taken from the working tree wherever git would not call it changed, and of the files
that git does not track it has to be assumed what there was:

- what git ignores (``node_modules/``, ``.env``, ``.git/`` itself) is taken as it is now;
- what is neither tracked nor ignored counts as added since the revision, as ``git status`` shows
  it, unless it is asked to be taken as it is now.
"""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from bench.errors import UsageError
from bench.explain.checkout import Checkout
from bench.explain.git import SUBMODULE, Blob, Repository
from bench.explain.selecting import parents_of, selected
from bench.explain.states import State, chosen_nodes, parse_dockerfile
from bench.predicting import read_dockerfile
from bench.workspace import ClientRule, Entry, IgnoreRules, Manifest, read_patterns
from bench.workspace.errors import explained
from bench.workspace.select import IGNORE_FILE, read_ignore_file
from bench.workspace.tree import Kind, walk

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from bench.dockerfile import Dockerfile
    from bench.explain.states import Place
    from bench.workspace.manifest import EntryIndex
    from bench.workspace.tree import Node

_GIT_INDEX = ".git/index"
_ANOTHER = "another"
"""Stands for a content that is not known, other than that it differs from the present one."""
_SHOWN = 3


class Untracked(StrEnum):
    """What files count as that git neither tracks nor ignores."""

    ADDED = "added"
    """New since the revision."""
    KEPT = "kept"
    """There at the revision already, with the content they have now."""


@dataclass(frozen=True)
class Revision:
    """The state at a revision, and in words what was assumed to get it."""

    state: State
    commit: str
    notes: tuple[str, ...]


@dataclass
class _Tree:
    """What was there: files of the commit, and nodes of the working tree that stand in."""

    blobs: dict[str, Blob] = field(default_factory=dict)
    nodes: dict[str, Node] = field(default_factory=dict)
    folders: set[str] = field(default_factory=set)
    kept: list[str] = field(default_factory=list)
    added: list[str] = field(default_factory=list)


def revision_state(
    place: Place,
    revision: str,
    client: ClientRule,
    index: EntryIndex,
    *,
    untracked: Untracked = Untracked.ADDED,
    dockerfile: Path | None = None,
) -> Revision:
    """Put the state at ``revision`` together; nothing is written, nothing of the user's is run.

    Args:
        place: the Dockerfile and the context in the working tree.
        revision: any name of a commit that git understands.
        client: whose ``.dockerignore`` rules to follow.
        index: hashes files of the working tree, each once.
        untracked: what untracked files count as.
        dockerfile: where the Dockerfile lay at the revision, if elsewhere than now.

    Raises:
        BenchError: there is no repository or no such revision, the Dockerfile was not there, or
            something cannot be read.

    """
    reader = _Reader(place, revision, client, index, untracked)
    return reader.read(dockerfile or place.dockerfile)


class _Reader:
    def __init__(
        self,
        place: Place,
        revision: str,
        client: ClientRule,
        index: EntryIndex,
        untracked: Untracked,
    ) -> None:
        self._place = place
        self._client = client
        self._entries = index
        self._policy = untracked
        self._repository = Repository(place.context)
        self._commit = self._repository.commit(revision)
        self._then = self._repository.files(self._commit)
        self._now = self._repository.index()
        self._others = self._repository.untracked()
        self._label = f"{revision} ({self._repository.short(self._commit)})"
        self._sent_now: set[str] = set()
        self._notes: list[str] = []

    def read(self, dockerfile: Path) -> Revision:
        """Return the state."""
        parsed = self._dockerfile(dockerfile)
        name, patterns = self._ignore_file()
        with explained("read the build context"):
            tree = self._tree(self._working_nodes(patterns))
            rules = IgnoreRules(patterns, self._client)
            files, folders = selected((*tree.blobs, *tree.nodes), tree.folders, rules)
            manifest = Manifest(sorted(self._selected(tree, files, folders), key=_by_bytes))
        self._note_assumptions(tree, files)
        state = State(self._label, parsed, manifest, name)
        return Revision(state, self._commit, tuple(self._notes))

    # --- the two files that decide over the others -------------------------------------------

    def _dockerfile(self, path: Path) -> Dockerfile:
        real = path.resolve() if path.is_symlink() else path
        if not self._repository.holds(real):
            self._notes.append(f"{path} lies outside of the repository: it is taken as it is now")
            return read_dockerfile(path)
        content = self._repository.file(self._commit, real)
        if content is not None:
            return parse_dockerfile(content, f"{path} at {self._label}")
        if self._place.inside is not None and self._is_kept(self._place.inside):
            return read_dockerfile(path)
        raise UsageError(
            f"{path}: there was no such Dockerfile at {self._label}",
            remedy="name where it lay then with --since-dockerfile, or a later revision",
        )

    def _ignore_file(self) -> tuple[str | None, tuple[str, ...]]:
        """Return the ignore file that counted at the revision, and its patterns."""
        for name, content in self._ignore_files():
            if content is not None:
                return name, read_patterns(content)
        return None, ()

    def _ignore_files(self) -> Iterator[tuple[str, bytes | None]]:
        if self._client is ClientRule.BUILDKIT:
            inside = self._place.inside
            if inside is not None:
                yield inside + IGNORE_FILE, self._content(inside + IGNORE_FILE)
            else:
                beside = self._place.dockerfile.with_name(self._place.dockerfile.name + IGNORE_FILE)
                yield beside.name, self._content_outside(beside)
        yield IGNORE_FILE, self._content(IGNORE_FILE)

    def _content_outside(self, path: Path) -> bytes | None:
        """Return what a file outside of the context held; outside of git, what it holds now."""
        if self._repository.holds(path):
            return self._repository.file(self._commit, path)
        return path.read_bytes() if path.is_file() else None

    def _content(self, path: str) -> bytes | None:
        """Return the content of a file of the context at the revision."""
        blob = self._then.get(path)
        if blob is not None:
            return next(iter(self._repository.contents([blob])))
        if self._is_kept(path) and (self._place.context / path).is_file():
            return (self._place.context / path).read_bytes()
        return None

    # --- which files there were ---------------------------------------------------------------

    def _is_kept(self, path: str) -> bool:
        """Tell whether a file that the commit lacks is taken to have been there."""
        if path in self._now.files or path in self._then:
            return False
        return self._policy is Untracked.KEPT or not self._is_untracked(path)

    def _is_untracked(self, path: str) -> bool:
        return path in self._others or any(f"{one}/" in self._others for one in parents_of(path))

    def _working_nodes(self, ignored_then: tuple[str, ...]) -> list[Node]:
        """Return the files of the working tree that may have been part of the context."""
        place = self._place
        _, ignored_now = read_ignore_file(place.context, place.for_ignoring, self._client)
        chosen, _ = chosen_nodes(place, self._client)
        self._sent_now = {node.path for node in chosen}
        if ignored_now == ignored_then:
            return chosen
        # Other files were kept out then: everything has to be looked at.
        return list(walk(place.context, lambda _path, _error: False))

    def _tree(self, nodes: Iterable[Node]) -> _Tree:
        tree = _Tree()
        there = {node.path: node for node in nodes}
        for path, blob in self._then.items():
            if blob.mode == SUBMODULE:
                self._note_submodule(path, blob)
            elif path not in self._now.skipped or path in there:
                tree.blobs[path] = blob
        taken = {folder for path in tree.blobs for folder in parents_of(path)}
        empty = _empty_folders(there.values())
        for path, node in there.items():
            if path in tree.blobs or path in taken or tree.blobs.keys() & set(parents_of(path)):
                continue
            if node.kind is Kind.DIR:
                if path in empty:
                    tree.folders.add(path)
            elif node.kind in {Kind.FILE, Kind.SYMLINK} and path not in self._now.files:
                self._take_untracked(tree, node)
        for path in (*tree.blobs, *tree.nodes, *tree.folders):
            tree.folders.update(parents_of(path))
        return tree

    def _take_untracked(self, tree: _Tree, node: Node) -> None:
        if self._is_kept(node.path):
            tree.nodes[node.path] = node
            tree.kept.append(node.path)
        else:
            tree.added.append(node.path)

    # --- what was in them ---------------------------------------------------------------------

    def _selected(self, tree: _Tree, files: set[str], folders: set[str]) -> Iterator[Entry]:
        kept = [tree.nodes[path] for path in files if path in tree.nodes]
        yield from (self._as_kept(entry) for entry in self._entries.entries(kept))
        blobs = {path: tree.blobs[path] for path in sorted(files & tree.blobs.keys())}
        checkout = Checkout(self._place.context, self._repository, self._entries)
        yield from checkout.folders(sorted(folders))
        yield from checkout.files(blobs)

    def _as_kept(self, entry: Entry) -> Entry:
        """Return what an untracked file was; only of git's own index is more known."""
        if entry.path != _GIT_INDEX:
            return entry
        self._notes.append(
            ".git/ is part of the build context: whatever git writes there (add, commit, fetch) "
            "makes an instruction that copies it miss"
        )
        same = self._repository.head() == self._commit and self._now.files == self._then
        return entry if same else entry._replace(sha256=_ANOTHER)

    # --- what was assumed ---------------------------------------------------------------------

    def _note_submodule(self, path: str, blob: Blob) -> None:
        if self._now.files.get(path) != blob:
            self._notes.append(
                f"the submodule {path} stood at another commit: its files are taken as they are now"
            )

    def _note_assumptions(self, tree: _Tree, files: set[str]) -> None:
        kept = [path for path in tree.kept if path in files and not path.startswith(".git/")]
        if kept:
            self._notes.append(
                f"git does not track {_summed(kept)}: taken to have been there with the same "
                "content"
            )
        added = [path for path in tree.added if path in self._sent_now]
        if added:
            self._notes.append(
                f"git does not track {_summed(added)}: counted as added since then "
                "(--untracked kept takes them to have been there)"
            )


def _empty_folders(nodes: Iterable[Node]) -> set[str]:
    """Return the folders with nothing but folders in them, which git does not keep."""
    nodes = list(nodes)
    filled = {
        folder for node in nodes if node.kind is not Kind.DIR for folder in parents_of(node.path)
    }
    return {node.path for node in nodes if node.kind is Kind.DIR} - filled


def _summed(paths: Iterable[str]) -> str:
    """Name a few files, many by their outermost folder: ``node_modules/ (312 files), .env``."""
    found = sorted(paths)
    if len(found) <= _SHOWN:
        return ", ".join(found)
    tops = Counter(path.partition("/")[0] + ("/" if "/" in path else "") for path in found)
    words = [f"{top} ({count} files)" if count > 1 else top for top, count in tops.items()]
    more = len(words) - _SHOWN
    return ", ".join(words[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _by_bytes(entry: Entry) -> bytes:
    return os.fsencode(entry.path)
