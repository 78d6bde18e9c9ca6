"""Read the few small files of a context that package managers read: the thin edge of this room."""

from __future__ import annotations

import fnmatch
import posixpath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from bench.workspace import Manifest

_NAMES = (
    *("package.json", "package-lock.json", "npm-shrinkwrap.json", ".npmrc", ".yarnrc"),
    *("*requirements*.txt", "requirements/*.txt", "*constraints*.txt", "*.in"),
    *("pom.xml", "maven.config", "jvm.config", "go.mod", "go.sum"),
    *("Gemfile", "Gemfile.lock", "composer.json", "composer.lock"),
)
_LARGEST = 8 * 1024 * 1024
"""Bytes. A lock file of a large project has a few megabytes."""


def is_wanted(path: str) -> bool:
    """Tell whether some package manager of `bench.orderings.rewrites.tools` reads this file."""
    name = posixpath.basename(path)
    return any(fnmatch.fnmatch(path if "/" in one else name, one) for one in _NAMES) or (
        posixpath.basename(posixpath.dirname(path)) == "requirements" and name.endswith(".txt")
    )


def read_contents(root: Path, manifest: Manifest) -> dict[str, str]:
    """Return the texts of the files of a context that package managers read, by path.

    A file that is too large, is no text or cannot be read is left out: what depends on it is
    then not known.
    """
    found: dict[str, str] = {}
    for path, entry in manifest.items():
        if entry.type == "file" and entry.size <= _LARGEST and is_wanted(path):
            try:
                found[path] = (root / path).read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError):
                continue
    return found
