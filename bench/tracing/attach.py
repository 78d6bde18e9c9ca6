"""One process that waits in a container: look at its file system, attach strace, let it go on."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench.tracing.calls import traced
from bench.tracing.errors import CannotObserveError
from bench.tracing.hooks import mark_of

if TYPE_CHECKING:
    from collections.abc import Iterator

STRACE = ("strace", "-f", "-y", "-q", "-s", "64", "-e", "signal=none")
"""Paths are never cut short, whatever the limit of strings; `bench.tracing.strace` reads this."""
_ATTACH_SECONDS = 20.0
_POLL_SECONDS = 0.001
_YOUNG_SECONDS = 60.0
"""A process that waits has become what it is soon after it began: an older one is left alone."""
_PROC = Path("/proc")


@dataclass
class Waiting:
    """A process that waits: its number, ``mark``, and handles that stay with the very process."""

    pid: int
    mark: str
    handle: int
    root: int
    """The root of its file system, open: it can be read when the container is gone."""
    cwd: str
    program: str = ""
    """The shell that waits."""

    def close(self) -> None:
        """Give the handles back."""
        for descriptor in (self.handle, self.root):
            with contextlib.suppress(OSError):
                os.close(descriptor)

    def send(self, number: signal.Signals) -> None:
        """Send a signal; a process that is gone takes none."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            signal.pidfd_send_signal(self.handle, number)

    def go_on(self) -> None:
        """Let it end its wait and become what it was meant to be."""
        self.send(signal.SIGUSR1)
        self.send(signal.SIGCONT)


class Lookout:
    """Looks for processes that wait among those that have come since it began."""

    def __init__(self) -> None:
        self._since = dict.fromkeys(_pids(), -_YOUNG_SECONDS)

    def look(self) -> Iterator[tuple[int, str]]:
        """Yield every process that waits to be watched, and its mark."""
        now = time.monotonic()
        self._since = {pid: self._since.get(pid, now) for pid in _pids()}
        for pid, since in self._since.items():
            if now - since < _YOUNG_SECONDS:
                mark = _mark(pid)
                if mark is not None:
                    yield pid, mark


def _pids() -> list[int]:
    return [int(name) for name in os.listdir(_PROC) if name.isdigit()]  # noqa: PTH208


def _mark(pid: int) -> str | None:
    try:
        return mark_of((_PROC / str(pid) / "cmdline").read_bytes())
    except OSError:
        return None


def hold(pid: int, mark: str) -> Waiting | None:
    """Stop a waiting process where it is; None if it is gone.

    Raises:
        CannotObserveError: its root is not that of a container.

    """
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return None
    waiting = Waiting(pid, mark, handle, -1, "/")
    try:
        if _mark(pid) != mark or not _is_ready(pid):
            waiting.close()
            return None
        waiting.send(signal.SIGSTOP)
        folder = _PROC / str(pid)
        waiting.root = os.open(folder / "root", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        waiting.cwd = os.readlink(folder / "cwd")  # noqa: PTH115 - it may not exist here
        waiting.program = os.readlink(folder / "exe")  # noqa: PTH115
        root = os.readlink(folder / "root")  # noqa: PTH115
    except OSError as error:
        waiting.send(signal.SIGKILL)  # it would wait in vain; the build ends with it
        waiting.close()
        if isinstance(error, (FileNotFoundError, ProcessLookupError)):
            return None
        raise CannotObserveError(
            f"the process of a RUN cannot be looked at: {error.strerror}",
            remedy="run the command as root, outside of containers",
        ) from error
    if root != "/":
        waiting.send(signal.SIGKILL)
        waiting.close()
        raise CannotObserveError(
            f"a RUN has its root at {root} of this machine: paths in it cannot be told",
            remedy="use an engine that gives its containers a root of their own",
        )
    return waiting


def _is_ready(pid: int) -> bool:
    """Wait until the process would take the signal that ends its wait."""
    deadline = time.monotonic() + _ATTACH_SECONDS
    while time.monotonic() < deadline:
        caught = _status(pid, "SigCgt")
        if caught is None:
            return False
        if int(caught, 16) >> (signal.SIGUSR1 - 1) & 1:
            return True
        time.sleep(_POLL_SECONDS)
    return False


def _status(pid: int, field: str) -> str | None:
    """Return one field of ``/proc/PID/status``; None where the process is gone."""
    try:
        text = (_PROC / str(pid) / "status").read_text()
    except OSError:
        return None
    for line in text.splitlines():
        if line.startswith(f"{field}:"):
            return line.partition(":")[2].strip()
    return None


def trace(waiting: Waiting, log: Path) -> subprocess.Popen[bytes]:
    """Attach strace to a held process; it writes to ``log`` and ends when all of the RUN has.

    Raises:
        CannotObserveError: it cannot attach; what it said is in the message.

    """
    complaints = log.with_suffix(".stderr")
    with complaints.open("wb") as errors:
        strace = subprocess.Popen(
            [*STRACE, "-e", f"trace={traced()}", "-o", str(log), "-p", str(waiting.pid)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            start_new_session=True,  # a Ctrl-C meant for the command must not end it
        )
    deadline = time.monotonic() + _ATTACH_SECONDS
    while strace.poll() is None and time.monotonic() < deadline:
        if _status(waiting.pid, "TracerPid") == str(strace.pid):
            return strace
        time.sleep(_POLL_SECONDS)
    end(strace)
    said = complaints.read_text(errors="replace").strip().splitlines()
    raise CannotObserveError(
        f"strace cannot attach to a RUN: {said[-1] if said else 'it did not say why'}",
        remedy="the kernel must allow it: see /proc/sys/kernel/yama/ptrace_scope (3 forbids it); "
        "in a container CAP_SYS_PTRACE is needed",
    )


def end(strace: subprocess.Popen[bytes]) -> None:
    """End a strace that is still there; what it watches goes on without it."""
    if strace.poll() is None:
        strace.terminate()
        try:
            strace.wait(timeout=10)
        except subprocess.TimeoutExpired:
            strace.kill()
            strace.wait()
