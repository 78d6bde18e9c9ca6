"""What must be there so that a RUN can be watched: strace, root, and the engine on this machine."""

from __future__ import annotations

import os
import re
import shutil
import socket
import struct
import subprocess
from typing import TYPE_CHECKING, Any

from bench.tracing.errors import CannotObserveError

if TYPE_CHECKING:
    from docker import DockerClient

OLDEST_STRACE = (5, 10)
"""That of Debian 11. What is read here was written by 6.1, that of Debian 12."""
_VERSION = re.compile(r"version (\d+)\.(\d+)")
_CREDENTIALS = struct.calcsize("3i")
_LOCAL = "run the command on the machine of the engine, and reach it through its socket"


def require_watching(client: DockerClient) -> None:
    """Make sure that processes in containers of this engine can be watched.

    Raises:
        CannotObserveError: naming what is missing.

    """
    if os.geteuid() != 0:
        raise CannotObserveError(
            "only root can watch what a RUN reads and writes",
            remedy="run the command as root, or declare it in the scenario ([[access]])",
        )
    _require_strace()
    _require_same_machine(client)


def _require_strace() -> None:
    if shutil.which("strace") is None:
        raise CannotObserveError(
            "strace is not installed, and without it no RUN can be watched",
            remedy="bench engine start --install on Debian or Ubuntu as root, "
            "else install the package strace",
        )
    done = subprocess.run(["strace", "-V"], capture_output=True, text=True, timeout=20, check=False)
    version = _VERSION.search(done.stdout)
    if version is None or (int(version[1]), int(version[2])) < OLDEST_STRACE:
        said = version[0] if version else "a version that it does not tell"
        raise CannotObserveError(
            f"strace is of {said}; {'.'.join(map(str, OLDEST_STRACE))} or newer is needed",
            remedy="install a newer strace",
        )


def _peer(api: Any) -> int:
    """Return the process that listens on the engine's socket; 0 if it cannot be seen from here."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(20)
        connection.connect(api._custom_adapter.socket_path)
        credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS)
    pid: int = struct.unpack("3i", credentials)[0]
    return pid


def _require_same_machine(client: DockerClient) -> None:
    api: Any = client.api
    if not api.base_url.startswith("http+docker://"):
        raise CannotObserveError(
            f"the engine at {api.base_url} may be on another machine: its RUNs cannot be watched",
            remedy=_LOCAL,
        )
    if _peer(api) == 0:
        raise CannotObserveError(
            "the processes of the engine cannot be seen from here: it has the socket of its "
            "machine, but not its processes",
            remedy="run the command outside of containers, or in one with --pid=host",
        )
    theirs, ours = str(client.info().get("KernelVersion")), os.uname().release
    if theirs != ours:
        raise CannotObserveError(
            f"the engine has another kernel ({theirs}) than this machine ({ours}): "
            "its RUNs cannot be watched from here",
            remedy=_LOCAL,
        )
