"""The timeline: when every step of one build ran, stage by stage."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd
from matplotlib.ticker import MaxNLocator

from bench.report import lettering, names
from bench.report.compare import Setup, baseline_of, changes_of, variants_of
from bench.report.heatmap import (
    CELL_HEIGHT,
    label_lines,
    lines_of,
    pages,
    panel_title,
    variant_title,
)
from bench.report.palette import FAINT, GRID, INK, OUTCOMES, PAPER, Look
from bench.report.rows import Row
from bench.report.sheet import SMALL, TEXT, Box, Caption, Entry, Sheet

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from bench.dataset import Dataset

COLD = "cold"
_WIDTH = 5.2
_TALLEST = 30.0
_TIMED = ("hit", "miss", "failed")
_END = Entry(Look(INK, ink=INK, meaning="end of the build"), "line")
# Shorter than this share of the axis, a bar is a mark one could not see.
_VISIBLE = 0.006


@dataclass(frozen=True)
class Lane:
    """The steps of one build: ``steps`` of the tables, and how long the build took in all."""

    variant: str
    steps: pd.DataFrame
    wall_seconds: float


def chosen_change(dataset: Dataset) -> str | None:
    """Return the change worth a timeline: the first a verdict asks for, else the heaviest."""
    changes = changes_of(dataset)
    for run in dataset.runs:
        for verdict in run.verdicts:
            if verdict.change in changes:
                return verdict.change
    weights = {change.name: change.weight for run in dataset.runs for change in run.changes}
    return max(changes, key=lambda change: weights.get(change, 0.0), default=None)


def lanes(dataset: Dataset, setup: Setup, column: str) -> list[Lane]:
    """Return one build of each variant: of its builds the one whose time is the median."""
    builds = dataset.cold if column == COLD else dataset.scored
    own = builds[(builds["builder"] == setup.builder) & (builds["engine"] == setup.engine)]
    own = own if column == COLD else own[own["change"] == column]
    found = []
    for variant in variants_of(dataset):
        walls = own[own["variant"] == variant].sort_values("wall_seconds")
        if walls.empty:
            continue
        chosen = walls.iloc[(len(walls) - 1) // 2]
        steps = dataset.tables.steps
        mine = steps[(steps["run"] == chosen["run"]) & (steps["build"] == chosen["build"])]
        found.append(Lane(variant, mine.reset_index(drop=True), float(chosen["wall_seconds"])))
    return found


def timelines(dataset: Dataset, setup: Setup, caption: Caption, column: str) -> list[Figure]:
    """Draw the timeline of one build of each variant; all panels share one scale."""
    shown = lanes(dataset, setup, column)
    if not shown:
        return []
    lines = [lines_of(_rows(lane.steps)) for lane in shown]
    left = 0.12 + lettering.widest([line.text for own in lines for line in own], SMALL, mono=True)
    boxes = [Box(_WIDTH, len(own) * CELL_HEIGHT, max(left, 2.2), 0.3, 0.42, 0.55) for own in lines]
    limit = max(_end(lane) for lane in shown) * 1.12
    present = {outcome for lane in shown for outcome in lane.steps["outcome"]}
    legend = [
        *(
            Entry(_plain(look), "diamond" if outcome == "hit" else "swatch")
            for outcome, look in OUTCOMES.items()
            if outcome in present and outcome in _TIMED
        ),
        _END,
    ]
    figures = []
    for chosen in pages(boxes, 1, _TALLEST):
        sheet = Sheet(caption, legend, [boxes[place] for place in chosen], 1)
        for axes, place in zip(sheet.panels, chosen, strict=True):
            _draw(axes, shown[place], limit)
            label_lines(axes, lines[place], boxes[place].left)
            title = variant_title(shown[place].variant, baseline_of(dataset))
            panel_title(axes, boxes[place], title)
        figures.append(sheet.figure)
    return figures


def _plain(look: Look) -> Look:
    """Return a look for bars, which carry seconds instead of a mark."""
    meaning = "miss" if look.meaning.startswith("miss") else look.meaning
    return Look(look.fill, look.hatch, ink=INK, meaning=meaning)


def _rows(steps: pd.DataFrame) -> list[Row]:
    return [
        Row(str(stage), int(index), int(step), str(instruction), str(text))
        for stage, index, step, instruction, text in zip(
            steps["stage"],
            steps["stage_index"],
            steps["step"],
            steps["instruction"],
            steps["text"],
            strict=True,
        )
    ]


def _end(lane: Lane) -> float:
    ends = (lane.steps["offset_seconds"] + lane.steps["seconds"]).dropna()
    return max([lane.wall_seconds, *(float(end) for end in ends)])


def _draw(axes: Axes, lane: Lane, limit: float) -> None:
    lines = lines_of(_rows(lane.steps))
    for place, line in enumerate(lines):
        if line.row >= 0:
            _draw_step(axes, place + 0.5, lane.steps.iloc[line.row], (limit, lane.wall_seconds))
        else:
            axes.axhline(place, color=GRID, linewidth=0.8)
    axes.axvline(lane.wall_seconds, color=INK, linewidth=1)
    axes.text(
        lane.wall_seconds + limit * 0.01,
        0.5,
        names.seconds(lane.wall_seconds),
        size=SMALL,
        weight="bold",
        va="center_baseline",
    )
    axes.set(xlim=(0, limit), ylim=(len(lines), 0))
    axes.xaxis.set_major_locator(MaxNLocator(7))
    axes.tick_params(axis="x", labelsize=SMALL, length=3)
    axes.set_xlabel("seconds since the build's first event", fontsize=TEXT, labelpad=2)
    axes.grid(axis="x", color=GRID, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines["left"].set_visible(False)


def _draw_step(axes: Axes, height: float, step: pd.Series, ends: tuple[float, float]) -> None:
    limit, wall = ends
    outcome, look = str(step["outcome"]), OUTCOMES[str(step["outcome"])]
    began = 0.0 if pd.isna(step["offset_seconds"]) else float(step["offset_seconds"])
    took = 0.0 if pd.isna(step["seconds"]) else float(step["seconds"])
    if outcome == "hit":
        axes.plot(
            [began],
            [height],
            "D",
            markersize=4,
            markerfacecolor=look.fill,
            markeredgecolor=INK,
            markeredgewidth=0.6,
            clip_on=False,
        )
        return
    if outcome not in _TIMED:
        text = {"base": "base image", "config": "config only"}.get(outcome, look.meaning)
        axes.text(limit * 0.01, height, text, size=SMALL - 0.5, color=FAINT, va="center_baseline")
        return
    axes.barh(
        height,
        max(took, limit * _VISIBLE),
        left=began,
        height=0.7,
        color=look.fill,
        edgecolor=PAPER,
        linewidth=0.3,
    )
    # The line that ends the build must not run through the number: then it stands before the bar,
    # or inside one that begins too early for that.
    text = names.seconds(took)
    wide = (lettering.width(text, SMALL - 0.5) + 0.12) / _WIDTH * limit
    end = began + max(took, limit * _VISIBLE)
    crossed = end <= wall < end + wide
    inside = crossed and took > wide
    before = crossed and not inside and began > wide
    gap = limit * 0.01
    axes.text(
        end - gap if inside else began - gap if before else end + gap,
        height,
        text,
        size=SMALL - 0.5,
        color=PAPER if inside else INK,
        ha="right" if inside or before else "left",
        va="center_baseline",
    )
