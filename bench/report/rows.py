"""The instructions of a variant as rows, and every build's steps put on those rows.

A change may edit the Dockerfile itself: a line gets another text, or a line comes in between and
moves all numbers below it. Rows follow the instructions, not the numbers.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import pandas as pd

from bench.report.compare import variants_of

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    from bench.dataset import Dataset
    from bench.report.compare import Setup

_CELL = ["variant", "row", "phase", "change"]


@dataclass(frozen=True)
class Row:
    """One instruction of a variant, as its unedited Dockerfile has it."""

    stage: str
    stage_index: int
    step: int
    instruction: str
    text: str


@lru_cache(maxsize=32)
def rows_of(dataset: Dataset, setup: Setup) -> Mapping[str, list[Row]]:
    """Return each variant's instructions in Dockerfile order, as its builds on a setup had them."""
    steps = _steps(dataset, setup)
    return {
        variant: _reference(steps[steps["variant"] == variant])
        for variant in variants_of(dataset)
        if variant in set(steps["variant"])
    }


def outcomes(dataset: Dataset, setup: Setup) -> pd.DataFrame:
    """Count the outcomes of each instruction over the rounds, per variant and change.

    Columns: variant, row (place in ``rows_of``), phase, change, counts (outcome to number of
    builds), n, seconds (median over the builds in which it missed, NaN where none did).
    """
    steps = _steps(dataset, setup)
    rows = rows_of(dataset, setup)
    placed = []
    for (_, _), build in steps.groupby(["run", "build"], sort=False):
        reference = rows[str(build["variant"].iloc[0])]
        own = build.assign(row=_placed(reference, build))
        placed.append(own[own["row"] >= 0])
    if not placed:
        return pd.DataFrame(columns=[*_CELL, "counts", "n", "seconds"])
    table = pd.concat(placed, ignore_index=True)
    table["miss_seconds"] = table["seconds"].where(table["outcome"] == "miss")
    cells: list[dict[str, Any]] = []
    for key, group in table.groupby(_CELL, sort=False):
        cells.append(
            {
                **dict(zip(_CELL, _tuple(key), strict=True)),
                "counts": dict(Counter(group["outcome"])),
                "n": len(group),
                "seconds": group["miss_seconds"].median(),
            }
        )
    return pd.DataFrame(cells)


def edited_by(dataset: Dataset, setup: Setup, variant: str) -> dict[str, set[str]]:
    """Return, per change that edits the Dockerfile of a variant, the texts it replaces."""
    steps = _steps(dataset, setup)
    own = steps[(steps["variant"] == variant) & (steps["phase"] == "change")]
    rows = rows_of(dataset, setup).get(variant, [])
    known = {row.text for row in rows}
    edited: dict[str, set[str]] = {}
    for (change, _, _), build in own.groupby(["change", "run", "build"], sort=False):
        texts = set(build["text"])
        if not texts <= known:
            edited.setdefault(str(change), set()).update(known - texts)
    return edited


def moved(baseline: Sequence[Row], variant: Sequence[Row]) -> set[str]:
    """Return the texts that stand in another order than in the baseline, stage by stage."""
    place = {(row.stage_index, row.text): number for number, row in enumerate(variant)}
    shared = [row for row in baseline if (row.stage_index, row.text) in place]
    found = set()
    for number, above in enumerate(shared):
        for below in shared[number + 1 :]:
            same_stage = above.stage_index == below.stage_index
            turned = place[above.stage_index, above.text] > place[below.stage_index, below.text]
            if same_stage and turned:
                found |= {above.text, below.text}
    return found


def same_instructions(baseline: Sequence[Row], variant: Sequence[Row]) -> bool:
    """Whether the variant only orders the baseline's instructions anew."""
    return Counter((row.stage_index, row.text) for row in baseline) == Counter(
        (row.stage_index, row.text) for row in variant
    )


def _steps(dataset: Dataset, setup: Setup) -> pd.DataFrame:
    """Return the steps of a setup's builds, failed ones too: a chart shows where they broke off."""
    steps = dataset.tables.steps
    return steps[(steps["builder"] == setup.builder) & (steps["engine"] == setup.engine)]


def _reference(steps: pd.DataFrame) -> list[Row]:
    """Take the rows from an unedited build: a cold one or a control, else the first of all."""
    unedited = steps[steps["phase"] != "change"]
    chosen = unedited if len(unedited) else steps
    first = chosen[chosen["build"] == chosen["build"].iloc[0]]
    first = first[first["run"] == first["run"].iloc[0]]
    return [
        Row(
            stage=str(step.stage),
            stage_index=int(str(step.stage_index)),
            step=int(str(step.step)),
            instruction=str(step.instruction),
            text=str(step.text),
        )
        for step in first.itertuples()
    ]


def _placed(reference: Sequence[Row], build: pd.DataFrame) -> list[int]:
    """Return the row of each step of a build; -1 for an instruction that an edit brought in."""
    shape = [(row.stage_index, row.instruction) for row in reference]
    own = list(zip(build["stage_index"], build["instruction"], strict=True))
    if own == shape:
        return list(range(len(own)))
    places = [-1] * len(own)
    left = [(row.stage_index, row.text) for row in reference]
    right = list(zip(build["stage_index"], build["text"], strict=True))
    matcher = SequenceMatcher(None, left, right, autojunk=False)
    for kind, start, end, own_start, own_end in matcher.get_opcodes():
        # A replaced line is the same row with another text, as long as lines pair up.
        if kind == "equal" or (kind == "replace" and end - start == own_end - own_start):
            places[own_start:own_end] = range(start, end)
    return places


def _tuple(key: Hashable) -> tuple[Hashable, ...]:
    return key if isinstance(key, tuple) else (key,)
