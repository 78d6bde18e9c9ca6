"""Rebuild seconds against the variant, stacked by the stage that takes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from bench.report import names
from bench.report.bars import LABEL_LENGTH, SAMPLE, Bar, Panel, Part, bar_sheets
from bench.report.compare import Setup, changes_of, variants_of
from bench.report.palette import OUTSIDE, Look, stage_look
from bench.report.sheet import Caption, Entry

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from bench.dataset import Dataset

COLD = "cold"
_LAST_PART = 10**6  # sorts what no stage explains behind every stage


def seconds_frame(dataset: Dataset, setup: Setup) -> pd.DataFrame:
    """Return one row per variant, column (``cold`` or a change) and part of the build.

    Columns: variant, column, part (stage name, or ``outside steps``), stage_index, seconds (the
    median share of the critical path), n. The parts of a bar end at the median of the wall time;
    what the steps do not explain (sending the context, loading, exporting) is ``outside steps``.
    """
    builds = _builds(dataset, setup)
    stages = dataset.tables.stages.merge(builds[["run", "build", "column"]], on=["run", "build"])
    last = stages.groupby("variant")["stage_index"].max()
    rows: list[tuple[str, str, str, int, float, int]] = []
    for _, group in builds.groupby(["variant", "column"], sort=False):
        variant, column = str(group["variant"].iloc[0]), str(group["column"].iloc[0])
        own = stages[(stages["variant"] == variant) & (stages["column"] == column)]
        explained = 0.0
        for _, timings in own.groupby("stage_index"):
            index, share = int(timings["stage_index"].iloc[0]), timings["critical_seconds"].median()
            label = names.stage_label(str(timings["stage"].iloc[0]), index, int(last[variant]))
            rows.append((variant, column, label, index, float(share), len(group)))
            explained += float(share)
        outside = max(0.0, float(group["wall_seconds"].median()) - explained)
        rows.append((variant, column, OUTSIDE.meaning, _LAST_PART, outside, len(group)))
    columns = ["variant", "column", "part", "stage_index", "seconds", "n"]
    return pd.DataFrame(rows, columns=columns)


def seconds_charts(dataset: Dataset, setup: Setup, caption: Caption) -> list[Figure]:
    """Draw rebuild seconds of one setup, one panel per change."""
    frame = seconds_frame(dataset, setup)
    if frame.empty:
        return []
    looks = _looks(frame)
    builds = _builds(dataset, setup)
    panels = []
    for column in [COLD, *changes_of(dataset)]:
        if column not in set(frame["column"]):
            continue
        bars = []
        for variant in variants_of(dataset):
            own = frame[(frame["variant"] == variant) & (frame["column"] == column)]
            walls = builds[(builds["variant"] == variant) & (builds["column"] == column)]
            parts = zip(own["part"], own["seconds"], strict=True)
            bars.append(
                Bar(
                    label=names.shortened(variant, LABEL_LENGTH),
                    parts=tuple(Part(looks[part], float(value)) for part, value in parts),
                    samples=tuple(float(wall) for wall in walls["wall_seconds"]),
                )
            )
        title = "cold build" if column == COLD else column
        panels.append(Panel(title, "wall time of the build, seconds", tuple(bars)))
    legend = [*(Entry(look) for look in looks.values()), SAMPLE]
    return bar_sheets(panels, caption, legend, names.seconds, "{:g}".format)


def _builds(dataset: Dataset, setup: Setup) -> pd.DataFrame:
    builds = pd.concat([dataset.cold, dataset.scored], ignore_index=True)
    own = builds[(builds["builder"] == setup.builder) & (builds["engine"] == setup.engine)]
    return own.assign(column=own["change"].where(own["phase"] == "change", COLD))


def _looks(frame: pd.DataFrame) -> dict[str, Look]:
    """Give each stage one look on the whole sheet, in the order the stages are built."""
    parts = frame.sort_values("stage_index", kind="stable")["part"]
    stages = [part for part in dict.fromkeys(parts) if part != OUTSIDE.meaning]
    looks = {stage: stage_look(place, stage) for place, stage in enumerate(stages)}
    return {**looks, OUTSIDE.meaning: OUTSIDE}
