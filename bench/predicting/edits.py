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
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from bench.cache_model import Prediction, Profile, StepPlace
    from bench.predicting.state import BuildState
    from bench.workspace import Entry

MOST_SINGLY = 200
"""Up to so many files are edited one by one to see what other stages take of them; beyond, files
are told apart by what is copied from the context alone."""

Taker = tuple[int, "StepPlace", bool]
"""A step that takes a file in: of which build, where it stands, and whether from another stage."""


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

    Two files belong together if the same steps of every state take them in, under every profile,
    from the context or from a stage that they were copied to. A file that no step takes in
    rebuilds nothing and is in none of them.
    """
    takers = file_takers(states, profiles)
    groups: dict[frozenset[Taker], list[str]] = {}
    for path in sorted(takers, key=_unlikeliness):
        groups.setdefault(takers[path], []).append(path)
    ordered = sorted(groups.items(), key=lambda one: (-len(one[0]), one[1]))
    return [Edit(tuple(paths)) for _, paths in ordered]


def file_takers(
    states: Sequence[BuildState],
    profiles: Sequence[Profile],
    among: Collection[str] | None = None,
    types: Collection[str] = ("file",),
) -> dict[str, frozenset[Taker]]:
    """Return the steps that take each file in, under every profile; files that none does left out.

    ``among`` are the only paths that are wanted, ``types`` the types of entries.
    """
    takers: dict[str, set[Taker]] = {}
    pairs = [(state, profile) for state in states for profile in profiles]
    firsts = [predict(state.input_for(profile), profile, History()) for state, profile in pairs]
    for number, first in enumerate(firsts):
        for place, path in _copied(first, types):
            if among is None or path in among:
                takers.setdefault(path, set()).add((number, place, False))
    for number, ((state, profile), first) in enumerate(zip(pairs, firsts, strict=True)):
        if len(takers) <= MOST_SINGLY:
            for place, path in _copied_on(state, profile, first, tuple(takers)):
                takers[path].add((number, place, True))
    return {path: frozenset(steps) for path, steps in takers.items()}


def _copied(prediction: Prediction, types: Collection[str]) -> Iterator[tuple[StepPlace, str]]:
    """Yield every step with every file that it takes from the context."""
    for place, key in prediction.keys.items():
        for content in key.context:
            for path, entry in content.entries.items():
                if entry.type in types:
                    yield place, path


def _copied_on(
    state: BuildState, profile: Profile, first: Prediction, paths: Iterable[str]
) -> Iterator[tuple[StepPlace, str]]:
    """Yield every step with every file that it takes from a stage that the file was copied to.

    Which these are shows when one file after the other is edited.
    """
    known = _known_artefacts(first)
    for path in paths if known else ():
        edited = after_edit(state, Edit((path,))).input_for(profile)
        after = _known_artefacts(predict(edited, profile, History()))
        for place, contents in known.items():
            if after.get(place) != contents:
                yield place, path


def _known_artefacts(prediction: Prediction) -> dict[StepPlace, list[str]]:
    """Return the contents that steps take from stages, where they are known to the last bit."""
    found = {
        place: [one.known for one in key.artefacts if one.symbol is None]
        for place, key in prediction.keys.items()
    }
    return {place: contents for place, contents in found.items() if contents}


def _unlikeliness(path: str) -> tuple[bool, bool, str]:
    """Order paths so that one which people edit stands for those that are edited like it."""
    name = posixpath.basename(path)
    return name.startswith("."), "dockerfile" in name.lower(), path


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
    changed = edited_entry(entry)
    entries = (changed if one.path == path else one for one in manifest.values())
    return Manifest(entries, manifest.sent_although_ignored)


def edited_entry(entry: Entry) -> Entry:
    """Return a file with a content, or a link with a target, that it never had before."""
    if entry.type == "symlink":
        return entry._replace(link_target=f"{entry.link_target}.edited")
    digest = hashlib.sha256(f"edited {entry.sha256}".encode()).hexdigest()
    return entry._replace(sha256=digest)
