"""Install packages of the distribution; only set-up commands come here, and only as root."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from bench.errors import NoEngineError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ENGINE_PACKAGES = ("docker.io", "iptables", "iproute2", "ca-certificates")
WATCHING_PACKAGES = ("strace",)
"""What `bench.tracing` needs beside an engine."""
_APT_TIMEOUT_SECONDS = 900.0
_APT_LOCK_WAIT_SECONDS = 120

# $1 = a command that does nothing; the rest is the command. A package's scripts start its service
# through invoke-rc.d where systemd is not running: in this mount namespace that does nothing, so
# that no second engine appears on the default socket; nothing outside the namespace changes.
_NO_SERVICE_SCRIPT = """
set -e
test ! -e /usr/sbin/invoke-rc.d || mount --bind "$1" /usr/sbin/invoke-rc.d
shift
exec "$@"
"""


def can_install() -> bool:
    """Tell whether packages can be installed here: root, and a distribution with apt."""
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def install_packages(packages: Sequence[str], *, progress: Callable[[str], None]) -> None:
    """Install packages with apt, without what they only recommend.

    Raises:
        NoEngineError: not root, no apt, or apt fails; its last lines are in the message.

    """
    if not can_install():
        raise NoEngineError(
            f"cannot install {', '.join(packages)} here: that needs root on Debian or Ubuntu",
            remedy="install Docker Engine (package docker.io) by other means and start it",
        )
    progress("refreshing apt's package lists")
    _apt("update", "--quiet=2")
    progress(f"installing {', '.join(packages)}")
    _apt("install", "--quiet=2", "--yes", "--no-install-recommends", *packages)


def install_engine(*, progress: Callable[[str], None]) -> None:
    """Install the distribution's Docker Engine, and what a private engine needs beside it.

    Raises:
        NoEngineError: as for ``install_packages``.

    """
    install_packages((*ENGINE_PACKAGES, *WATCHING_PACKAGES), progress=progress)


def install_strace_if_missing(*, progress: Callable[[str], None]) -> None:
    """Install what watching a RUN needs, where that can be; an engine is as good without it."""
    if shutil.which("strace") is not None or not can_install():
        return
    try:
        install_packages(WATCHING_PACKAGES, progress=progress)
    except NoEngineError as error:
        progress(f"no RUN can be watched without strace: {error.message}")


def apt_sites(origin: str) -> tuple[str, ...]:
    """Return the mirrors apt is configured with for a distribution's main archive.

    ``origin`` is what the archive calls itself: "Debian", "Ubuntu".

    Raises:
        NoEngineError: there is no apt, or none of its sources is that archive.

    """
    for attempt in range(2):
        sites = _indexed_sites(origin)
        if sites:
            return sites
        if attempt == 0 and can_install():
            _apt("update", "--quiet=2")  # a fresh machine has no lists yet
    raise NoEngineError(
        f"apt has no source of {origin}'s main archive here",
        remedy=f"add one to /etc/apt/sources.list; only there is {origin}'s engine found",
    )


def _indexed_sites(origin: str) -> tuple[str, ...]:
    if shutil.which("apt-get") is None:
        return ()
    fields = "$(CREATED_BY)|$(SITE)|$(ORIGIN)|$(LABEL)|$(COMPONENT)"
    listed = subprocess.run(
        ["apt-get", "indextargets", "--format", fields],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    rows = (line.split("|") for line in listed.stdout.splitlines())
    sites = [row[1] for row in rows if len(row) == 5 and row[2:5] == [origin, origin, "main"]]
    return tuple(dict.fromkeys(sites))


def _apt(*arguments: str) -> None:
    wait = f"DPkg::Lock::Timeout={_APT_LOCK_WAIT_SECONDS}"
    command = ["apt-get", "-o", wait, *arguments]
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    with tempfile.TemporaryDirectory() as scratch:
        try:
            done = subprocess.run(
                without_services(command, Path(scratch)),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                env=environment,
                timeout=_APT_TIMEOUT_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise NoEngineError(
                f"{' '.join(command)} took longer than {error.timeout:.0f} s",
                remedy="see whether the package mirror can be reached",
            ) from error
    if done.returncode != 0:
        tail = "\n".join(f"  {line}" for line in done.stdout.splitlines()[-4:])
        raise NoEngineError(
            f"{' '.join(command)} failed (status {done.returncode}):\n{tail}",
            remedy="mend apt (its sources, the network, the disk), then repeat the command",
        )


def without_services(command: Sequence[str], scratch: Path) -> list[str]:
    """Return the command wrapped so that no service starts; with systemd, as it is."""
    if Path("/run/systemd/system").is_dir():
        return list(command)
    nothing = scratch / "invoke-rc.d"
    nothing.write_text("#!/bin/sh\nexit 0\n")
    nothing.chmod(0o755)
    namespace = ("unshare", "--mount", "--propagation", "private", "sh", "-c")
    return [*namespace, _NO_SERVICE_SCRIPT, "apt-get", str(nothing), *command]
