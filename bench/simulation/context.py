"""What a builder finds in the tar it is sent: the same that the workspace says it has packed."""

from __future__ import annotations

import hashlib
import tarfile
from typing import TYPE_CHECKING

from bench.workspace import ClientRule, Entry, IgnoreRules, Manifest, read_patterns

if TYPE_CHECKING:
    from pathlib import Path

_IGNORE_FILE = ".dockerignore"


def manifest_of(tar: Path, dockerfile_path: str) -> Manifest:
    """Return the manifest of a packed context.

    ``sent_although_ignored`` names the Dockerfile and ``.dockerignore`` where the patterns match
    them (moby ``builder/remotecontext/detect.go`` removeDockerfile).
    """
    entries: list[Entry] = []
    patterns: tuple[str, ...] = ()
    with tarfile.open(tar, "r:", encoding="utf-8", errors="surrogateescape") as archive:
        for member in archive:
            content = _content(archive, member)
            if member.name == _IGNORE_FILE and content is not None:
                patterns = read_patterns(content)
            entries.append(_entry(member, content))
    rules = IgnoreRules(patterns, ClientRule.CLASSIC)
    hidden = [path for path in (dockerfile_path, _IGNORE_FILE) if rules.ignores(path)]
    entries.sort(key=lambda one: one.path.encode("utf-8", "surrogateescape"))
    names = {entry.path for entry in entries}
    return Manifest(entries, [path for path in hidden if path in names])


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes | None:
    if not member.isfile():
        return None
    file = archive.extractfile(member)
    return b"" if file is None else file.read()


def _entry(member: tarfile.TarInfo, content: bytes | None) -> Entry:
    return Entry(
        path=member.name,
        type="dir" if member.isdir() else "symlink" if member.issym() else "file",
        mode=member.mode,
        size=0 if content is None else len(content),
        link_target=member.linkname if member.issym() else None,
        sha256=None if content is None else hashlib.sha256(content).hexdigest(),
        mtime_ns=int(member.mtime) * 1_000_000_000,
        uid=member.uid,
        gid=member.gid,
    )
