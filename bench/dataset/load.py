"""Run folders read together: unlike engines are kept apart, unlike Dockerfiles are refused."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import pandas as pd

from bench.builders.protocol import BuildOutcome
from bench.dataset.predictions import (
    PredictionCounts,
    WrongPrediction,
    count_predictions,
    wrong_predictions,
)
from bench.dataset.run import RunInfo, read_run
from bench.dataset.tables import Tables, concatenated, tables_of
from bench.errors import RecordsError, UsageError
from bench.journal import read_journal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

# What makes two engines of the same version unlike: their seconds must not be pooled.
_MACHINE = ("storage_driver", "data_root_filesystem", "kernel", "cpu_model", "cpus", "memory_bytes")


@dataclass(frozen=True)
class Failure:
    """A build that ended without an image; a row of the tables, never scored."""

    run: str
    build: int
    engine: str
    variant: str
    builder: str
    round: int
    phase: str
    change: str
    outcome: str
    error: str
    log_tail: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Dataset:
    """Runs with their tables. ``engines`` gives each run the name its rows carry.

    ``predictions`` counts how often the cache model was right, by run; a run that predicted
    nothing is not there, and one that was simulated by that very model neither.

    A dataset is never changed, so it is compared and cached by identity.
    """

    runs: tuple[RunInfo, ...]
    engines: dict[str, str]
    tables: Tables
    failures: tuple[Failure, ...]
    predictions: Mapping[str, PredictionCounts] = field(default_factory=dict)
    disagreements: tuple[WrongPrediction, ...] = ()

    @cached_property
    def scored(self) -> pd.DataFrame:
        """The builds that count: rebuilds after a change that ended well and were not excluded."""
        return self._counting("change")

    @cached_property
    def cold(self) -> pd.DataFrame:
        """Cold builds that ended well and were not excluded."""
        return self._counting("cold")

    @cached_property
    def controls(self) -> pd.DataFrame:
        """Rebuilds without a change that ended well and were not excluded."""
        return self._counting("control")

    def _counting(self, phase: str) -> pd.DataFrame:
        builds = self.tables.builds
        left_out = {(run.run, number) for run in self.runs for number in run.excluded_builds}
        counts = [key not in left_out for key in zip(builds["run"], builds["build"], strict=True)]
        ended = builds["outcome"] == BuildOutcome.OK.value
        chosen = builds[(builds["phase"] == phase) & ended & pd.Series(counts, index=builds.index)]
        # A resumed run may have made a cell twice; the later build stands. Of cold builds and
        # controls a round holds several, so only their position tells them apart.
        cell = ["run", "builder", "variant", "change", "round"]
        cell += [] if phase == "change" else ["position"]
        return chosen.drop_duplicates(cell, keep="last").reset_index(drop=True)

    def of_scenario(self, scenario: str) -> Dataset:
        """Return the part that belongs to one scenario."""
        runs = tuple(run for run in self.runs if run.scenario == scenario)
        names = {run.run for run in runs}

        def kept(frame: pd.DataFrame) -> pd.DataFrame:
            return frame[frame["run"].isin(names)].reset_index(drop=True)

        tables = self.tables
        return Dataset(
            runs=runs,
            engines={run: engine for run, engine in self.engines.items() if run in names},
            tables=Tables(kept(tables.builds), kept(tables.steps), kept(tables.stages)),
            failures=tuple(failure for failure in self.failures if failure.run in names),
            predictions={run: one for run, one in self.predictions.items() if run in names},
            disagreements=tuple(one for one in self.disagreements if one.run in names),
        )


def load_dataset(folders: Sequence[Path]) -> Dataset:
    """Read run folders into one dataset.

    Raises:
        RecordsError: a folder is no run, its records are damaged, or it holds no build yet.
        UsageError: the same run is named twice, or two runs use one variant name for two texts.

    """
    runs = tuple(read_run(folder) for folder in folders)
    _refuse_twice(runs)
    _refuse_unlike_variants(runs)
    engines = _engine_names(runs)
    parts: list[Tables] = []
    failures: list[Failure] = []
    predictions: dict[str, PredictionCounts] = {}
    disagreements: list[WrongPrediction] = []
    for run in runs:
        records = list(read_journal(run.folder))
        if not records:
            raise RecordsError(
                f"{run.folder}: this run has no builds yet",
                remedy=f"bench run --resume {run.folder} goes on with it",
            )
        parts.append(tables_of(records, engines[run.run]))
        counts = None if run.simulation is not None else count_predictions(records)
        if counts is not None:
            predictions[run.run] = counts
        disagreements += wrong_predictions(records, engines[run.run])
        failures += [
            Failure(
                run=record.run,
                build=record.build,
                engine=engines[run.run],
                variant=record.variant,
                builder=record.builder,
                round=record.round,
                phase=record.phase,
                change=record.change,
                outcome=record.outcome.value,
                error=record.error,
                log_tail=record.log_tail,
            )
            for record in records
            if record.outcome is not BuildOutcome.OK
        ]
    return Dataset(
        runs, engines, concatenated(parts), tuple(failures), predictions, tuple(disagreements)
    )


def _refuse_twice(runs: Sequence[RunInfo]) -> None:
    folders: dict[str, Path] = {}
    for run in runs:
        if run.run in folders:
            raise UsageError(
                f"{run.folder}: the run {run.run} is already read from {folders[run.run]}",
                remedy="name each run once",
            )
        folders[run.run] = run.folder


def _refuse_unlike_variants(runs: Sequence[RunInfo]) -> None:
    first: dict[tuple[str, str], tuple[str, RunInfo]] = {}
    for run in runs:
        for variant in run.variants:
            text, origin = first.setdefault(
                (run.scenario, variant.name), (variant.dockerfile_text, run)
            )
            if text != variant.dockerfile_text:
                raise UsageError(
                    f"{run.folder}: variant {variant.name} of {run.scenario} has another "
                    f"Dockerfile than in {origin.folder}",
                    remedy="report the two runs apart, or measure both again",
                )


def _engine_names(runs: Sequence[RunInfo]) -> dict[str, str]:
    """Name each run's engine; the same version on unlike machines gets unlike names."""
    names: dict[str, str] = {}
    for run in runs:
        alike = [other for other in runs if other.engine.label == run.engine.label]
        unlike = [
            field
            for field in _MACHINE
            if len({getattr(other.engine, field) for other in alike}) > 1
        ]
        facts = ", ".join(f"{field} {getattr(run.engine, field)}" for field in unlike)
        names[run.run] = f"{run.engine.label} ({facts})" if facts else run.engine.label
    return names
