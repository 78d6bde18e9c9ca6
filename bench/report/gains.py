"""Seconds gained against the baseline, pair by pair: what a variant wins and what it costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.ticker import FuncFormatter, MaxNLocator

from bench.report import lettering, names
from bench.report.compare import Comparison, Setup, changes_of, comparisons, rounds_gained
from bench.report.heatmap import pages
from bench.report.palette import GRID, INK, PAPER, Look
from bench.report.sheet import SMALL, TEXT, Box, Caption, Entry, Sheet, write_beside

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from bench.dataset import Dataset

_WIDTH, _ROW = 4.6, 0.3
_TALLEST = 30.0
_DOT = Entry(Look("#56B4E9", ink=INK, meaning="one pair of builds in one round"), "dot")
_MEDIAN = Entry(Look("#D55E00", ink="#D55E00", meaning="median"), "tick")
_INTERVAL = Entry(Look(INK, ink=INK, meaning="interval of the median (see caption)"), "line")


def gains_charts(dataset: Dataset, setup: Setup, caption: Caption) -> list[Figure]:
    """Draw the paired gains of one setup, one panel per variant; all share one scale."""
    pairs = rounds_gained(dataset)
    own = pairs[(pairs["builder"] == setup.builder) & (pairs["engine"] == setup.engine)]
    compared = [item for item in comparisons(dataset) if item.setup == setup and item.pairs]
    variants = list(dict.fromkeys(item.variant for item in compared))
    if not variants:
        return []
    order = {change: place for place, change in enumerate(changes_of(dataset))}
    panels = [
        sorted(
            (item for item in compared if item.variant == variant), key=lambda x: order[x.change]
        )
        for variant in variants
    ]
    limit = max(float(own["seconds_gained"].abs().max()) * 1.08, 1e-3)
    left = lettering.widest([item.change for item in compared], TEXT) + 0.15
    right = lettering.widest([_words(item) for item in compared], SMALL) + 0.25
    boxes = [Box(_WIDTH, _ROW * len(panel) + 0.1, left, right, 0.42, 0.6) for panel in panels]
    figures = []
    for chosen in pages(boxes, 1, _TALLEST):
        sheet = Sheet(caption, (_DOT, _MEDIAN, _INTERVAL), [boxes[place] for place in chosen], 1)
        for axes, place in zip(sheet.panels, chosen, strict=True):
            mine = own[own["variant"] == variants[place]]
            _draw(axes, panels[place], mine, limit)
        figures.append(sheet.figure)
    return figures


def _words(item: Comparison) -> str:
    gain = item.seconds_gained
    seconds = "" if gain is None else f"{names.signed_seconds(gain.median)}, "
    return f"{seconds}hits {names.span(item.hits_gained, with_sign=True)}, n={item.pairs}"


def _draw(axes: Axes, panel: Sequence[Comparison], pairs: pd.DataFrame, limit: float) -> None:
    for place, item in enumerate(panel):
        gain = item.seconds_gained
        if gain is None:
            continue
        values = [
            float(value) for value in pairs.loc[pairs["change"] == item.change, "seconds_gained"]
        ]
        axes.plot([gain.low, gain.high], [place, place], color=INK, linewidth=1.2)
        axes.plot(
            values,
            [place] * len(values),
            "o",
            markersize=4.5,
            markerfacecolor="#56B4E9",
            markeredgecolor=INK,
            markeredgewidth=0.6,
            alpha=0.9,
            zorder=3,
        )
        axes.plot(
            [gain.median],
            [place],
            "|",
            markersize=13,
            markeredgewidth=2.4,
            color="#D55E00",
            zorder=4,
        )
        write_beside(axes, place, _words(item))
    axes.axvline(0, color=INK, linewidth=0.9)
    axes.set(xlim=(-limit, limit), ylim=(len(panel) - 0.4, -0.6))
    axes.set_yticks(range(len(panel)))
    axes.set_yticklabels([item.change for item in panel], fontsize=TEXT)
    axes.tick_params(axis="y", length=0)
    axes.tick_params(axis="x", labelsize=SMALL, length=3)
    axes.xaxis.set_major_locator(MaxNLocator(7, symmetric=True))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: names.signed(round(value, 6))))
    axes.set_xlabel("← slower   seconds gained per rebuild   faster →", fontsize=TEXT, labelpad=2)
    title = f"{panel[0].variant} against {panel[0].baseline}"
    axes.set_title(title, loc="left", fontsize=TEXT + 1, fontweight="bold", pad=5)
    axes.grid(axis="x", color=GRID, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.set_facecolor(PAPER)
