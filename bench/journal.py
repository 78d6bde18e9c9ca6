"""The append-only record of a run: one line per build, synced before the next build starts."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from bench.builders.protocol import BuildOutcome, StageTiming, Step, StepOutcome
from bench.errors import RecordsError
from bench.noise import Noise

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

JOURNAL_NAME = "journal.jsonl"


@dataclass(frozen=True)
class Disagreement:
    """A step that did other than the cache model had said for certain.

    ``predicted`` and ``observed`` are outcomes; ``detail`` says in words what does not fit.
    """

    stage: str
    stage_index: int
    step: int
    text: str
    predicted: str
    observed: str
    detail: str = ""


@dataclass(frozen=True)
class BuildRecord:
    """One build of a run, as it stands in the journal: the columns of ``builds.csv`` and more.

    ``build`` numbers the records of a run from 0, ``position`` the place inside its round.
    ``round`` is -1 for cold builds and warm-ups. ``changed_paths`` are the context paths in
    which the manifest differs from the build before. ``disagreements`` are the steps that the
    cache model was wrong about.
    """

    run: str
    build: int
    scenario: str
    variant: str
    builder: str
    round: int
    position: int
    phase: str
    change: str
    outcome: BuildOutcome
    wall_seconds: float
    context_seconds: float
    context_bytes: int
    hits: int
    misses: int
    image_id: str | None
    image_bytes: int | None
    new_layer_bytes: int | None
    started_at: str
    steps: tuple[Step, ...] = ()
    stages: tuple[StageTiming, ...] = ()
    noise: Noise = field(default_factory=Noise)
    changed_paths: tuple[str, ...] = ()
    error: str = ""
    log_tail: tuple[str, ...] = ()
    disagreements: tuple[Disagreement, ...] = ()

    def to_json(self) -> str:
        """Return the record as one line of ASCII JSON.

        File names that are not UTF-8 are held with surrogates, which no encoding takes.
        """
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def from_json(cls, line: str) -> BuildRecord:
        """Read a record back.

        Raises:
            ValueError, KeyError, TypeError: the line is not such a record.

        """
        raw: dict[str, Any] = json.loads(line)
        raw["outcome"] = BuildOutcome(raw["outcome"])
        raw["steps"] = tuple(
            Step(**{**step, "outcome": StepOutcome(step["outcome"])}) for step in raw["steps"]
        )
        raw["stages"] = tuple(StageTiming(**stage) for stage in raw["stages"])
        raw["noise"] = Noise(**raw["noise"])
        raw["changed_paths"] = tuple(raw["changed_paths"])
        raw["log_tail"] = tuple(raw["log_tail"])
        # Records of versions that predicted nothing have none.
        raw["disagreements"] = tuple(Disagreement(**one) for one in raw.get("disagreements", ()))
        return cls(**raw)


class Journal:
    """Appends records to ``journal.jsonl`` of a run folder; each is on the disk when it returns."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / JOURNAL_NAME
        _drop_torn_line(self.path)

    def append(self, record: BuildRecord) -> None:
        """Write one record and sync it.

        Raises:
            RecordsError: the disk is full or the folder cannot be written.

        """
        line = (record.to_json() + "\n").encode()
        try:
            with self.path.open("ab") as file:
                file.write(line)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise RecordsError(
                f"{self.path}: cannot write the record of build {record.build}: {error.strerror}",
                remedy="make room or choose another --out; what was measured before is kept, "
                "and bench run --resume goes on from it",
            ) from error


def _drop_torn_line(path: Path) -> None:
    """Cut a last line that a killed run left half written, so that the next one stands alone."""
    if not path.exists():
        return
    content = path.read_bytes()
    whole = content.rfind(b"\n") + 1
    if whole < len(content):
        os.truncate(path, whole)


def read_journal(folder: Path) -> Iterator[BuildRecord]:
    """Yield the records of a run folder in the order they were made; a torn last line is dropped.

    Raises:
        RecordsError: the journal is missing, or a line that is not the last is corrupted.

    """
    path = folder / JOURNAL_NAME
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        raise RecordsError(
            f"{path}: cannot read the journal: {error.strerror}",
            remedy="name the folder of a run (it holds run.json and journal.jsonl)",
        ) from error
    for number, line in enumerate(lines[:-1], start=1):
        try:
            yield BuildRecord.from_json(line.decode())
        except (ValueError, KeyError, TypeError) as error:
            raise RecordsError(
                f"{path}:{number}: this line is not a build record ({error})",
                remedy="remove the line; the other builds are unharmed",
            ) from error
