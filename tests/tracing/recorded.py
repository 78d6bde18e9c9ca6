"""Traces that were recorded with ``python -m tests.tracing.record``."""

from __future__ import annotations

import json
from pathlib import Path

from bench.tracing.paths import Links
from bench.tracing.strace import read_calls
from bench.tracing.touching import Touched, Watched

FIXTURES = Path(__file__).parent / "fixtures"
BUSYBOX = "strace-6.1-busybox"
DEBIAN = "strace-6.1-debian"


def lines_of(name: str) -> list[str]:
    """Return the lines of a recorded trace."""
    return (FIXTURES / f"{name}.strace").read_text(encoding="ascii").splitlines(keepends=True)


def touched_in(name: str) -> Touched:
    """Return what the recorded RUN touched."""
    known = json.loads((FIXTURES / f"{name}.json").read_text())
    watched = Watched(
        known["pid"],
        known["cwd"],
        known["program"],
        folders=known["folders"],
        links=Links.of(known["links"]),
    )
    for event in read_calls(lines_of(name)):
        watched.take(event)
    return watched.touched


def below_app(paths: set[str]) -> set[str]:
    """Return the paths below ``/app``, relative to it."""
    return {path.removeprefix("/app/") for path in paths if path.startswith("/app/")}
