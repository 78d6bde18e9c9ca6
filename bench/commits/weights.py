"""From the commits of a repository to few weighted changes: what each kind of commit rebuilds.

The present tree is what is built. A commit of the past is played on it: every path that it changed
is changed in the present tree. A path that is not there any more is added, since an addition
strikes the steps that its removal struck. Two commits are one change if the same steps take in what
they changed, whatever the order of the steps; so 200 commits become a handful of changes.
"""

from __future__ import annotations

import dataclasses
import os
import posixpath
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bench.commits.history import PathChangeKind
from bench.predicting.edits import edited_entry, file_takers
from bench.workspace import ClientRule, Entry, IgnoreRules, Manifest
from bench.workspace.select import read_ignore_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from bench.cache_model import Profile
    from bench.commits.history import Commit, CommitHistory
    from bench.predicting.edits import Taker
    from bench.predicting.state import BuildState

_TYPES = ("file", "symlink")
_NAMED = 2
"""How many kinds of paths the name of a change lists."""
_GIT_FILES = (".git/logs/HEAD", ".git/index", ".git/HEAD")
"""Files that git writes at a commit, the least harmful to edit first."""
NOTHING = "edit nothing that a step takes in"


@dataclass(frozen=True)
class FileEdit:
    """One path of the present context to change: edited where it is there, else added.

    ``takers`` are the steps that take it in; none where no step does.
    """

    path: str
    is_new: bool = False
    takers: frozenset[Taker] = field(default=frozenset(), repr=False)


@dataclass(frozen=True)
class WeightedChange:
    """Commits that strike the same steps, as one change of the present tree.

    ``weight`` is their share of all commits, from 0 to 1. ``edits`` are those of one typical commit
    among them, and ``state`` is what there is to build after these.
    """

    name: str
    weight: float
    commits: tuple[Commit, ...]
    edits: tuple[FileEdit, ...]
    state: BuildState


def ignore_rules(context: Path, dockerfile: Path) -> dict[ClientRule, IgnoreRules]:
    """Read what each client leaves out of a context that stands on the disk.

    Raises:
        WorkspaceError: an ignore file cannot be read or makes no sense.

    """
    root, place = context.resolve(), dockerfile.parent.resolve() / dockerfile.name
    inside = place.is_relative_to(root)
    name = place.relative_to(root).as_posix() if inside else place
    return {
        client: IgnoreRules(read_ignore_file(root, name, client)[1], client)
        for client in ClientRule
    }


def weighted_changes(
    history: CommitHistory,
    base: BuildState,
    profiles: Sequence[Profile],
    *,
    rules: Mapping[ClientRule, IgnoreRules],
    others: Sequence[BuildState] = (),
) -> list[WeightedChange]:
    """Group the commits of a history by the steps that take in what they changed.

    Args:
        history: the commits; one without any gives no changes.
        base: the present Dockerfile and context, which all changes start from.
        profiles: the builders whose steps tell commits apart.
        rules: what each client leaves out of the context (`ignore_rules`); a path that it leaves
            out changes nothing.
        others: the same context with other Dockerfiles (a COPY split in two, say), whose steps
            shall tell commits apart too.

    Returns:
        The changes, the most frequent first. Commits that change nothing that a step takes in are
        among them: they cost a rebuild without a miss.

    """
    present = _Present(base, rules)
    edits = {commit.id: present.edits(commit) for commit in history.commits}
    every = {one.path: one for listed in edits.values() for one in listed}
    states = [with_edits(state, "", every.values(), rules) for state in (base, *others)]
    takers = file_takers(states, profiles, every.keys(), _TYPES)
    groups: dict[frozenset[Taker], list[Commit]] = {}
    for commit in history.commits:
        struck = frozenset().union(*(takers.get(one.path, ()) for one in edits[commit.id]))
        groups.setdefault(struck, []).append(commit)
    found = []
    names: Counter[str] = Counter()
    for members in sorted(groups.values(), key=len, reverse=True):
        chosen = [
            dataclasses.replace(one, takers=takers.get(one.path, frozenset()))
            for one in edits[_typical(members, edits).id]
        ]
        what = _described(
            chosen, (one.path for commit in members for one in edits[commit.id]), takers
        )
        names[what] += 1
        twice = f" #{names[what]}" if names[what] > 1 else ""
        name = f"{what}{twice} ({len(members)} of {len(history.commits)} commits)"
        found.append(
            WeightedChange(
                name=name,
                weight=len(members) / len(history.commits),
                commits=tuple(members),
                edits=tuple(chosen),
                state=with_edits(base, name, chosen, rules),
            )
        )
    return found


