"""The three tidy tables of a run and their CSV files."""

from __future__ import annotations

import os
import tempfile
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from bench.errors import RecordsError
from bench.noise import Noise

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bench.journal import BuildRecord

NOISE_COLUMNS = tuple(field.name for field in fields(Noise))

_TEXT, _INT, _FLOAT, _MAYBE_INT, _MAYBE_TEXT = "str", "int64", "float64", "Int64", "maybe-str"
_KEYS = {"scenario": _TEXT, "variant": _TEXT, "builder": _TEXT}

_BUILD_TYPES: dict[str, str] = {
    "run": _TEXT,
    **_KEYS,
    "round": _INT,
    "position": _INT,
    "phase": _TEXT,
    "change": _TEXT,
    "outcome": _TEXT,
    "wall_seconds": _FLOAT,
    "context_seconds": _FLOAT,
    "context_bytes": _INT,
    "hits": _INT,
    "misses": _INT,
    "image_id": _MAYBE_TEXT,
    "image_bytes": _MAYBE_INT,
    "new_layer_bytes": _MAYBE_INT,
    "started_at": _TEXT,
    **{name: _MAYBE_INT if name == "image_count" else _FLOAT for name in NOISE_COLUMNS},
    # ``build`` joins this table to the other two; ``engine`` keeps merged runs apart.
    "build": _INT,
    "engine": _TEXT,
}
_PART_TYPES = {
    "run": _TEXT,
    "build": _INT,
    **_KEYS,
    "round": _INT,
    "phase": _TEXT,
    "change": _TEXT,
    "stage": _TEXT,
    "stage_index": _INT,
}
_STEP_TYPES: dict[str, str] = {
    **_PART_TYPES,
    "step": _INT,
    "line": _INT,
    "instruction": _TEXT,
    "text": _TEXT,
    "outcome": _TEXT,
    "seconds": _FLOAT,
    "offset_seconds": _FLOAT,
    # Filled by the cache model and the explainer; empty where they did not run.
    "reason": _MAYBE_TEXT,
    "reason_detail": _MAYBE_TEXT,
    "predicted": _MAYBE_TEXT,
    "engine": _TEXT,
}
_STAGE_TYPES: dict[str, str] = {
    **_PART_TYPES,
    "busy_seconds": _FLOAT,
    "span_seconds": _FLOAT,
    "critical_seconds": _FLOAT,
    "hits": _INT,
    "misses": _INT,
    "engine": _TEXT,
}

BUILD_COLUMNS = tuple(_BUILD_TYPES)
STEP_COLUMNS = tuple(_STEP_TYPES)
STAGE_COLUMNS = tuple(_STAGE_TYPES)


@dataclass(frozen=True)
class Tables:
    """One row per build, per step of a build, and per stage of a build."""

    builds: pd.DataFrame
    steps: pd.DataFrame
    stages: pd.DataFrame

    def named(self) -> tuple[tuple[str, pd.DataFrame], ...]:
        """Return each table with the name of its file."""
        return (
            ("builds.csv", self.builds),
            ("steps.csv", self.steps),
            ("stages.csv", self.stages),
        )


_TYPES: dict[str, dict[str, str]] = {
    "builds.csv": _BUILD_TYPES,
    "steps.csv": _STEP_TYPES,
    "stages.csv": _STAGE_TYPES,
}


def tables_of(records: Iterable[BuildRecord], engine: str = "") -> Tables:
    """Spread build records over the three tables; ``engine`` goes into each row."""
    builds: list[dict[str, Any]] = []
    steps: list[dict[str, Any]] = []
    stages: list[dict[str, Any]] = []
    for record in records:
        head = {name: getattr(record, name) for name in _PART_TYPES if hasattr(record, name)}
        head["engine"] = engine
        noise = asdict(record.noise)
        own = {name: getattr(record, name) for name in BUILD_COLUMNS if hasattr(record, name)}
        builds.append({**own, **noise, **head, "outcome": record.outcome.value})
        steps.extend(
            {**head, **asdict(step), "outcome": step.outcome.value} for step in record.steps
        )
        stages.extend({**head, **asdict(stage)} for stage in record.stages)
    return Tables(
        builds=_frame(builds, _BUILD_TYPES),
        steps=_frame(steps, _STEP_TYPES),
        stages=_frame(stages, _STAGE_TYPES),
    )


