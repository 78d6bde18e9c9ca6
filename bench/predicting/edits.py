"""Which edits of files rebuild the same steps: so few columns answer for thousands of files."""

from __future__ import annotations

import dataclasses
import hashlib
import posixpath
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.cache_model import History, predict
from bench.workspace import Manifest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.cache_model import Profile, StepPlace
    from bench.predicting.state import BuildState


@dataclass(frozen=True)
class Edit:
    """An edit of any one of ``paths``: each of them rebuilds the same steps."""

    paths: tuple[str, ...]

    @property
    def name(self) -> str:
        """What it is called: the file, the folder of the files, or one of them."""
        first, count = self.paths[0], len(self.paths)
        if count == 1:
            return f"edit {first}"
        folder = posixpath.commonpath([posixpath.dirname(path) for path in self.paths])
        if folder:
            return f"edit {folder}/ ({count} files)"
        return f"edit {first} or {count - 1} more"


def file_edits(states: Sequence[BuildState], profiles: Sequence[Profile]) -> list[Edit]:
    """Return the edits that differ in what they rebuild, those of the most steps first.

    Two files belong together if the same steps of every state take them in, under every profile.
    A file that no step takes in rebuilds nothing and is in none of them.
    """
    takers: dict[str, set[tuple[int, str, StepPlace]]] = {}
    for number, state in enumerate(states):
        for profile in profiles:
            for place, paths in _taken(state, profile).items():
                for path in paths:
                    takers.setdefault(path, set()).add((number, profile.name, place))
    groups: dict[frozenset[tuple[int, str, StepPlace]], list[str]] = {}
    for path in sorted(takers, key=_unlikeliness):
        groups.setdefault(frozenset(takers[path]), []).append(path)
    ordered = sorted(groups.items(), key=lambda one: (-len(one[0]), one[1]))
    return [Edit(tuple(paths)) for _, paths in ordered]


def _unlikeliness(path: str) -> tuple[bool, bool, str]:
    """Order paths so that one which people edit stands for those that are edited like it."""
    name = posixpath.basename(path)
    return name.startswith("."), "dockerfile" in name.lower(), path


def _taken(state: BuildState, profile: Profile) -> Mapping[StepPlace, list[str]]:
    """Return the files of the context that each step takes in."""
    prediction = predict(state.input_for(profile), profile, History())
    return {
        place: [
            path
            for content in key.context
            for path, entry in content.entries.items()
            if entry.type == "file"
        ]
        for place, key in prediction.keys.items()
    }


def after_edit(state: BuildState, edit: Edit) -> BuildState:
    """Return ``state`` after an edit of the first file of ``edit``; nothing is written."""
    return dataclasses.replace(
        state,
        change=edit.name,
        manifests={
            client: _edited(manifest, edit.paths[0]) for client, manifest in state.manifests.items()
        },
    )


def _edited(manifest: Manifest, path: str) -> Manifest:
    entry = manifest.get(path)
    if entry is None:
        return manifest
    digest = hashlib.sha256(f"edited {entry.sha256}".encode()).hexdigest()
    changed = entry._replace(sha256=digest)
    entries = (changed if one.path == path else one for one in manifest.values())
    return Manifest(entries, manifest.sent_although_ignored)
