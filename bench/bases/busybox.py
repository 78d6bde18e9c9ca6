"""The smallest stand-in: a static busybox and links for its applets, as a tarball to import."""

from __future__ import annotations

import io
import shutil
import tarfile
import tempfile
from pathlib import Path, PurePosixPath

from bench.bases.host import run
from bench.errors import BaseImageError

_REMEDY = "apt-get install busybox-static, or docker pull busybox"
_FOLDERS = {"dev": 0o755, "etc": 0o755, "proc": 0o555, "root": 0o700, "sys": 0o555, "tmp": 0o1777}
_PASSWD = b"root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n"
_GROUP = b"root:x:0:\nnogroup:x:65534:\n"


def busybox_tar() -> bytes:
    """Return the root file system of the busybox stand-in; the same bytes for the same busybox.

    Raises:
        BaseImageError: the host has no static busybox and apt cannot fetch one.

    """
    with tempfile.TemporaryDirectory(prefix="cachebench-busybox-") as scratch:
        program = _static_busybox(Path(scratch))
        applets = run([str(program), "--list-full"], "busybox does not run", remedy=_REMEDY)
        return pack_rootfs(program.read_bytes(), applets.split())


def pack_rootfs(program: bytes, applets: list[str]) -> bytes:
    """Pack a root with busybox and a link for each applet (a path such as ``usr/bin/env``)."""
    links = {name for name in applets if name != "bin/busybox"}
    folders = dict(_FOLDERS)
    for name in {"bin/busybox", *links}:
        for parent in PurePosixPath(name).parents:
            folders.setdefault(str(parent), 0o755)
    folders.pop(".", None)
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for name, mode in sorted(folders.items()):
            _add(archive, name, mode, kind=tarfile.DIRTYPE)
        _add(archive, "bin/busybox", 0o755, content=program)
        _add(archive, "etc/passwd", 0o644, content=_PASSWD)
        _add(archive, "etc/group", 0o644, content=_GROUP)
        for name in sorted(links):
            _add(archive, name, 0o777, kind=tarfile.SYMTYPE, link="/bin/busybox")
    return buffer.getvalue()


def _add(
    archive: tarfile.TarFile,
    name: str,
    mode: int,
    *,
    kind: bytes = tarfile.REGTYPE,
    content: bytes = b"",
    link: str = "",
) -> None:
    info = tarfile.TarInfo(name)
    info.type, info.mode, info.size, info.linkname = kind, mode, len(content), link
    archive.addfile(info, io.BytesIO(content))


def _static_busybox(scratch: Path) -> Path:
    """Return the host's busybox if it is static (Debian's plain one is not), else fetch one."""
    installed = shutil.which("busybox")
    if installed is not None and is_static(Path(installed)):
        return Path(installed)
    return _fetch(scratch)


def is_static(program: Path) -> bool:
    """Tell whether a program needs no shared library, so that it runs in an empty image."""
    try:
        libraries = run(["ldd", str(program)], "")
    except BaseImageError as error:
        return "not a dynamic executable" in error.message
    return "statically linked" in libraries


def _fetch(scratch: Path) -> Path:
    """Fetch the distribution's static busybox without installing it."""
    scratch.chmod(0o755)
    try:
        run(["apt-get", "download", "-qq", "busybox-static"], "", cwd=scratch)
    except BaseImageError:
        run(["apt-get", "update", "-qq"], "apt-get update failed", remedy=_REMEDY)
        run(
            ["apt-get", "download", "-qq", "busybox-static"],
            "apt cannot fetch busybox-static",
            cwd=scratch,
            remedy=_REMEDY,
        )
    package = next(scratch.glob("busybox-static_*.deb"))
    run(["dpkg-deb", "-x", str(package), str(scratch / "root")], "dpkg-deb failed", remedy=_REMEDY)
    # In bin or usr/bin, by release; other files of the package have the same name.
    return next((scratch / "root").rglob("bin/busybox"))
