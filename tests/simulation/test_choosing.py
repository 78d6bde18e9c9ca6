"""Which recorded run is taken where none is named."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.simulation import find_recorded_run
from tests.report.factory import java

if TYPE_CHECKING:
    from pathlib import Path


def write(folder: Path, begun: str, **extra: object) -> Path:
    maker = java(rounds=1, builders=("classic",), extra={"started_at": begun, **extra})
    return maker.write(folder)


def test_the_newest_run_of_the_scenario_counts(tmp_path: Path) -> None:
    write(tmp_path / "a", "2026-01-01")
    newest = write(tmp_path / "deep/b", "2026-03-01")
    write(tmp_path / "c", "2026-02-01")

    assert find_recorded_run("java-iotd", tmp_path) == newest
    assert find_recorded_run("another", tmp_path) is None


def test_a_reference_run_comes_before_a_newer_one(tmp_path: Path) -> None:
    reference = write(tmp_path / "reference/java", "2026-01-01")
    write(tmp_path / "b", "2026-03-01")

    assert find_recorded_run("java-iotd", tmp_path) == reference


def test_simulated_and_broken_runs_are_passed_over(tmp_path: Path) -> None:
    write(tmp_path / "simulated", "2026-03-01", simulation={"times_run": "x"})
    (write(tmp_path / "broken", "2026-04-01") / "run.json").write_text("{")
    (write(tmp_path / "empty", "2026-05-01") / "journal.jsonl").unlink()

    assert find_recorded_run("java-iotd", tmp_path) is None
