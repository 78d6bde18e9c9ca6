"""From run folders to tidy tables: one row per build, per step of a build, per stage of a build."""

from bench.dataset.load import Dataset, Failure, load_dataset
from bench.dataset.predictions import PredictionCounts, WrongPrediction
from bench.dataset.run import RUN_NAME, Engine, RunInfo, VerdictInfo, read_run
from bench.dataset.tables import (
    BUILD_COLUMNS,
    NOISE_COLUMNS,
    STAGE_COLUMNS,
    STEP_COLUMNS,
    Tables,
    read_tables,
    tables_of,
    write_tables,
)

__all__ = [
    "BUILD_COLUMNS",
    "NOISE_COLUMNS",
    "RUN_NAME",
    "STAGE_COLUMNS",
    "STEP_COLUMNS",
    "Dataset",
    "Engine",
    "Failure",
    "PredictionCounts",
    "RunInfo",
    "Tables",
    "VerdictInfo",
    "WrongPrediction",
    "load_dataset",
    "read_run",
    "read_tables",
    "tables_of",
    "write_tables",
]
