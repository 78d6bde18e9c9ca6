"""Roots of other Debian releases, made once by debootstrap, to run their Docker Engine in."""

from __future__ import annotations

import fcntl
import shutil
import subprocess
from typing import TYPE_CHECKING

from bench.engine.install import apt_sites, install_packages
from bench.engine.state import state_dir
from bench.errors import NoEngineError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_BOOTSTRAP_TIMEOUT_SECONDS = 900.0
_KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
_PACKAGES = ("ca-certificates", "iptables", "docker.io")
# Until bookworm docker.io held the command line client too; buildx was not packaged.
_SPLIT_PACKAGES = ("docker-cli", "docker-buildx")
_BEFORE_SPLIT = frozenset({"buster", "bullseye", "bookworm"})


def release_root(release: str, *, progress: Callable[[str], None]) -> Path:
    """Return the root folder of a Debian release with Docker Engine in it, making it if need be.

    Making one takes about 40 seconds and 650 MB; it is then kept in the state folder.

    Raises:
        NoEngineError: debootstrap cannot be had or fails; the last lines it said are in it.

    """
    root = state_dir() / "roots" / release
    root.parent.mkdir(parents=True, exist_ok=True)
    with (root.parent / f".{release}.lock").open("w") as lock:
        # Two engines of one release may be started at the same time: the second one waits.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not root.is_dir():
            _bootstrap(release, root, progress)
    return root


def _bootstrap(release: str, root: Path, progress: Callable[[str], None]) -> None:
    if shutil.which("debootstrap") is None:
        install_packages(("debootstrap", "debian-archive-keyring"), progress=progress)
    site = apt_sites("Debian")[0]
    # A killed debootstrap leaves its work under another name and never passes for a whole root.
    partial = root.with_name(f"{root.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    progress(f"making a root of Debian {release} with Docker Engine (about 40 s, once)")
    packages = _PACKAGES if release in _BEFORE_SPLIT else (*_PACKAGES, *_SPLIT_PACKAGES)
    command = [
        "debootstrap",
        "--variant=minbase",
        f"--include={','.join(packages)}",
        f"--keyring={_KEYRING}",
        release,
        str(partial),
        site,
    ]
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_BOOTSTRAP_TIMEOUT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise _failed(release, f"gave up after {error.timeout:.0f} s", partial) from error
    if done.returncode != 0:
        tail = "\n".join(f"  {line}" for line in done.stdout.splitlines()[-4:])
        raise _failed(release, f"failed (status {done.returncode}):\n{tail}", partial)
    shutil.rmtree(partial / "var/cache/apt/archives", ignore_errors=True)
    partial.rename(root)


def _failed(release: str, how: str, partial: Path) -> NoEngineError:
    return NoEngineError(
        f"debootstrap of Debian {release} {how}",
        remedy=f"see {partial / 'debootstrap/debootstrap.log'}; is the release's name right "
        "and does apt's mirror carry it?",
    )


def delete_roots() -> None:
    """Delete the roots of all releases; engines that run in them must be stopped before.

    Raises:
        NoEngineError: a file cannot be deleted.

    """
    roots = state_dir() / "roots"
    if not roots.is_dir():
        return
    try:
        shutil.rmtree(roots)
    except OSError as error:
        raise NoEngineError(
            f"cannot delete {error.filename}: {error.strerror}",
            remedy="see what still uses it (fuser -m) and repeat the command",
        ) from error
