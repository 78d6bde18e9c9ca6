"""Places in the file system of an image, and which of them can be one and the same.

A region is a path with all that is below it. Where a path begins at something that is not known,
such as the working directory of a base image, the region is rooted at a name for that unknown:
two regions with one root compare by what follows, regions with unlike roots may be anywhere.

Base images hold links: ``/bin`` is ``/usr/bin`` in most distributions, ``/var/run`` is ``/run`` in
all. Paths are therefore compared after the usual ones are followed, whether this base has them or
not: that may hold two places for one, never one for two. Any other link between two places is the
base image's own, and whoever relies on there being none has to say so (`ObligationKind.LINKS`).
"""

from __future__ import annotations

import posixpath
from dataclasses import dataclass

from bench.cache_model.wildcards import has_wildcards, matches

_LINKS: tuple[tuple[str, str], ...] = (
    # Merged /usr (Debian, Ubuntu, Fedora, Arch) and merged sbin (Fedora 42, Arch).
    *(("bin", "usr/bin"), ("sbin", "usr/bin"), ("usr/sbin", "usr/bin")),
    *(("lib", "usr/lib"), ("lib32", "usr/lib"), ("lib64", "usr/lib"), ("libx32", "usr/lib")),
    *(("usr/lib32", "usr/lib"), ("usr/lib64", "usr/lib"), ("usr/libx32", "usr/lib")),
    *(("var/usrlocal/sbin", "var/usrlocal/bin"), ("var/usrlocal/lib64", "var/usrlocal/lib")),
    *(("var/usrlocal/man", "var/usrlocal/share/man"), ("usr/tmp", "var/tmp")),
    # Run time state and mail (the Filesystem Hierarchy Standard, 3.0).
    *(("var/run", "run"), ("var/lock", "run/lock"), ("run/shm", "dev/shm")),
    *(("var/mail", "var/spool/mail"), ("var/adm", "var/log")),
    # Images from which a host boots (ostree).
    *(("home", "var/home"), ("root", "var/roothome"), ("opt", "var/opt"), ("srv", "var/srv")),
    *(("mnt", "var/mnt"), ("media", "run/media"), ("usr/local", "var/usrlocal")),
)
_USUAL = {tuple(link.split("/")): tuple(target.split("/")) for link, target in _LINKS}
_DEEPEST = max(len(link) for link in _USUAL)


@dataclass(frozen=True)
class Region:
    """A path and all that is below it.

    ``parts`` are its components without links that are usual; a component may be a pattern.
    ``root`` names the unknown that it begins at, or is ``""``: it begins at ``/``.
    """

    parts: tuple[str, ...]
    root: str = ""
    shown: str = ""
    """The path as people write it."""

    @classmethod
    def of(cls, path: str) -> Region:
        """Return the region of an absolute path.

        A path that ends in ``/.`` is a folder without what is in it (see `Access`): a place in
        the folder where nothing else can be.
        """
        clean = posixpath.normpath("/" + path.lstrip("/"))
        itself = (".",) if path.endswith("/.") else ()
        parts = tuple(part for part in clean.split("/") if part)
        return cls(_followed((*parts, *itself)), "", clean)

    @classmethod
    def unknown(cls, root: str) -> Region:
        """Return a place of which nothing but a name is known."""
        return cls((), root, root)

    def joined(self, path: str) -> Region | None:
        """Return the region of ``path`` as seen from here; None where that leads out of it."""
        if not self.root or path.startswith("/"):
            return Region.of(posixpath.normpath(posixpath.join(self.shown or "/", path)))
        below = posixpath.normpath(posixpath.join("/".join(self.parts), path) or ".")
        if below == ".." or below.startswith("../"):
            return None
        parts = tuple(part for part in below.split("/") if part not in {"", "."})
        return Region(parts, self.root, "/".join([self.root, *parts]))

    def child(self, name: str) -> Region:
        """Return what ``name`` is inside; it may be a path."""
        found = self.joined(f"./{name}")
        return found if found is not None else Region.unknown(f"{self.shown}/{name}")

    @property
    def is_everything(self) -> bool:
        """Whether it is the whole file system."""
        return not self.parts and not self.root

    def above(self) -> list[Region]:
        """Return the folders above, the outermost first, the root of all left out.

        Above an unknown place stands that place; what is above it is unknown.
        """
        if not self.root:
            names = [part for part in self.shown.split("/") if part]
            return [Region.of("/".join(names[:depth])) for depth in range(1, len(names))]
        found = []
        for depth in range(len(self.parts)):
            shown = "/".join([self.root, *self.parts[:depth]])
            found.append(Region(self.parts[:depth], self.root, shown))
        return found

    def covers(self, other: Region) -> bool:
        """Tell whether ``other`` is, or may be, this place or below it."""
        if self.root != other.root:
            return True
        return len(self.parts) <= len(other.parts) and _alike(self.parts, other.parts)

    def overlaps(self, other: Region) -> bool:
        """Tell whether some path may be in both."""
        return self.root != other.root or _alike(self.parts, other.parts)

    def may_be(self, other: Region) -> bool:
        """Tell whether both may be one place."""
        return self.covers(other) and other.covers(self)


EVERYTHING = Region((), "", "/")
"""The whole file system."""


def _alike(some: tuple[str, ...], others: tuple[str, ...]) -> bool:
    """Tell whether the shorter path may be the beginning of the longer one."""
    for one, other in zip(some, others, strict=False):
        if "**" in {one, other}:
            return True
        if one == other:
            continue
        first, second = has_wildcards(one), has_wildcards(other)
        if first and second:
            continue
        if not (first and matches(one, other)) and not (second and matches(other, one)):
            return False
    return True


def _followed(parts: tuple[str, ...]) -> tuple[str, ...]:
    """Return the components with the usual links followed, link after link."""
    seen: set[tuple[str, ...]] = set()
    while parts not in seen:
        seen.add(parts)
        for depth in range(1, min(_DEEPEST, len(parts)) + 1):
            target = _USUAL.get(parts[:depth])
            if target is not None:
                parts = (*target, *parts[depth:])
                break
    return parts
