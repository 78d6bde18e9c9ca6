"""How long a plan will take, judged by an earlier run of the same scenario."""

from __future__ import annotations

from collections import defaultdict
from statistics import median
from typing import TYPE_CHECKING

from bench.builders.names import is_simulated
from bench.errors import RecordsError
from bench.journal import JOURNAL_NAME, read_journal
from bench.runner.plan import Phase

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from bench.journal import BuildRecord
    from bench.runner.plan import PlannedBuild

# What a build costs beside the builder's own time (packing, salting, records), measured with
# `bench run scenarios/hello-stages`: the run's wall time less the sum of its builds'.
_OVERHEAD_SECONDS = 0.15


def estimate_seconds(scenario: str, builds: Sequence[PlannedBuild], results: Path) -> float | None:
    """Return the seconds that ``builds`` will take, or None if no earlier run tells.

    The newest run of ``scenario`` below ``results`` counts. Each build is taken to last as long
    as the median of its kind there, else of its phase. A simulated build takes no time of its own.
    """
    if all(is_simulated(build.builder) for build in builds):
        return len(builds) * _OVERHEAD_SECONDS
    records = _newest_records(scenario, results)
    if not records:
        return None
    medians = _medians(records)
    total = 0.0
    for build in builds:
        phase = Phase.CONTROL if build.phase is Phase.WARMUP else build.phase
        seconds = medians.get((phase, build.variant, build.builder, build.change))
        if seconds is None:
            seconds = medians.get((phase, "", "", ""), 0.0)
        total += seconds + _OVERHEAD_SECONDS
    return total


def _newest_records(scenario: str, results: Path) -> list[BuildRecord]:
    journals = sorted(
        results.glob(f"**/{JOURNAL_NAME}"), key=lambda path: path.stat().st_mtime, reverse=True
    )
    for journal in journals:
        try:
            records = list(read_journal(journal.parent))
        except RecordsError:
            continue  # a broken run is no reason not to plan a new one
        if records and records[0].scenario == scenario:
            return records
    return []


def _medians(records: Iterable[BuildRecord]) -> dict[tuple[str, str, str, str], float]:
    seconds: dict[tuple[str, str, str, str], list[float]] = defaultdict(list)
    for record in records:
        own = record.wall_seconds + record.context_seconds
        seconds[record.phase, record.variant, record.builder, record.change].append(own)
        seconds[record.phase, "", "", ""].append(own)
    return {key: median(values) for key, values in seconds.items()}
