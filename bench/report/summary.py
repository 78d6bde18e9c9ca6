"""The answers as data: a table for a spreadsheet, a document for a script."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.report.answer import Answer
    from bench.report.compare import Comparison
    from bench.stats import Summary

_SUMMARY = ("median", "low", "high", "confidence", "n")
COMPARISON_COLUMNS = (
    "scenario",
    "builder",
    "engine",
    "baseline",
    "variant",
    "change",
    "weight",
    "pairs",
    "hits_gained_min",
    "hits_gained_max",
    *(
        f"{name}_{part}"
        for name in ("seconds_baseline", "seconds_variant", "seconds_gained")
        for part in _SUMMARY
    ),
    "new_layer_bytes_baseline",
    "new_layer_bytes_variant",
)


def comparisons_frame(answers: Sequence[Answer]) -> pd.DataFrame:
    """Return one row per setup, variant and change: each variant against the baseline."""
    rows = [_row(answer.scenario, item) for answer in answers for item in answer.comparisons]
    return pd.DataFrame(rows, columns=list(COMPARISON_COLUMNS))


def as_document(answers: Sequence[Answer]) -> dict[str, Any]:
    """Return the answers as plain data, as ``bench report --json`` prints them."""
    return {"format": 1, "answers": [asdict(answer) for answer in answers]}


def _row(scenario: str, item: Comparison) -> dict[str, Any]:
    row: dict[str, Any] = {
        "scenario": scenario,
        "builder": item.setup.builder,
        "engine": item.setup.engine,
        "baseline": item.baseline,
        "variant": item.variant,
        "change": item.change,
        "weight": item.weight,
        "pairs": item.pairs,
        "hits_gained_min": min(item.hits_gained, default=None),
        "hits_gained_max": max(item.hits_gained, default=None),
        "new_layer_bytes_baseline": item.bytes_baseline,
        "new_layer_bytes_variant": item.bytes_variant,
    }
    for name, summary in (
        ("seconds_baseline", item.seconds_baseline),
        ("seconds_variant", item.seconds_variant),
        ("seconds_gained", item.seconds_gained),
    ):
        row |= _summary(name, summary)
    return row


def _summary(name: str, summary: Summary | None) -> dict[str, Any]:
    if summary is None:
        return {}
    return {f"{name}_{part}": getattr(summary, part) for part in _SUMMARY}