class _Present:
    """The present tree, and how a commit of the past is played on it."""

    def __init__(self, base: BuildState, rules: Mapping[ClientRule, IgnoreRules]) -> None:
        self._rules = rules
        self._clients = tuple(base.manifests)
        self._entries = {
            path: entry for manifest in base.manifests.values() for path, entry in manifest.items()
        }
        self._git = next((path for path in _GIT_FILES if path in self._entries), None)
        self._below: dict[str, list[str]] = {}
        for path in self._entries:
            for folder in _parents(path):
                self._below.setdefault(folder, []).append(path)

    def edits(self, commit: Commit) -> tuple[FileEdit, ...]:
        """Return the edits that a commit means, each path once.

        Where git's own folder is part of the context, every commit changes what is in it.
        """
        found: dict[str, FileEdit] = {}
        for change in commit.changes:
            for edit in self._edits(change.path, change.kind):
                if self._is_sent(edit.path):
                    found.setdefault(edit.path, edit)
        if self._git is not None and self._is_sent(self._git):
            found[self._git] = FileEdit(self._git)
        return tuple(found.values())

    def _edits(self, path: str, kind: PathChangeKind) -> Iterable[FileEdit]:
        entry = self._entries.get(path)
        if entry is not None and entry.type in _TYPES:
            return (FileEdit(path),)
        if entry is not None or path in self._below:
            # It is a folder now: a submodule with its files, or the type changed since.
            files = [one for one in self._below.get(path, ()) if self._entries[one].type in _TYPES]
            return tuple(FileEdit(one) for one in files)
        if kind is PathChangeKind.SUBMODULE:
            return ()  # nothing of it is in the tree
        above = next((one for one in _parents(path) if self._is_file(one)), None)
        return (FileEdit(path, is_new=True) if above is None else FileEdit(above),)

    def _is_file(self, path: str) -> bool:
        entry = self._entries.get(path)
        return entry is not None and entry.type != "dir"

    def _is_sent(self, path: str) -> bool:
        """Tell whether some client sends the path."""
        return any(not self._rules[client].ignores(path) for client in self._clients)


def with_edits(
    state: BuildState,
    name: str,
    edits: Iterable[FileEdit],
    rules: Mapping[ClientRule, IgnoreRules],
) -> BuildState:
    """Return ``state`` after edits; a client's ignored paths are not added to what it sends."""
    edits = tuple(edits)
    return dataclasses.replace(
        state,
        change=name,
        manifests={
            client: _edited(manifest, edits, rules[client])
            for client, manifest in state.manifests.items()
        },
    )


def _edited(manifest: Manifest, edits: Iterable[FileEdit], rules: IgnoreRules) -> Manifest:
    entries = dict(manifest)
    for edit in edits:
        before = entries.get(edit.path)
        if before is not None:
            entries[edit.path] = edited_entry(before)
        elif edit.is_new and not rules.ignores(edit.path):
            for folder in _parents(edit.path):
                entries.setdefault(folder, Entry(folder, "dir", 0o755, 0, None, None, 0))
            new = Entry(edit.path, "file", 0o644, 0, None, None, 0)
            entries[edit.path] = edited_entry(new)
    ordered = sorted(entries.values(), key=lambda one: os.fsencode(one.path))
    return Manifest(ordered, manifest.sent_although_ignored)


def _typical(members: Sequence[Commit], edits: Mapping[str, tuple[FileEdit, ...]]) -> Commit:
    """Return the commit whose edits are the fewest, best of files that are still there."""

    def unfit(commit: Commit) -> tuple[int, int]:
        own = edits[commit.id]
        return sum(one.is_new for one in own), len(own)

    return min(reversed(members), key=unfit)


def _described(
    chosen: Sequence[FileEdit], paths: Iterable[str], takers: Mapping[str, frozenset[Taker]]
) -> str:
    """Name a group by the files that strike the most, counted over all of its commits."""
    struck = {one.takers for one in chosen if one.takers}
    if not struck:
        return NOTHING
    most = [one for one in struck if not any(one < other for other in struck)]
    counts = Counter(path for path in paths if takers.get(path) in most)
    labels = []
    for kind in most:
        own = [path for path, _ in counts.most_common() if takers[path] == kind]
        labels.append((-sum(counts[path] for path in own), _label(own)))
    named = [label for _, label in sorted(labels)]
    more = len(named) - _NAMED
    return f"edit {' and '.join(named[:_NAMED])}" + (f" and {more} more" if more > 0 else "")


def _label(paths: Sequence[str]) -> str:
    """Name files that are alike: the file, their folder, or the most frequent of them."""
    paths = [path for path in paths if path not in _GIT_FILES] or paths
    if len(paths) == 1:
        return paths[0]
    folder = posixpath.commonpath([posixpath.dirname(path) for path in paths])
    return f"{folder}/" if folder else f"{paths[0]} or {len(paths) - 1} more"


def _parents(path: str) -> list[str]:
    """List the folders above a path, the topmost first."""
    return [path[:cut] for cut, letter in enumerate(path) if letter == "/"]
