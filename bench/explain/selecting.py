"""Which paths of a listed tree a docker client would send, by the rules of an ignore file.

`bench.workspace.select` does this while it walks a folder; here the tree need not be on the disk.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.workspace import ClientRule

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bench.workspace import IgnoreRules

_State = tuple[bool, ...]


def parents_of(path: str) -> list[str]:
    """Return the folders above a path, the outermost first."""
    parts = path.split("/")
    return ["/".join(parts[:depth]) for depth in range(1, len(parts))]


def selected(
    paths: Iterable[str], folders: Iterable[str], rules: IgnoreRules
) -> tuple[set[str], set[str]]:
    """Return what is sent of ``paths`` (files and links), and which of ``folders``.

    A folder that is ignored is not looked into unless an exception may bring something back from
    it, and BuildKit's client then sends it too (docker/cli and fsutil, as `ClientRule` says).
    """
    walk = _Walk(rules)
    files = {path for path in paths if walk.is_sent(path)}
    sent = {folder for folder in folders if walk.is_sent(folder)}
    if rules.client is ClientRule.BUILDKIT:
        for path in (*files, *sent):
            sent.update(parents_of(path))
    return files, sent


class _Walk:
    """Remembers what was found out of every folder."""

    def __init__(self, rules: IgnoreRules) -> None:
        self._rules = rules
        self._folders: dict[str, tuple[bool, _State]] = {"": (True, ())}

    def is_sent(self, path: str) -> bool:
        """Tell whether a path is sent for its own sake."""
        for folder in parents_of(path):
            if folder not in self._folders:
                entered, above = self._folders[folder.rpartition("/")[0]]
                ignored, state = self._rules.match(folder, above)
                entered = entered and (not ignored or self._rules.may_bring_back(folder))
                self._folders[folder] = (entered, state)
        entered, state = self._folders[path.rpartition("/")[0]]
        return entered and not self._rules.match(path, state)[0]
