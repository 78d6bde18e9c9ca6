"""How busy a machine was: a part of every record, measured by `bench.engine.noise`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Noise:
    """How busy the machine was around one build.

    ``load_1m`` is the load average when it began; ``steal_seconds`` the CPU time the hypervisor
    took away during it; the pressures are the share of time (0 to 1) in which some task waited
    (``/proc/pressure``), None where the kernel does not tell.
    """

    load_1m: float | None = None
    steal_seconds: float | None = None
    cpu_pressure: float | None = None
    io_pressure: float | None = None
    memory_pressure: float | None = None
    image_count: int | None = None
