"""How busy the machine is around a build: load, stolen time and pressure, from ``/proc``."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

from bench.noise import Noise

_PROC = Path("/proc")
_STEAL_FIELD = 8  # of the line "cpu" in /proc/stat, the name counted (proc(5))


@dataclass(frozen=True)
class NoiseSample:
    """The counters at one moment; None where the kernel does not tell.

    ``at_seconds`` is the monotonic clock. ``steal_seconds`` and the pressures (seconds in which
    some task waited) count from boot, so only differences mean something.
    """

    at_seconds: float
    load_1m: float | None
    steal_seconds: float | None
    cpu_pressure_seconds: float | None
    io_pressure_seconds: float | None
    memory_pressure_seconds: float | None


def sample(proc: Path = _PROC) -> NoiseSample:
    """Read the counters now (0.1 ms)."""
    return NoiseSample(
        at_seconds=time.monotonic(),
        load_1m=_load(proc / "loadavg"),
        steal_seconds=_steal(proc / "stat"),
        cpu_pressure_seconds=_pressure(proc / "pressure/cpu"),
        io_pressure_seconds=_pressure(proc / "pressure/io"),
        memory_pressure_seconds=_pressure(proc / "pressure/memory"),
    )


def between(begin: NoiseSample, end: NoiseSample, *, image_count: int | None = None) -> Noise:
    """Return the noise from ``begin`` to ``end``; the load is the one at the beginning."""
    span = end.at_seconds - begin.at_seconds
    return Noise(
        load_1m=begin.load_1m,
        steal_seconds=_difference(begin.steal_seconds, end.steal_seconds),
        cpu_pressure=_share(begin.cpu_pressure_seconds, end.cpu_pressure_seconds, span),
        io_pressure=_share(begin.io_pressure_seconds, end.io_pressure_seconds, span),
        memory_pressure=_share(begin.memory_pressure_seconds, end.memory_pressure_seconds, span),
        image_count=image_count,
    )


class NoiseProbe:
    """Measures the noise from its making to ``end``."""

    def __init__(self, proc: Path = _PROC) -> None:
        self._proc = proc
        self._begin = sample(proc)

    def end(self, *, image_count: int | None = None) -> Noise:
        """Return the noise since the probe was made."""
        return between(self._begin, sample(self._proc), image_count=image_count)


def _difference(begin: float | None, end: float | None) -> float | None:
    if begin is None or end is None:
        return None
    return max(0.0, end - begin)


def _share(begin: float | None, end: float | None, span_seconds: float) -> float | None:
    """Return the share of the span, 0 to 1: the kernel adds up with a little delay."""
    waited = _difference(begin, end)
    if waited is None or span_seconds <= 0:
        return None
    return min(1.0, waited / span_seconds)


def _read(path: Path) -> str | None:
    # Linux before 4.20 has no pressure files; with psi=0 they are there and reading them fails.
    try:
        return path.read_text()
    except OSError:
        return None


def _load(path: Path) -> float | None:
    text = _read(path)
    return float(text.split()[0]) if text else None


def _steal(path: Path) -> float | None:
    fields = (_read(path) or "").partition("\n")[0].split()
    if len(fields) <= _STEAL_FIELD:
        return None
    return int(fields[_STEAL_FIELD]) / os.sysconf("SC_CLK_TCK")


def _pressure(path: Path) -> float | None:
    """Return the total of the line ``some``, in seconds (the kernel counts microseconds)."""
    for line in (_read(path) or "").splitlines():
        if line.startswith("some "):
            return int(line.rpartition("total=")[2]) / 1e6
    return None
