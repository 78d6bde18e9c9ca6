"""What is sent to the engine for one state: a deterministic tar, and the manifest of just that.

The selection is that of the docker clients (`bench.workspace.select`), made from a mapping in
memory instead of a tree on disk, so that owners may be other than 0:0 and nothing is written but
the tar.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
from typing import TYPE_CHECKING, Literal

from bench.workspace import Manifest
from bench.workspace.ignore import ClientRule, IgnoreRules, read_patterns
from bench.workspace.manifest import Entry
from tests.conformance.case import DOCKERFILE, IGNORE_FILE, File

if TYPE_CHECKING:
    from collections.abc import Mapping

_ALWAYS = frozenset({DOCKERFILE, IGNORE_FILE})
_TYPES: dict[str, bytes] = {
    "file": tarfile.REGTYPE,
    "tar": tarfile.REGTYPE,
    "dir": tarfile.DIRTYPE,
    "link": tarfile.SYMTYPE,
}
_ENTRY_TYPES: dict[str, Literal["file", "dir", "symlink"]] = {
    "file": "file",
    "tar": "file",
    "dir": "dir",
    "link": "symlink",
}


def client_rule(builder: str) -> ClientRule:
    """Return whose selection of files goes with a builder."""
    return ClientRule.CLASSIC if builder == "classic" else ClientRule.BUILDKIT


def rules_of(files: Mapping[str, File], builder: str) -> IgnoreRules:
    """Return the ignore rules of a context."""
    ignore = files.get(IGNORE_FILE)
    text = ignore.content if ignore is not None and ignore.kind == "file" else ""
    return IgnoreRules(read_patterns(text.encode()), client_rule(builder))


def usable_paths(files: Mapping[str, File], builder: str) -> list[str]:
    """Return the paths that COPY can name, in byte order; the Dockerfile is one of them.

    The classic builder removes the Dockerfile and the ignore file again where they are ignored
    (moby ``builder/remotecontext/detect.go`` removeDockerfile).
    """
    chosen, although_ignored = _select(files, builder)
    gone = although_ignored if builder == "classic" else frozenset()
    return [path for path in chosen if path not in gone]


def _select(files: Mapping[str, File], builder: str) -> tuple[list[str], frozenset[str]]:
    rules = rules_of(files, builder)
    everything = {DOCKERFILE: File(), **files}
    states: dict[str, tuple[bool, ...]] = {"": ()}
    ignored_dirs: set[str] = set()
    skipped: set[str] = set()
    wanted: set[str] = set()
    forced: set[str] = set()
    for path in sorted(everything, key=lambda one: one.split("/")):
        parent = path.rpartition("/")[0]
        if parent in skipped:
            skipped.add(path)
            continue
        ignored, states[path] = rules.match(path, states[parent])
        if everything[path].kind == "dir" and ignored:
            ignored_dirs.add(path)
            if not rules.may_bring_back(path):
                skipped.add(path)
        if not ignored:
            wanted.add(path)
            if rules.client is ClientRule.BUILDKIT:
                wanted.update(one for one in _parents(path) if one in ignored_dirs)
        elif path in _ALWAYS:
            forced.add(path)
    chosen = sorted(wanted | forced, key=str.encode)
    return chosen, frozenset(forced - wanted)


def _parents(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[:depth]) for depth in range(1, len(parts))]


def content_of(file: File) -> bytes:
    """Return the bytes of a file; of a tar: one with a single file in it."""
    if file.kind == "file":
        return file.content.encode()
    if file.kind != "tar":
        return b""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        entry = tarfile.TarInfo("inside.txt")
        entry.size = len(file.content.encode())
        archive.addfile(entry, io.BytesIO(file.content.encode()))
    return gzip.compress(buffer.getvalue(), mtime=0)


def pack(files: Mapping[str, File], dockerfile: str, builder: str) -> tuple[bytes, Manifest]:
    """Return the tar to send, and the manifest of what is in it.

    ``dockerfile`` is the text as it is sent, placeholders filled in.
    """
    everything = {**files, DOCKERFILE: File(content=dockerfile)}
    chosen, although_ignored = _select(files, builder)
    buffer = io.BytesIO()
    entries = []
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for path in chosen:
            file = everything[path]
            content = content_of(file)
            archive.addfile(_tar_info(path, file, len(content)), io.BytesIO(content))
            entries.append(_entry(path, file, content))
    return buffer.getvalue(), Manifest(entries, although_ignored)


def _tar_info(path: str, file: File, size: int) -> tarfile.TarInfo:
    info = tarfile.TarInfo(path)
    info.type, info.mode, info.size = _TYPES[file.kind], file.mode, size
    info.uid, info.gid, info.mtime = file.uid, file.gid, file.mtime
    info.linkname = file.content if file.kind == "link" else ""
    return info


def _entry(path: str, file: File, content: bytes) -> Entry:
    is_file = file.kind in {"file", "tar"}
    return Entry(
        path=path,
        type=_ENTRY_TYPES[file.kind],
        mode=file.mode,
        size=len(content),
        link_target=file.content if file.kind == "link" else None,
        sha256=hashlib.sha256(content).hexdigest() if is_file else None,
        mtime_ns=file.mtime * 1_000_000_000,
        uid=file.uid,
        gid=file.gid,
    )
