"""Which recorded run gives a simulation its times, where the user names none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.dataset import RUN_NAME, read_run
from bench.errors import RecordsError
from bench.journal import JOURNAL_NAME

if TYPE_CHECKING:
    from pathlib import Path

    from bench.dataset import RunInfo

REFERENCE = "reference"
"""The folder of committed runs below the folder of results."""


def find_recorded_run(scenario: str, results: Path) -> Path | None:
    """Return a real run of ``scenario`` below ``results``: a reference run, else the newest."""
    for folder in (results / REFERENCE, results):
        runs = [info for info in _runs(folder) if info.scenario == scenario]
        if runs:
            return max(runs, key=lambda info: info.started_at).folder
    return None


def _runs(folder: Path) -> list[RunInfo]:
    found = []
    for path in sorted(folder.glob(f"**/{RUN_NAME}")):
        if not (path.parent / JOURNAL_NAME).is_file():
            continue
        try:
            info = read_run(path.parent)
        except RecordsError:
            continue  # a broken run is no reason not to use another
        if info.simulation is None:
            found.append(info)
    return found
