"""Layer tars for tests, written down as a list of members."""

from __future__ import annotations

import gzip
import io
import tarfile
from typing import Any

from bench.equality.layers import Layer, read_layer

CAPABILITY = (b"\x01\x00\x00\x02\x00\x20" + bytes(14)).decode()
"""cap_net_raw, effective and permitted, as ``security.capability`` holds it."""
XATTR = "SCHILY.xattr."


def folder(name: str, **about: Any) -> tuple[tarfile.TarInfo, bytes]:
    return member(name, type=tarfile.DIRTYPE, mode=about.pop("mode", 0o755), **about)


def file(name: str, content: bytes = b"", **about: Any) -> tuple[tarfile.TarInfo, bytes]:
    return member(name, content, **about)


def link(name: str, target: str) -> tuple[tarfile.TarInfo, bytes]:
    return member(name, type=tarfile.SYMTYPE, linkname=target, mode=0o777)


def hard_link(name: str, target: str) -> tuple[tarfile.TarInfo, bytes]:
    return member(name, type=tarfile.LNKTYPE, linkname=target)


def device(name: str, major: int, minor: int) -> tuple[tarfile.TarInfo, bytes]:
    return member(name, type=tarfile.CHRTYPE, devmajor=major, devminor=minor)


def gone(name: str) -> tuple[tarfile.TarInfo, bytes]:
    head, slash, last = name.rpartition("/")
    return member(f"{head}{slash}.wh.{last}")


def opaque(name: str) -> tuple[tarfile.TarInfo, bytes]:
    return member(f"{name}/.wh..wh..opq")


def member(name: str, content: bytes = b"", **about: Any) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    xattrs = about.pop("xattrs", {})
    info.pax_headers = {XATTR + key: value for key, value in xattrs.items()}
    for key, value in about.items():
        setattr(info, key, value)
    return info, content


def tar_of(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(
        fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT, errors="surrogateescape"
    ) as archive:
        for info, content in members:
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def layer_of(*members: tuple[tarfile.TarInfo, bytes], gzipped: bool = False) -> Layer:
    data = tar_of(*members)
    return read_layer(io.BytesIO(gzip.compress(data) if gzipped else data))
