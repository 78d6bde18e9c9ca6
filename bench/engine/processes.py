"""What /proc tells about the processes of a private engine, and how they are ended."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench.engine.state import EngineProcess

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

_PROC = Path("/proc")
_DAEMONS = ("dockerd", "containerd", "runc")


@dataclass(frozen=True)
class _Stat:
    """The fields used of ``/proc/PID/stat`` (see proc(5))."""

    pid: int
    command: str
    state: str
    parent: int
    start_ticks: int


def _stat(pid: int) -> _Stat | None:
    try:
        text = (_PROC / str(pid) / "stat").read_text()
    except OSError:
        return None
    # The command stands in parentheses and may itself hold spaces and parentheses.
    head, _, tail = text.rpartition(")")
    fields = tail.split()
    return _Stat(pid, head.partition("(")[2], fields[0], int(fields[1]), int(fields[19]))


def boot_id() -> str:
    """Return the kernel's id of this boot."""
    return (_PROC / "sys/kernel/random/boot_id").read_text().strip()


def identify(pid: int) -> EngineProcess | None:
    """Return the identity of a running process; None if it is gone or a zombie."""
    stat = _stat(pid)
    if stat is None or stat.state == "Z":
        return None
    return EngineProcess(pid, stat.start_ticks, boot_id())


def is_running(process: EngineProcess) -> bool:
    """Tell whether the very process is still there (not another one with its pid)."""
    now = identify(process.pid)
    return (
        now is not None
        and now.boot_id == process.boot_id
        and now.start_ticks == process.start_ticks
    )


def members(run: Path) -> frozenset[int]:
    """Return the pids of the engine whose socket and ``--exec-root`` are under ``run``.

    dockerd, containerd and the shims name that folder on their command lines, also when dockerd
    was killed and they lost their parent; containers are descendants of them.
    """
    stats = {stat.pid: stat for stat in _all_stats()}
    roots = {pid for pid, stat in stats.items() if _is_daemon(stat, run)}
    return frozenset(pid for pid in stats if _has_ancestor(pid, stats, roots))


def _is_daemon(stat: _Stat, run: Path) -> bool:
    if not stat.command.startswith(_DAEMONS):
        return False
    try:
        arguments = (_PROC / str(stat.pid) / "cmdline").read_bytes()
    except OSError:
        return False
    return os.fsencode(run) + b"/" in arguments


def _all_stats() -> Iterator[_Stat]:
    for entry in _PROC.iterdir():
        if entry.name.isdigit():
            stat = _stat(int(entry.name))
            if stat is not None and stat.state != "Z":
                yield stat


def _has_ancestor(pid: int, stats: dict[int, _Stat], wanted: Collection[int]) -> bool:
    """Tell whether ``pid`` or one of its ancestors is in ``wanted``."""
    seen: set[int] = set()
    while pid in stats and pid not in seen:
        if pid in wanted:
            return True
        seen.add(pid)
        pid = stats[pid].parent
    return False


def end(process: EngineProcess | None, run: Path, *, grace_seconds: float) -> None:
    """End an engine: dockerd is asked first, after the grace period all that is left is killed."""
    before = {identity for pid in members(run) if (identity := identify(pid)) is not None}
    if process is not None and is_running(process):
        os.kill(process.pid, signal.SIGTERM)
        wait_until(lambda: not is_running(process), grace_seconds)
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        left = members(run) | {identity.pid for identity in before if is_running(identity)}
        if not left:
            return
        for pid in left:
            _kill(pid)
        time.sleep(0.05)


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    """Wait until ``condition`` holds, looking 20 times a second; False if it never did."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(0.05)
    return True
