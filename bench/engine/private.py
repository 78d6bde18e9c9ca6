"""Start and stop private engines: dockerd processes of our own, beside any engine of the user."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.engine import processes
from bench.engine.find import Endpoint, why_silent
from bench.engine.launch import launch_arguments, make_bridge, remove_bridge
from bench.engine.modern import release_root
from bench.engine.state import EngineFolder, EngineSpec, ImageStore, engine_folder
from bench.errors import NoEngineError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

READY_TIMEOUT_SECONDS = 90.0
STOP_GRACE_SECONDS = 20.0
_LOG_TAIL_LINES = 6
_LOCK_TIMEOUT_SECONDS = 900.0
_REMEDY_INSTALL = (
    "install it: bench engine start --install on Debian or Ubuntu as root, "
    "else install Docker Engine and start it"
)


@dataclass(frozen=True)
class EngineState:
    """A private engine and whether it answers now."""

    spec: EngineSpec
    folder: EngineFolder
    running: bool

    @property
    def endpoint(self) -> Endpoint:
        """Where the engine listens."""
        return Endpoint(self.folder.host, f"the private engine {self.spec.name}")


def say_nothing(_message: str) -> None:
    """Report no progress."""


def status(name: str) -> EngineState | None:
    """Return the state of a private engine; None if it was never made.

    Raises:
        NoEngineError: its record is damaged.

    """
    folder = engine_folder(name)
    spec = folder.read_spec()
    if spec is None:
        return None
    running = _is_alive(folder) and why_silent(Endpoint(folder.host, name)) is None
    return EngineState(spec, folder, running)


def start(spec: EngineSpec, *, progress: Callable[[str], None] = say_nothing) -> EngineState:
    """Start a private engine unless it is running, and wait until it answers.

    What a killed engine or a reboot left behind (processes, socket, pid file) is cleared first.

    Raises:
        NoEngineError: not root, no dockerd, another engine of that name, or dockerd died; the
            last lines of its log are in the message.

    """
    _require_root()
    folder = engine_folder(spec.name)
    with _starting(folder):
        _require_same_spec(folder, spec)
        known = status(spec.name)
        if known is not None and known.running:
            return known
        root = _find_root(spec, progress)
        _clear_remains(folder)
        _launch(spec, folder, root, progress)
        return EngineState(spec, folder, running=True)


def stop(name: str, *, purge: bool = False, progress: Callable[[str], None] = say_nothing) -> bool:
    """Stop a private engine, with ``purge`` delete its data too; False if there is none.

    Raises:
        NoEngineError: not root, or its files cannot be deleted.

    """
    folder = engine_folder(name)
    if not folder.path.is_dir():
        return False
    _require_root()
    with _starting(folder):
        progress(f"stopping the private engine {name}")
        _clear_remains(folder)
        remove_bridge(folder.bridge)
        if purge:
            progress(f"deleting {folder.path}")
            _delete(folder.path)
    return True


def _launch(
    spec: EngineSpec, folder: EngineFolder, root: Path | None, progress: Callable[[str], None]
) -> None:
    progress(f"starting the private engine {spec.name}")
    for path in (folder.data, folder.etc, folder.run):
        path.mkdir(parents=True, exist_ok=True)
    folder.write_spec(spec)
    make_bridge(folder.bridge)
    with folder.log.open("wb") as log:
        process = subprocess.Popen(
            launch_arguments(spec, folder, root),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # a Ctrl-C meant for the command must not end the engine
            cwd="/",
            env=_environment(),
        )
    identity = processes.identify(process.pid)
    if identity is not None:
        folder.write_process(identity)
    _wait_until_ready(spec, folder, process)


def _wait_until_ready(
    spec: EngineSpec, folder: EngineFolder, process: subprocess.Popen[bytes]
) -> None:
    deadline = time.monotonic() + READY_TIMEOUT_SECONDS
    endpoint = Endpoint(folder.host, spec.name)
    while process.poll() is None and time.monotonic() < deadline:
        if folder.socket.exists() and why_silent(endpoint) is None:
            return
        time.sleep(0.1)
    what = (
        f"did not answer within {READY_TIMEOUT_SECONDS:.0f} s"
        if process.poll() is None
        else f"ended at once (status {process.returncode})"
    )
    _clear_remains(folder)
    remove_bridge(folder.bridge)
    raise NoEngineError(
        f"the private engine {spec.name} {what}; the end of {folder.log}:\n{_log_tail(folder)}",
        remedy="mend what the log says, or point DOCKER_HOST at a running engine",
    )


def _log_tail(folder: EngineFolder) -> str:
    try:
        lines = folder.log.read_text(errors="replace").splitlines()
    except OSError:
        return "(no log)"
    return "\n".join(f"  {line}" for line in lines[-_LOG_TAIL_LINES:]) or "  (empty)"


def _environment() -> dict[str, str]:
    """Return the environment for dockerd: nothing of the caller's docker settings."""
    keep = ("PATH", "LANG", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
    kept = {name: os.environ[name] for name in keep if name in os.environ}
    kept["PATH"] = f"{kept.get('PATH', '')}:/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin"
    return kept


def _is_alive(folder: EngineFolder) -> bool:
    process = folder.read_process()
    return process is not None and processes.is_running(process)


def _clear_remains(folder: EngineFolder) -> None:
    """End every process of the engine and remove what they leave: socket, pid file, mounts."""
    processes.end(folder.read_process(), folder.run, grace_seconds=STOP_GRACE_SECONDS)
    folder.forget_process()
    for path in (folder.run, folder.path):
        _unmount_below(path)
    shutil.rmtree(folder.run, ignore_errors=True)


def _unmount_below(path: Path) -> None:
    """Unmount what is mounted below ``path``, the innermost first."""
    for target in reversed(mounts_below(path)):
        subprocess.run(["umount", "--lazy", target], capture_output=True, timeout=20, check=False)


def mounts_below(path: Path) -> list[str]:
    """Return the mount points below ``path`` in the order they were mounted (see proc(5))."""
    found = []
    with open("/proc/self/mountinfo") as mounts:  # noqa: PTH123
        for line in mounts:
            target = line.split()[4].encode().decode("unicode_escape")
            if target.startswith(f"{path}/"):
                found.append(target)
    return found


def _delete(path: Path) -> None:
    try:
        shutil.rmtree(path)
    except OSError as error:
        raise NoEngineError(
            f"cannot delete {error.filename}: {error.strerror}",
            remedy="see what still uses it (findmnt, fuser -m) and repeat the command",
        ) from error


def _find_root(spec: EngineSpec, progress: Callable[[str], None]) -> Path | None:
    """Return the root the engine runs in: another release's, made if need be, or None."""
    if spec.release is not None:
        return release_root(spec.release, progress=progress)
    if shutil.which("dockerd", path=_environment()["PATH"]) is None:
        raise NoEngineError(
            "no Docker Engine answers and dockerd is not installed", remedy=_REMEDY_INSTALL
        )
    if spec.image_store is ImageStore.CONTAINERD:
        progress("the containerd image store needs Docker Engine 24 or newer")
    return None


def _require_root() -> None:
    if os.geteuid() != 0:
        raise NoEngineError(
            "no Docker Engine answers, and a private one can only be started or stopped by root",
            remedy="install Docker (package docker.io on Debian and Ubuntu) and start it, "
            "or run this command as root",
        )


def _require_same_spec(folder: EngineFolder, spec: EngineSpec) -> None:
    known = folder.read_spec()
    if known is not None and known != spec:
        raise NoEngineError(
            f"the private engine {spec.name} is another one "
            f"(release {known.release or 'of this machine'}, {known.image_store} image store)",
            remedy=f"choose another --name, or bench engine stop {spec.name} --purge first",
        )


@contextmanager
def _starting(folder: EngineFolder) -> Iterator[None]:
    """Let one process at a time start or stop this engine."""
    try:
        folder.lock.parent.mkdir(parents=True, exist_ok=True)
        file = folder.lock.open("w")
    except OSError as error:
        raise NoEngineError(
            f"{folder.lock.parent}: {error.strerror}",
            remedy="set CACHEBENCH_HOME to a folder you can write",
        ) from error
    with file:
        if not processes.wait_until(lambda: _try_lock(file.fileno()), _LOCK_TIMEOUT_SECONDS):
            raise NoEngineError(
                f"another command has been starting or stopping the engine {folder.name} "
                f"for {_LOCK_TIMEOUT_SECONDS:.0f} s",
                remedy="end that command",
            )
        yield


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
