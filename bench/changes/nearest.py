"""Did-you-mean: the known name closest to a mistyped one."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the entry of ``known`` most like ``word``, or None where nothing comes close."""
    by_lower = {entry.lower(): entry for entry in known}
    found = difflib.get_close_matches(word.lower(), by_lower, n=1, cutoff=0.6)
    return by_lower[found[0]] if found else None


def suggestion(word: str, known: Iterable[str], what: str) -> str:
    """Return a remedy: the nearest of ``known``, or the list of them (``what`` they are)."""
    names = list(known)
    if (best := nearest(word, names)) is not None:
        return f"did you mean {best!r}?"
    return f"use one of the {what}: {', '.join(names)}" if names else f"there are no {what}"
