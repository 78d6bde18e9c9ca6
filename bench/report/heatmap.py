"""The heat map: what happened to every instruction of every variant under every change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd
from matplotlib.patches import Rectangle

from bench.report import lettering, names
from bench.report.compare import Setup, baseline_of, changes_of
from bench.report.palette import FAINT, INK, OUTCOMES, PAPER
from bench.report.rows import Row, outcomes, rows_of
from bench.report.sheet import SMALL, TEXT, Box, Caption, Entry, Sheet

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from bench.dataset import Dataset

CELL_WIDTH, CELL_HEIGHT = 0.58, 0.215
LABEL_LENGTH = 46
_TALLEST = 30.0
_WIDEST = 13.0
_SLANT = 0.72  # sine and cosine of the 45 degrees the column labels stand at, a little over


@dataclass(frozen=True)
class Line:
    """A line of a panel: a stage's heading (``row`` -1) or an instruction."""

    text: str
    row: int


def heatmap_frame(dataset: Dataset, setup: Setup) -> pd.DataFrame:
    """Return the cells: variant, row, stage, step, text, column, outcome, counts, n, seconds.

    ``column`` is a change, ``cold`` or ``control``. ``outcome`` is ``mixed`` where the rounds
    disagree; ``counts`` then says how often each outcome came. Cold builds are shown only where
    one failed or nothing else was built, controls only where one missed.
    """
    cells = outcomes(dataset, setup)
    if cells.empty:
        return cells.assign(column=[], outcome=[], stage=[], step=[], text=[])
    rows = rows_of(dataset, setup)
    kept = cells[cells["phase"].isin(_phases(cells))].copy()
    kept["column"] = kept["change"].where(kept["phase"] == "change", kept["phase"])
    kept["outcome"] = [
        next(iter(counts)) if len(counts) == 1 else "mixed" for counts in kept["counts"]
    ]
    places = [rows[variant][row] for variant, row in zip(kept["variant"], kept["row"], strict=True)]
    kept["stage"] = [place.stage for place in places]
    kept["step"] = [place.step for place in places]
    kept["text"] = [place.text for place in places]
    return kept.reset_index(drop=True)


def _phases(cells: pd.DataFrame) -> list[str]:
    phases = ["change"]
    bad = cells["counts"].map(lambda counts: "failed" in counts)
    missed = cells["counts"].map(lambda counts: "miss" in counts or "failed" in counts)
    if bool((bad & (cells["phase"] == "cold")).any()) or "change" not in set(cells["phase"]):
        phases.append("cold")
    if bool((missed & (cells["phase"] == "control")).any()):
        phases.append("control")
    return phases