def write_tables(tables: Tables, folder: Path) -> tuple[Path, ...]:
    """Write builds.csv, steps.csv and stages.csv, each whole or not at all.

    Raises:
        RecordsError: the folder cannot be written.

    """
    return tuple(write_csv(frame, folder / name) for name, frame in tables.named())


def write_csv(frame: pd.DataFrame, path: Path) -> Path:
    """Write one table beside its place and move it there, so no reader meets half a file.

    Raises:
        RecordsError: the folder cannot be written.

    """
    return write_atomically(path, frame.to_csv(index=False, lineterminator="\n").encode())


def write_atomically(path: Path, content: bytes) -> Path:
    """Put ``content`` at ``path``, whole or not at all, with the usual mode of a new file.

    Raises:
        RecordsError: the folder cannot be written.

    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise _cannot_write(path, error) from error
    draft = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        draft.chmod(0o644)  # mkstemp makes it private; a report is there to be read
        draft.replace(path)
    except OSError as error:
        raise _cannot_write(path, error) from error
    finally:
        draft.unlink(missing_ok=True)
    return path


def read_tables(folder: Path) -> Tables:
    """Read the three files back, with the types they were written from.

    Raises:
        RecordsError: a file is missing or lacks a column.

    """
    builds, steps, stages = (_read(folder / name, types) for name, types in _TYPES.items())
    return Tables(builds=builds, steps=steps, stages=stages)


def concatenated(parts: Sequence[Tables]) -> Tables:
    """Put the tables of several runs under each other."""
    return Tables(
        builds=_joined([part.builds for part in parts], _BUILD_TYPES),
        steps=_joined([part.steps for part in parts], _STEP_TYPES),
        stages=_joined([part.stages for part in parts], _STAGE_TYPES),
    )


def _joined(frames: list[pd.DataFrame], types: Mapping[str, str]) -> pd.DataFrame:
    return _typed(pd.concat(frames, ignore_index=True), types)


def _frame(rows: list[dict[str, Any]], types: Mapping[str, str]) -> pd.DataFrame:
    return _typed(pd.DataFrame(rows, columns=list(types)), types)


def _typed(frame: pd.DataFrame, types: Mapping[str, str]) -> pd.DataFrame:
    columns = {}
    for name, kind in types.items():
        if kind == _TEXT:
            columns[name] = frame[name].fillna("").astype("str")
        elif kind == _MAYBE_TEXT:
            columns[name] = frame[name].astype("string")
        else:
            columns[name] = pd.to_numeric(frame[name]).astype(kind)  # type: ignore[call-overload]
    return pd.DataFrame(columns, columns=list(types))


def _read(path: Path, types: Mapping[str, str]) -> pd.DataFrame:
    remedy = "bench report RUN writes the tables again from the journal"
    texts = {_TEXT, _MAYBE_TEXT}
    try:
        # A variant may be called NA or None: only an empty field means "missing".
        frame = pd.read_csv(
            path,
            dtype={name: "string" for name, kind in types.items() if kind in texts},
            keep_default_na=False,
            na_values=[""],
            lineterminator="\n",
        )
        return _typed(frame, types)
    except OSError as error:
        raise RecordsError(f"{path}: cannot read: {error.strerror}", remedy=remedy) from error
    except KeyError as error:
        raise RecordsError(f"{path}: has no column {error}", remedy=remedy) from error
    except (ValueError, TypeError) as error:
        raise RecordsError(f"{path}: not such a table: {error}", remedy=remedy) from error


def _cannot_write(path: Path, error: OSError) -> RecordsError:
    return RecordsError(
        f"{path}: cannot write: {error.strerror}",
        remedy="make room or choose another folder with --out",
    )
