"""Horizontal bars, one panel per change: stacked parts, every sample as a dot, the median written.

Each panel has its own scale, from zero: an edit that rebuilds everything would otherwise hide
what the variants do under a small one.
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator

from bench.report import lettering
from bench.report.heatmap import pages
from bench.report.palette import GRID, INK, PAPER, Look
from bench.report.sheet import SMALL, TEXT, Box, Caption, Entry, Sheet

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BAR_HEIGHT = 0.34
_PANEL_WIDTH = 3.6
_TALLEST = 30.0
_ACROSS = 2
LABEL_LENGTH = 32
SAMPLE = Entry(Look(PAPER, ink=INK, meaning="one build"), "dot")


@dataclass(frozen=True)
class Part:
    """A part of a bar: how it looks and how long it is, in the unit of the axis."""

    look: Look
    value: float


@dataclass(frozen=True)
class Bar:
    """One bar: its name, the stacked parts, and every sample it sums up."""

    label: str
    parts: tuple[Part, ...]
    samples: tuple[float, ...]


@dataclass(frozen=True)
class Panel:
    """One panel of bars. ``unit`` is the axis label with its unit."""

    title: str
    unit: str
    bars: tuple[Bar, ...]


def bar_sheets(
    panels: Sequence[Panel],
    caption: Caption,
    legend: Sequence[Entry],
    write: Callable[[float], str],
    tick: Callable[[float], str],
) -> list[Figure]:
    """Draw panels of bars; ``write`` words a median, ``tick`` a number on the axis."""
    if not panels:
        return []
    left = lettering.widest([bar.label for panel in panels for bar in panel.bars], TEXT) + 0.15
    boxes = [
        Box(_PANEL_WIDTH, BAR_HEIGHT * len(panel.bars) + 0.1, left, 0.3, 0.42, 0.55)
        for panel in panels
    ]
    across = min(_ACROSS, len(panels))
    figures = []
    for chosen in pages(boxes, across, _TALLEST):
        sheet = Sheet(caption, legend, [boxes[place] for place in chosen], across)
        for axes, place in zip(sheet.panels, chosen, strict=True):
            _draw(axes, panels[place], write, tick)
        figures.append(sheet.figure)
    return figures


def _draw(
    axes: Axes, panel: Panel, write: Callable[[float], str], tick: Callable[[float], str]
) -> None:
    ends = [_draw_bar(axes, place, bar) for place, bar in enumerate(panel.bars)]
    texts = [write(statistics.median(bar.samples)) if bar.samples else "" for bar in panel.bars]
    # Room for the number after the longest bar, so that none runs out of the panel.
    share = (lettering.widest(texts, SMALL) + 0.15) / _PANEL_WIDTH
    limit = max(ends, default=0.0) / (1 - min(share, 0.6)) or 1.0
    for place, (end, text) in enumerate(zip(ends, texts, strict=True)):
        gap = 0.07 / _PANEL_WIDTH * limit
        axes.text(end + gap, place, text or "no build", size=SMALL, va="center_baseline")
    axes.set(xlim=(0, limit), ylim=(len(panel.bars) - 0.4, -0.6))
    axes.set_yticks(range(len(panel.bars)))
    axes.set_yticklabels([bar.label for bar in panel.bars], fontsize=TEXT)
    axes.tick_params(axis="y", length=0, pad=6)
    axes.tick_params(axis="x", labelsize=SMALL, length=3)
    # Where every sample is zero there is no scale to mark.
    axes.xaxis.set_major_locator(MaxNLocator(5) if any(ends) else FixedLocator([0]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: tick(value)))
    axes.set_xlabel(panel.unit, fontsize=TEXT, labelpad=2)
    axes.set_title(panel.title, loc="left", fontsize=TEXT + 1, fontweight="bold", pad=5)
    axes.grid(axis="x", color=GRID, linewidth=0.6)
    axes.set_axisbelow(True)


def _draw_bar(axes: Axes, place: int, bar: Bar) -> float:
    """Draw one bar and its samples and return where they end."""
    end = 0.0
    for part in bar.parts:
        axes.barh(
            place,
            part.value,
            left=end,
            height=0.62,
            color=part.look.fill,
            hatch=part.look.hatch,
            edgecolor=PAPER,
            linewidth=0.5,
        )
        end += part.value
    heights = [place + offset for offset in _spread(len(bar.samples))]
    axes.plot(
        bar.samples,
        heights,
        "o",
        markersize=4,
        markerfacecolor=PAPER,
        markeredgecolor=INK,
        markeredgewidth=0.8,
        clip_on=False,
    )
    return max([end, *bar.samples])


def _spread(count: int) -> list[float]:
    """Set the samples apart in height, in the order of the rounds, so that none hides another."""
    if count < 2:
        return [0.0] * count
    return [-0.2 + 0.4 * number / (count - 1) for number in range(count)]
