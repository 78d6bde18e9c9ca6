"""Records of builds made by hand, and run folders of them."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bench.builders.protocol import BuildOutcome, Step, StepOutcome
from bench.journal import BuildRecord, Journal

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


def made(
    stage_index: int, step: int, text: str, outcome: str, *, stage: str = "0", **more: Any
) -> Step:
    keyword = text.partition(" ")[0]
    return Step(
        stage, stage_index, step, step, keyword, text, StepOutcome(outcome), 0.5, 0.0, **more
    )


EDITED = (
    made(0, 1, "FROM busybox", "base"),
    made(0, 2, "WORKDIR /src", "hit", predicted="hit"),
    made(
        0,
        3,
        "COPY . .",
        "miss",
        predicted="miss",
        reason="file-content",
        reason_detail="README.md changed",
    ),
    made(
        0,
        4,
        "RUN make",
        "miss",
        predicted="miss",
        reason="parent-missed",
        reason_detail="a step before it missed",
    ),
)
"""A build after an edit of the README."""
HITS = tuple(
    replace(step, outcome=StepOutcome.HIT, predicted="hit", reason=None, reason_detail=None)
    if step.outcome is StepOutcome.MISS
    else step
    for step in EDITED
)
UNEXPLAINED = tuple(
    replace(step, predicted=None, reason=None, reason_detail=None) for step in EDITED
)
"""The same build, as a version recorded it that predicted nothing."""


def record(number: int = 0, steps: Iterable[Step] = EDITED, **more: Any) -> BuildRecord:
    steps = tuple(steps)
    values: dict[str, Any] = {
        "run": "r",
        "build": number,
        "scenario": "shop",
        "variant": "as-written",
        "builder": "buildkit",
        "round": 0,
        "position": 1,
        "phase": "change",
        "change": "edit-readme",
        "outcome": BuildOutcome.OK,
        "wall_seconds": 1.25,
        "context_seconds": 0.5,
        "context_bytes": 10,
        "hits": sum(step.outcome is StepOutcome.HIT for step in steps),
        "misses": sum(step.outcome is StepOutcome.MISS for step in steps),
        "image_id": "sha256:0",
        "image_bytes": 5,
        "new_layer_bytes": None,
        "started_at": "2026-01-01T00:00:00.000+00:00",
        "steps": steps,
        "changed_paths": ("README.md",),
    }
    return BuildRecord(**{**values, **more})


def write_run(folder: Path, records: Iterable[BuildRecord]) -> Path:
    """Write a run folder with these builds."""
    folder.mkdir(parents=True, exist_ok=True)
    head = {
        "format": 1,
        "run": "r",
        "scenario": "shop",
        "scenario_path": "scenarios/shop",
        "baseline": "as-written",
        "engine": {"version": "28.5.2", "image_store": "graphdriver"},
    }
    (folder / "run.json").write_text(json.dumps(head))
    journal = Journal(folder)
    for one in records:
        journal.append(one)
    return folder
