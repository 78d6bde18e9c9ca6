"""One layer of an image: what its tar adds, and what it takes away from the layers below. Pure.

The format is that of the OCI image specification (``layer.md``): a whiteout ``.wh.NAME`` removes
NAME of lower layers, ``.wh..wh..opq`` all that lower layers put into its folder.
"""

from __future__ import annotations

import hashlib
import posixpath
import tarfile
from dataclasses import dataclass, field, replace
from typing import IO

DIRECTORY = "directory"
FILE = "file"
HARD_LINK = "hard link"
"""Of an entry whose file is in a layer below those that were read."""
_TYPES = {
    tarfile.DIRTYPE: DIRECTORY,
    tarfile.SYMTYPE: "symlink",
    tarfile.CHRTYPE: "character device",
    tarfile.BLKTYPE: "block device",
    tarfile.FIFOTYPE: "fifo",
}
_DEVICES = frozenset({tarfile.CHRTYPE, tarfile.BLKTYPE})
_WHITEOUT = ".wh."
_OPAQUE = ".wh..wh..opq"
_META = ".wh..wh."
"""Names that begin so are notes of old storage drivers (moby ``pkg/archive/whiteouts.go``)."""
_XATTR = "SCHILY.xattr."
_ENDS_WITH_HEADER = "end of file header"
"""What the standard library says of a tar that ends after a global header, as a layer without
files may (`bench.bases.salt`)."""
_CHUNK = 1 << 20
_PERMISSIONS = 0o7777


@dataclass(frozen=True, slots=True)
class Entry:
    """What stands at one path: everything but its name and its times.

    ``target`` is a symbolic link's, ``device`` major and minor number of a device node;
    ``sha256`` is that of a file's bytes. ``xattrs`` are sorted by name.
    """

    type: str
    mode: int
    uid: int
    gid: int
    size: int = 0
    sha256: str = ""
    target: str = ""
    device: tuple[int, int] | None = None
    xattrs: tuple[tuple[str, str], ...] = ()


UNSAID = Entry(DIRECTORY, 0o755, 0, 0)
"""A folder that no layer has an entry for, although there is something in it."""


@dataclass
class Layer:
    """One layer. Paths are relative to the root, which is ``""``; undecodable bytes are surrogates.

    ``links`` are hard links whose target is in no earlier entry of this layer: to a lower layer.
    """

    entries: dict[str, Entry] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    opaque: set[str] = field(default_factory=set)


def read_layer(source: IO[bytes]) -> Layer:
    """Read a layer's tar, which may be gzipped, from beginning to end; no byte of it is kept.

    Raises:
        tarfile.TarError: it is no tar.

    """
    layer = Layer()
    try:
        _read(layer, source)
    except tarfile.ReadError as error:
        if str(error) != _ENDS_WITH_HEADER:
            raise
    return layer


def _read(layer: Layer, source: IO[bytes]) -> None:
    with tarfile.open(
        fileobj=source,
        mode="r|*",
        bufsize=_CHUNK,
        encoding="utf-8",
        errors="surrogateescape",
    ) as archive:
        for member in archive:
            _take(layer, archive, member)


def _take(layer: Layer, archive: tarfile.TarFile, member: tarfile.TarInfo) -> None:
    path = relative(member.name)
    folder, name = posixpath.split(path)
    if name == _OPAQUE:
        layer.opaque.add(folder)
    elif name.startswith(_META):
        return
    elif name.startswith(_WHITEOUT):
        layer.gone.add(posixpath.join(folder, name.removeprefix(_WHITEOUT)))
    elif member.islnk():
        _take_link(layer, path, relative(member.linkname))
    else:
        layer.links.pop(path, None)
        layer.entries[path] = _entry(archive, member)


def _take_link(layer: Layer, path: str, target: str) -> None:
    found = layer.entries.get(target)
    if found is None:
        layer.entries.pop(path, None)
        layer.links[path] = layer.links.get(target, target)
    else:
        layer.entries[path] = found


def _entry(archive: tarfile.TarFile, member: tarfile.TarInfo) -> Entry:
    entry = Entry(
        type=_TYPES.get(member.type, FILE),
        mode=member.mode & _PERMISSIONS,
        uid=member.uid,
        gid=member.gid,
        xattrs=_xattrs(member),
    )
    if member.issym():
        return replace(entry, mode=0o777, target=member.linkname)
    if member.type in _DEVICES:
        return replace(entry, device=(member.devmajor, member.devminor))
    if entry.type != FILE:
        return entry
    digest = hashlib.sha256()
    content = archive.extractfile(member)
    while content is not None and (chunk := content.read(_CHUNK)):
        digest.update(chunk)
    return replace(entry, size=member.size, sha256=digest.hexdigest())


def _xattrs(member: tarfile.TarInfo) -> tuple[tuple[str, str], ...]:
    # The archive's own headers are those of all its members, and say nothing of one.
    return tuple(
        sorted(
            (name.removeprefix(_XATTR), value)
            for name, value in member.pax_headers.items()
            if name.startswith(_XATTR)
        )
    )


def relative(name: str) -> str:
    """Return a member's name as a path below the root: ``./a/`` and ``/a`` are ``a``."""
    path = posixpath.normpath("/" + name)
    return path.lstrip("/")
