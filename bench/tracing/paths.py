"""Resolve paths as the kernel does, among symbolic links that come and go during a RUN.

Sources: path_resolution(7); Linux ``fs/namei.c``. Links are kept as everything that was ever seen
of them: a link that is made or removed while the RUN goes on has several meanings, and a path
through it then resolves to all of them. That may name more files than were touched, never fewer.
"""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_LINKS_IN_ONE_PATH = 40  # MAXSYMLINKS
_MEANINGS = 64


class TooManyMeaningsError(Exception):
    """A path leads through so many links that change that it is no use to follow them all."""


@dataclass(frozen=True)
class Resolved:
    """What a path can mean: absolute paths without links.

    ``passed`` are the links on the way to them, and the folders that a ``..`` leads out of again:
    all of these have to be there.
    """

    paths: frozenset[str]
    passed: frozenset[str]


@dataclass
class Links:
    """The symbolic links of one file system: absolute path without links to what they say."""

    targets: dict[str, set[str]] = field(default_factory=dict)
    unsure: set[str] = field(default_factory=set)
    """Links that were not links at some time of the RUN."""
    _known: dict[tuple[str, str, bool, str], Resolved] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, targets: Mapping[str, str]) -> Links:
        """Return the links of a file system that nobody has touched yet."""
        return cls({path: {target} for path, target in targets.items()})

    def made(self, path: str, target: str) -> None:
        """Note that a link was made, where nothing or another link had been."""
        self.targets.setdefault(path, set()).add(target)
        self.unsure.add(path)
        self._known.clear()

    def gone(self, path: str) -> None:
        """Note that what was at ``path`` is there no more; something else may come there."""
        if path in self.targets and path not in self.unsure:
            self.unsure.add(path)
            self._known.clear()

    def moved(self, old: str, new: str) -> None:
        """Note that a file or a folder with all its links is at another place now."""
        for path in [path for path in self.targets if is_below(path, old)]:
            for target in list(self.targets[path]):
                self.made(new + path[len(old) :], target)
            self.gone(path)

    def resolve(self, path: str, *, base: str = "/", follow: bool, root: str = "/") -> Resolved:
        """Return what ``path`` can mean to a process whose root is ``root``.

        ``base`` is the folder that a relative path starts from, itself without links. ``follow``
        says whether a link at the very end is followed too; one before a last slash always is.

        Raises:
            TooManyMeaningsError: it cannot be followed.

        """
        key = (path, base, follow, root)
        known = self._known.get(key)
        if known is None:
            start = root if path.startswith("/") else base
            follow = follow or path.endswith(("/", "/."))
            known = self._known[key] = self._resolve(start, _parts(path), root, follow=follow)
        return known

    def _resolve(self, start: str, parts: tuple[str, ...], root: str, *, follow: bool) -> Resolved:
        found: set[str] = set()
        passed: set[str] = set()
        pending = [(start, parts, 0)]
        seen = set(pending)
        while pending:
            if len(seen) > _MEANINGS * _LINKS_IN_ONE_PATH:
                raise TooManyMeaningsError(posixpath.join(start, *parts))
            at, parts, followed = pending.pop()
            at, parts = self._walk(at, parts, root, passed, follow=follow)
            if not parts:
                found.add(at)
                continue
            link, rest = posixpath.join(at, parts[0]), parts[1:]
            passed.add(link)
            if link in self.unsure:
                _add(pending, seen, (link, rest, followed))
            for target in self.targets[link] if followed < _LINKS_IN_ONE_PATH else ():
                onward = root if target.startswith("/") else at
                _add(pending, seen, (onward, _parts(target) + rest, followed + 1))
        return Resolved(frozenset(found), frozenset(passed))

    def _walk(
        self, at: str, parts: tuple[str, ...], root: str, passed: set[str], *, follow: bool
    ) -> tuple[str, tuple[str, ...]]:
        """Go on to the next link that has to be followed; nothing is left where there is none."""
        for number, part in enumerate(parts):
            if part == "..":
                passed.add(at)
                at = at if at == root else posixpath.dirname(at)
                continue
            there = posixpath.join(at, part)
            is_last = number == len(parts) - 1
            if there in self.targets and (follow or not is_last):
                return at, parts[number:]
            at = there
        return at, ()


_Step = tuple[str, tuple[str, ...], int]


def _add(pending: list[_Step], seen: set[_Step], step: _Step) -> None:
    if step not in seen:
        seen.add(step)
        pending.append(step)


def _parts(path: str) -> tuple[str, ...]:
    return tuple(part for part in path.split("/") if part not in {"", "."})


def is_below(path: str, folder: str) -> bool:
    """Tell whether ``path`` is ``folder`` or in it."""
    return path == folder or path.startswith(folder if folder == "/" else f"{folder}/")


def ancestors(path: str) -> list[str]:
    """Return the folders above an absolute path, the nearest first; none for the root."""
    found = []
    while path != "/":
        path = posixpath.dirname(path)
        found.append(path)
    return found


def covered(path: str, folders: Iterable[str] | set[str]) -> bool:
    """Tell whether one of ``folders`` is ``path`` or above it."""
    known = folders if isinstance(folders, set) else set(folders)
    return path in known or any(one in known for one in ancestors(path))
