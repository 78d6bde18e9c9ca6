"""Plan and make the builds of a run, in order, keeping every record."""

from bench.runner.engine_site import EngineSite
from bench.runner.events import Observer, Silent
from bench.runner.expectations import ExpectationResult, check_expectations
from bench.runner.head import read_head, stored_settings
from bench.runner.plan import Phase, PlannedBuild, Settings, make_plan, make_settings
from bench.runner.run import RunResult, resume_run, run_scenario
from bench.runner.site import Site

__all__ = [
    "EngineSite",
    "ExpectationResult",
    "Observer",
    "Phase",
    "PlannedBuild",
    "RunResult",
    "Settings",
    "Silent",
    "Site",
    "check_expectations",
    "make_plan",
    "make_settings",
    "read_head",
    "resume_run",
    "run_scenario",
    "stored_settings",
]