def heatmaps(dataset: Dataset, setup: Setup, caption: Caption) -> list[Figure]:
    """Draw the heat map of one setup, on as many sheets as it takes."""
    frame = heatmap_frame(dataset, setup)
    if frame.empty:
        return []
    columns = _columns(dataset, frame)
    rows = {
        variant: lines
        for variant, lines in rows_of(dataset, setup).items()
        if variant in set(frame["variant"])
    }
    panels = [
        (variant, lines_of(own), frame[frame["variant"] == variant])
        for variant, own in rows.items()
    ]
    left = 0.12 + lettering.widest(
        [line.text for _, lines, _ in panels for line in lines], SMALL, mono=True
    )
    heading = lettering.widest(columns, TEXT)
    boxes = [
        Box(
            width=len(columns) * CELL_WIDTH,
            height=len(lines) * CELL_HEIGHT,
            left=max(left, 1.6),
            right=max(0.15, heading * _SLANT - CELL_WIDTH / 2 + 0.1),
            top=max(heading * _SLANT + 0.2, 0.55),
            bottom=0.2,
        )
        for _, lines, _ in panels
    ]
    across = max(1, int(_WIDEST // max(box.left + box.width + box.right for box in boxes)))
    figures = []
    for chosen in pages(boxes, across, _TALLEST):
        sheet = Sheet(caption, _legend(frame), [boxes[place] for place in chosen], across)
        for axes, place in zip(sheet.panels, chosen, strict=True):
            variant, lines, cells = panels[place]
            _panel(axes, lines, columns, cells)
            label_lines(axes, lines, boxes[place].left)
            panel_title(axes, boxes[place], variant_title(variant, baseline_of(dataset)))
        figures.append(sheet.figure)
    return figures


def pages(boxes: Sequence[Box], across: int, tallest: float) -> list[list[int]]:
    """Share panels over sheets so that none gets taller than ``tallest`` inches, if it can."""
    sheets: list[list[int]] = [[]]
    used = 0.0
    for start in range(0, len(boxes), across):
        row = list(range(start, min(start + across, len(boxes))))
        height = max(boxes[place].top + boxes[place].height + boxes[place].bottom for place in row)
        if sheets[-1] and used + height > tallest:
            sheets.append([])
            used = 0.0
        sheets[-1] += row
        used += height
    return sheets


def _columns(dataset: Dataset, frame: pd.DataFrame) -> list[str]:
    present = set(frame["column"])
    return [name for name in ("cold", *changes_of(dataset), "control") if name in present]


def lines_of(rows: Sequence[Row]) -> list[Line]:
    """Return the lines of a panel: each stage's heading, then its instructions."""
    last = max(row.stage_index for row in rows)
    lines: list[Line] = []
    above: int | None = None
    for number, row in enumerate(rows):
        if row.stage_index != above:
            lines.append(Line(names.stage_label(row.stage, row.stage_index, last), -1))
            above = row.stage_index
        lines.append(Line(f"{row.step:>2} {names.shortened(row.text, LABEL_LENGTH)}", number))
    return lines


def _panel(axes: Axes, lines: Sequence[Line], columns: Sequence[str], cells: pd.DataFrame) -> None:
    where = {line.row: place for place, line in enumerate(lines) if line.row >= 0}
    place_of = {column: place for place, column in enumerate(columns)}
    for cell in cells.to_dict("records"):
        _cell(axes, place_of[cell["column"]], where[cell["row"]], cell["counts"], cell["seconds"])
    axes.set(xlim=(0, len(columns)), ylim=(len(lines), 0))
    axes.set_xticks([place + 0.5 for place in range(len(columns))])
    axes.set_xticklabels(
        columns, rotation=45, ha="left", rotation_mode="anchor", fontsize=TEXT, color=INK
    )
    axes.tick_params(length=0, top=False, labeltop=True, bottom=False, labelbottom=False, pad=1)
    for spine in axes.spines.values():
        spine.set_visible(False)


def label_lines(axes: Axes, lines: Sequence[Line], left: float) -> None:
    """Write the instructions ``left`` inches before a panel, flush left like code, stages bold."""
    axes.set_yticks([place + 0.5 for place in range(len(lines))])
    axes.set_yticklabels([line.text for line in lines], fontsize=SMALL, fontfamily=_mono())
    axes.tick_params(axis="y", length=0, pad=left * 72)
    for label, line in zip(axes.get_yticklabels(), lines, strict=True):
        label.set_horizontalalignment("left")
        if line.row < 0:
            label.set_fontweight("bold")
            label.set_color(FAINT)


def _mono() -> list[str]:
    return [lettering.MONO, *lettering.fallbacks()]


def _cell(axes: Axes, column: int, line: int, counts: dict[str, int], seconds: float) -> None:
    total = sum(counts.values())
    left = float(column)
    for outcome, count in sorted(counts.items()):
        look = OUTCOMES[outcome]
        wide = count / total
        axes.add_patch(
            Rectangle(
                (left + 0.03 / len(counts), line + 0.05),
                wide - 0.06 / len(counts),
                0.9,
                facecolor=look.fill,
                hatch=look.hatch,
                edgecolor="#B0B0B0" if look.hatch or look.fill == PAPER else look.fill,
                linewidth=0.4,
            )
        )
        axes.text(
            left + wide / 2,
            line + 0.53,
            _cell_text(outcome, count, counts, seconds),
            size=6.8,
            color=look.ink,
            ha="center",
            va="center",
        )
        left += wide


def _cell_text(outcome: str, count: int, counts: dict[str, int], seconds: float) -> str:
    mark = OUTCOMES[outcome].mark
    if len(counts) > 2:
        return ""
    if len(counts) == 2:
        return f"{mark}{count}"
    if outcome == "miss" and not pd.isna(seconds):
        return f"{mark} {cell_seconds(seconds)}"
    return mark


def cell_seconds(seconds: float) -> str:
    """Write seconds in the few letters a cell has room for."""
    return (
        f"{seconds:.0f}"
        if seconds >= 100
        else f"{seconds:.1f}"
        if seconds >= 10
        else f"{seconds:.2f}"
    )


def variant_title(variant: str, baseline: str) -> str:
    """Name a variant, and the baseline as such."""
    return f"{variant} (baseline)" if variant == baseline else variant


def panel_title(axes: Axes, box: Box, text: str) -> None:
    """Write a panel's title over its labels, broken to the room there."""
    lines = lettering.wrapped(text, TEXT + 1, box.left - 0.15, bold=True)
    axes.annotate(
        "\n".join(lines[:3]),
        xy=(0, 1),
        xycoords="axes fraction",
        xytext=(-box.left * 72, 6),
        textcoords="offset points",
        size=TEXT + 1,
        weight="bold",
        va="bottom",
        ha="left",
        annotation_clip=False,
    )


def _legend(frame: pd.DataFrame) -> list[Entry]:
    present = {outcome for counts in frame["counts"] for outcome in counts}
    return [Entry(look) for outcome, look in OUTCOMES.items() if outcome in present]
