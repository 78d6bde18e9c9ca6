"""How builders are called: on the command line, in records and on charts.

A simulated builder is called after the real one whose rules it follows, so that no figure of it
can be taken for a measured one.
"""

from __future__ import annotations

REAL_BUILDERS = ("classic", "buildkit")
"""The builders of an engine, in the order in which they are built and reported."""

SIMULATED = "simulated"
"""Stands for all simulated builders on the command line."""

_PREFIX = f"{SIMULATED}-"
SIMULATED_BUILDERS = tuple(_PREFIX + name for name in REAL_BUILDERS)


def is_simulated(builder: str) -> bool:
    """Tell whether a builder's figures are made by the cache model and not by a build."""
    return builder.startswith(_PREFIX)


def rules_of(builder: str) -> str:
    """Return the real builder whose rules ``builder`` follows: itself, if it is one."""
    return builder.removeprefix(_PREFIX)
