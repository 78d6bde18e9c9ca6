"""The scenarios that the project ships."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bench.scenario import load_scenario

if TYPE_CHECKING:
    from bench.scenario import Scenario

FOLDER = Path(__file__).parents[2] / "scenarios"
NAMES = ("dev-and-deploy", "go-gallery", "hello-stages", "java-iotd", "node-access-log")


def shipped(name: str) -> Scenario:
    """Load one of them."""
    return load_scenario(FOLDER / name)
