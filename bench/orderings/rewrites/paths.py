"""Absolute paths in an image, and patterns of them, as those of `Access`."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from bench.cache_model.wildcards import matches

if TYPE_CHECKING:
    from collections.abc import Iterable


def inside(path: str, folder: str) -> bool:
    """Tell whether ``path`` is ``folder`` or below it."""
    return folder in {"/", path} or path.startswith(folder.rstrip("/") + "/")


def covers(pattern: str, path: str) -> bool:
    """Tell whether ``path`` is what ``pattern`` names, or lies in it."""
    wanted, parts = _parts(pattern), _parts(path)
    if is_alone(pattern):
        return len(parts) == len(wanted) and _all_match(wanted, parts)
    return len(parts) >= len(wanted) and _all_match(wanted, parts)


def overlaps(pattern: str, path: str) -> bool:
    """Tell whether ``path`` is what ``pattern`` names, lies in it, or may hold it."""
    wanted, parts = _parts(pattern), _parts(path)
    if is_alone(pattern) and len(parts) > len(wanted):
        return False
    return _all_match(wanted, parts)


def is_alone(pattern: str) -> bool:
    """Tell whether a pattern means a folder or a link without what is in it."""
    return pattern.endswith("/.")


def overlaps_any(patterns: Iterable[str], path: str) -> bool:
    """Tell whether one of ``patterns`` overlaps ``path``."""
    return any(overlaps(pattern, path) for pattern in patterns)


def join(folder: str, name: str) -> str:
    """Return ``name`` as an absolute path, relative to ``folder``, without dots."""
    return posixpath.normpath("/" + posixpath.join(folder, name).lstrip("/"))


def _parts(path: str) -> list[str]:
    return [part for part in path.split("/") if part not in {"", "."}]


def _all_match(wanted: list[str], parts: list[str]) -> bool:
    return all(
        one == other or matches(one, other) for one, other in zip(wanted, parts, strict=False)
    )
