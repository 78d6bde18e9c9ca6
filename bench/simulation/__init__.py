"""Builds that are played and not made: the cache model, with the step times of a recorded run.

For trying a scenario out, and for tests, where there is no engine. Everything that comes of it
says so: the builders are called ``simulated-…``, and so is the engine.
"""

from bench.simulation.builder import SimulatedBuilder
from bench.simulation.choosing import find_recorded_run
from bench.simulation.site import SimulatedSite
from bench.simulation.times import Moment, StepTimes, guessed_times, recorded_times, times_of

__all__ = [
    "Moment",
    "SimulatedBuilder",
    "SimulatedSite",
    "StepTimes",
    "find_recorded_run",
    "guessed_times",
    "recorded_times",
    "times_of",
]
