"""Scenario files: what they say, and how they are read and checked."""

from bench.changes.change import Change
from bench.scenario.dockerfiles import (
    dockerfile_file,
    dockerfile_place,
    dockerfile_text,
    dockerignore_text,
)
from bench.scenario.loading import load_scenario
from bench.scenario.models import (
    AccessSpec,
    ArrangedVariant,
    BaseSpec,
    Expect,
    Probe,
    Reorder,
    Scenario,
    ScenarioFile,
    Variant,
    Verdict,
)

__all__ = [
    "AccessSpec",
    "ArrangedVariant",
    "BaseSpec",
    "Change",
    "Expect",
    "Probe",
    "Reorder",
    "Scenario",
    "ScenarioFile",
    "Variant",
    "Verdict",
    "dockerfile_file",
    "dockerfile_place",
    "dockerfile_text",
    "dockerignore_text",
    "load_scenario",
]
