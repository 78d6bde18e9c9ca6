"""The merged root file system of layers, as far as layers were read. Pure."""

from __future__ import annotations

import itertools
import posixpath
from typing import TYPE_CHECKING

from bench.equality.layers import DIRECTORY, HARD_LINK, UNSAID, Entry, Layer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence


class Files:
    """What layers make of the files below them.

    ``entries`` are what the layers put there and left there, ``gone`` what they removed, if it was
    there. ``hidden`` are paths below which nothing of the files underneath is seen: removed,
    replaced by something that is no folder, or made anew.
    """

    def __init__(self, layers: Sequence[Layer]) -> None:
        self.entries: dict[str, Entry] = {}
        self.gone: set[str] = set()
        self.hidden: set[str] = set()
        self._said_nothing_of: set[str] = set()
        # From the top: what a higher layer says of a path is final.
        for number in range(len(layers) - 1, -1, -1):
            self._take(layers, number)
        self._covered = _Covered(self.hidden)

    def _take(self, layers: Sequence[Layer], number: int) -> None:
        layer = layers[number]
        covered = _Covered(self.hidden)
        taken: dict[str, Entry] = dict(layer.entries)
        for path, target in layer.links.items():
            taken[path] = _linked(layers[:number], target)
        hides = {path for path, entry in taken.items() if entry.type != DIRECTORY}
        visible = {
            path: entry
            for path, entry in taken.items()
            if path not in self.entries and path not in self.gone and not covered(path)
        }
        gone = {
            path
            for path in layer.gone
            if path not in self.entries
            and path not in self.gone
            and path not in taken
            and not covered(path)
        }
        self.entries |= visible
        self.gone |= gone
        # A folder that is removed and made in one layer is a new one, so what is gone hides even
        # where something stands there now.
        hides |= layer.gone | layer.opaque
        self.hidden |= {one for one in hides if not covered(one)}
        for path in visible:
            self._said_nothing_of.update(_parents(path))

    def at(self, path: str, below: Files | None = None) -> Entry | None:
        """Return what stands at a path, if anything; ``below`` are the files underneath."""
        found = self.entries.get(path)
        if found is not None:
            if found.type == HARD_LINK and below is not None:
                return below.at(found.target)
            return found
        if path not in self.gone and not self._covered(path) and below is not None:
            found = below.at(path)
        unsaid = found is None and (path == "" or path in self._said_nothing_of)
        return UNSAID if unsaid else found

    def paths_below(self, folder: str) -> Iterator[str]:
        """Yield every path inside a folder."""
        prefix = f"{folder}/" if folder else ""
        return (path for path in self.entries if path.startswith(prefix) and path != folder)


class _Covered:
    """Tells whether some folder above a path is among the hidden ones; remembers folders."""

    def __init__(self, hidden: set[str]) -> None:
        self._hidden = frozenset(hidden)
        self._known: dict[str, bool] = {"": "" in hidden}

    def __call__(self, path: str) -> bool:
        return bool(path) and self._folder(posixpath.dirname(path))

    def _folder(self, folder: str) -> bool:
        if folder not in self._known:
            above = self._folder(posixpath.dirname(folder))
            self._known[folder] = above or folder in self._hidden
        return self._known[folder]


def _parents(path: str) -> Iterator[str]:
    folder = posixpath.dirname(path)
    while folder:
        yield folder
        folder = posixpath.dirname(folder)


def _linked(below: Sequence[Layer], target: str) -> Entry:
    """Return what a hard link to a file of a lower layer stands for."""
    for number in range(len(below) - 1, -1, -1):
        layer = below[number]
        if target in layer.entries:
            return layer.entries[target]
        if target in layer.links:
            return _linked(below[:number], layer.links[target])
    return Entry(HARD_LINK, 0, 0, 0, target=target)


def differing_paths(
    first: Files, second: Files, below: Callable[[], Files]
) -> dict[str, tuple[Entry | None, Entry | None]]:
    """Return the paths at which two file systems differ, with both entries of each.

    Both stand on the same files. ``below`` reads those; it is asked only where one of the two
    says something of a path that the other leaves as it was.
    """
    said = _said(first) | _said(second)
    unlike = _said(first) ^ _said(second)
    unhidden = first.hidden ^ second.hidden
    linked = any(
        entry.type == HARD_LINK
        for entry in itertools.chain(first.entries.values(), second.entries.values())
    )
    if not (unlike or unhidden or linked):
        return _compared(first, second, None, said)
    base = below()
    paths = set(said)
    for folder in unhidden:
        paths.update(base.paths_below(folder))
    return _compared(first, second, base, paths)


def _said(files: Files) -> set[str]:
    return files.entries.keys() | files.gone


def _compared(
    first: Files, second: Files, below: Files | None, paths: set[str]
) -> dict[str, tuple[Entry | None, Entry | None]]:
    found = {}
    for path in sorted(paths):
        pair = first.at(path, below), second.at(path, below)
        if pair[0] != pair[1]:
            found[path] = pair
    return found
