"""Small build contexts and requests for the tests of builders."""

from __future__ import annotations

import hashlib
import io
import tarfile
from typing import TYPE_CHECKING

from bench.builders import BuildRequest, PackedContext
from bench.dockerfile import parse

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from bench.bases.isolation import SaltedDockerfile


def pack(folder: Path, files: Mapping[str, str]) -> PackedContext:
    """Write ``files`` (path: content) as one tar whose bytes depend on them alone."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, content in sorted(files.items()):
            entry = tarfile.TarInfo(name)
            entry.size = len(content.encode())
            archive.addfile(entry, io.BytesIO(content.encode()))
    digest = hashlib.sha256(buffer.getvalue()).hexdigest()
    path = folder / f"{digest[:16]}.tar"
    path.write_bytes(buffer.getvalue())
    return PackedContext(path, len(buffer.getvalue()), digest, 0.0)


def salted_request(
    folder: Path,
    salted: SaltedDockerfile,
    files: Mapping[str, str],
    tag: str,
    *,
    target: str | None = None,
    build_args: Mapping[str, str] | None = None,
    timeout_seconds: float = 60.0,
) -> BuildRequest:
    """Return a request for a Dockerfile with salted bases and a context of ``files``."""
    return BuildRequest(
        context=pack(folder, {**files, "Dockerfile": salted.dockerfile.text}),
        dockerfile=salted.dockerfile,
        dockerfile_path="Dockerfile",
        tag=tag,
        build_args=build_args or {},
        target=target,
        timeout_seconds=timeout_seconds,
        base_images=salted.base_images,
    )


def plain_request(
    folder: Path, text: str, files: Mapping[str, str], tag: str, *, timeout_seconds: float = 60.0
) -> BuildRequest:
    """Return a request for ``text`` as it stands, like a user's own build."""
    return BuildRequest(
        context=pack(folder, {**files, "Dockerfile": text}),
        dockerfile=parse(text),
        dockerfile_path="Dockerfile",
        tag=tag,
        timeout_seconds=timeout_seconds,
    )
