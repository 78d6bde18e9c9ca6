"""One measured build at a time on an engine: parallel builds share vertices and disturb timings."""

from __future__ import annotations

import fcntl
import hashlib
import os
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from bench.errors import NoEngineError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_POLL_SECONDS = 0.2


class EngineBusyError(NoEngineError):
    """Another run measures on this engine."""


@contextmanager
def engine_lock(
    engine_id: str,
    *,
    wait_seconds: float | None = None,
    on_wait: Callable[[str], None] | None = None,
) -> Iterator[None]:
    """Hold the engine for one run; the kernel lets go when the process ends, however it ends.

    ``engine_id`` is the ID of ``EngineInfo``. Another run waits, for ever with None, and is told
    once through ``on_wait`` whom for; with ``wait_seconds`` 0 it refuses at once. All users of the
    machine share the lock, so it is in the folder of temporary files. It cannot be taken twice in
    one process either.

    Raises:
        EngineBusyError: the time is over and the other run still holds it.

    """
    path = lock_path(engine_id)
    descriptor = _open(path)
    try:
        _acquire(descriptor, engine_id, wait_seconds, on_wait)
        _write_holder(path)
        yield
    finally:
        os.close(descriptor)


def lock_path(engine_id: str) -> Path:
    """Return the lock file of an engine."""
    digest = hashlib.sha256(engine_id.encode()).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"cachebench-{digest}.lock"


def _open(path: Path) -> int:
    """Open the lock file, making it if it is not there.

    flock needs no right to write. An existing file is opened without O_CREAT: the kernel may
    refuse that in a sticky folder if the file is another user's (``fs.protected_regular``).
    """
    try:
        return os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        flags = os.O_RDONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(path, flags, 0o644)
        os.fchmod(descriptor, 0o644)  # whatever the umask: other users must be able to wait
        return descriptor


def _acquire(
    descriptor: int,
    engine_id: str,
    wait_seconds: float | None,
    on_wait: Callable[[str], None] | None,
) -> None:
    began = time.monotonic()
    told = False
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if wait_seconds is not None and time.monotonic() - began >= wait_seconds:
                raise _busy(engine_id, descriptor) from None
        else:
            return
        if on_wait is not None and not told:
            told = True
            on_wait(f"waiting for {_holder(descriptor)}, which measures on the same engine")
        time.sleep(_POLL_SECONDS)


def _busy(engine_id: str, descriptor: int) -> EngineBusyError:
    return EngineBusyError(
        f"{_holder(descriptor)} measures on the same engine ({engine_id})",
        remedy="wait until it has ended, or use another engine: bench engine start --name NAME",
    )


def _holder(descriptor: int) -> str:
    words = os.pread(descriptor, 200, 0).decode(errors="replace").strip()
    return f"process {words}" if words.isdigit() else "another run"


def _write_holder(path: Path) -> None:
    """Note the holder's pid for the message to others; another user's file keeps what it says."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return
    with os.fdopen(descriptor, "w") as file:
        file.write(f"{os.getpid()}\n")
