"""What has to be said wherever figures were simulated and not measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.builders.names import is_simulated
from bench.report.compare import Setup, setups

if TYPE_CHECKING:
    from bench.dataset import Dataset, RunInfo

MARK = "SIMULATED"
NOT_BUILT = "simulated, not built"
ALL_ALIKE = "All rounds of a simulation are alike, so no interval means anything."
NOTHING_MEASURED = (
    "Figures of simulated builders were not measured: no build was made. The cache model says "
    "which steps hit, from the Dockerfile, the context and what was built before; a step that only "
    "the bytes made by a RUN can decide counts as a miss, unless the recorded run has it as a hit. "
    "The seconds of a step are the median that it took in the recorded run, those of a build "
    "follow from its steps, and what a build takes beside them is a median too. Image sizes are "
    "unknown."
)


def mark(setup: Setup) -> str:
    """Return what goes before every sentence and title about a simulated setup."""
    return f"{MARK}: " if is_simulated(setup.builder) else ""


def source_of(run: RunInfo) -> str:
    """Say where the seconds of a simulated run come from; empty for a real one."""
    simulation = run.simulation
    if simulation is None:
        return ""
    if not simulation.times_run:
        return "seconds are flat guesses per instruction"
    share = simulation.recorded_share
    known = "" if share is None or share == 1 else f", {share:.0%} of that very instruction"
    return (
        f"seconds are medians of the recorded run {simulation.times_run} "
        f"(engine {simulation.times_engine}{known})"
    )


def simulated_remarks(dataset: Dataset) -> list[str]:
    """Say what a simulation is worth, and that it is kept apart from what was measured."""
    simulated = [setup for setup in setups(dataset) if is_simulated(setup.builder)]
    if not simulated:
        return []
    sources = dict.fromkeys(filter(None, (source_of(run) for run in dataset.runs)))
    seconds = "; ".join(sources) or "where the seconds come from is not recorded"
    remarks = [
        f"{MARK}: no build was made for the builders {', '.join(one.builder for one in simulated)}"
        f". Hits and misses are what the cache model says; {seconds}, without scatter, "
        "so an interval says nothing."
    ]
    if len(simulated) < len(setups(dataset)):
        remarks.append(
            "These runs are real ones and simulated ones: they are shown side by side and never "
            "put into one figure."
        )
    return remarks
