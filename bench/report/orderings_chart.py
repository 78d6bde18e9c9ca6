"""Cache hits and expected rebuild seconds against the instruction ordering, fastest first.

Two panels share the axis of orderings: what is expected of every one that was tried is a line,
those that were built are points with intervals. Below, each built ordering has a row of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator

from bench.builders.names import is_simulated
from bench.report import lettering
from bench.report.landscape import landscapes
from bench.report.orderings_rows import (
    MEASURED,
    PREDICTED,
    draw_point,
    draw_rows,
    label,
    limits,
    words,
    write_title,
)
from bench.report.palette import FAINT, GRID, INK, PAPER, Look
from bench.report.sheet import SMALL, TEXT, Box, Caption, Entry, Sheet

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from bench.dataset import Dataset
    from bench.report.compare import Setup
    from bench.report.landscape import Built, Landscape

NOTE = (
    "Orderings that make the same image, fastest first; those that the builder cannot tell apart "
    "are one. Expected is the mean over the changes, weighted by how often each happens. The line "
    "is predicted from the steps; points are medians of the builds, with their intervals, each at "
    "the place of its ordering."
)
_WIDTH, _SECONDS_HEIGHT, _HITS_HEIGHT, _ROW = 6.6, 2.1, 1.3, 0.3
_GAP = "#EEEEEE"
_BEST = Look("#009E73", ink="#009E73")
_DOTTED = 60
"""Up to so many orderings each has a dot of its own."""
_COLUMNS = 660
"""Of more than this, those that share a place on paper are drawn from lowest to highest."""
_FAR = 0.04
"""How far apart those are drawn that lie beyond the ones tried in a row, as a part of the axis."""
_OUTER = 0.5
"""How much room all of them take at most, as a part of that of the others."""
_NUMBER, _LEADER = 0.17, 0.18
"""Room of a point's number above the panels, and of the line to it, in inches."""
_MOST_ROWS = 60
_DODGE = 0.13
_AIR = 0.15
_LINE = Entry(Look(PREDICTED, ink=PREDICTED, meaning="predicted"), "line")
_WRITTEN_LINE = Entry(Look(INK, ink=INK, meaning="as written"), "dashes")
_FOREKNOWN = Entry(Look(PAPER, ink=PREDICTED, meaning="predicted for a point"), "diamond")
_UNTRIED = Entry(Look(_GAP, meaning="others, not tried"))


def orderings_charts(dataset: Dataset, setup: Setup, caption: Caption) -> list[Figure]:
    """Draw the orderings of one setup, if they can be predicted and there are several."""
    found = landscapes(dataset).of(setup)
    return [] if found is None else draw_orderings(found, caption)


def draw_orderings(landscape: Landscape, caption: Caption) -> list[Figure]:
    """Draw the orderings of one Dockerfile on one builder; very many rows go on other sheets."""
    axis = _Axis.of(landscape)
    built = sorted(landscape.built, key=lambda one: (axis.of_built(one), one.variant))
    rows = [f"{number}  {label(one)}" for number, one in enumerate(built, start=1)]
    texts = [words(one, _how(landscape)) for one in built]
    left = max(0.62, lettering.widest(rows, TEXT) + 0.15)
    right = max(_AIR, lettering.widest(texts, SMALL) + 0.2)
    room = _NUMBER + _LEADER if built else 0.0
    # The panels above have nothing written beside them, so they are as wide as the sheet.
    wide = _WIDTH + right - _AIR
    panels = [
        Box(wide, _SECONDS_HEIGHT, left, _AIR, 0.28 + room, 0.08),
        Box(wide, _HITS_HEIGHT, left, _AIR, 0.08, 0.55),
    ]
    figures = []
    for start in range(0, max(1, len(built)), _MOST_ROWS):
        chosen = slice(start, start + _MOST_ROWS)
        boxes = panels if start == 0 else []
        if built:
            height = _ROW * len(built[chosen]) + 0.1
            boxes = [*boxes, Box(_WIDTH, height, left, right, 0.3, 0.55)]
        sheet = Sheet(caption, _legend(landscape, axis), boxes, 1)
        if start == 0:
            above, below = sheet.panels[:2]
            _draw_seconds(above, landscape, axis, built)
            _draw_hits(below, landscape, axis, built)
            _number(above, wide, axis, built)
        if built:
            draw_rows(sheet.panels[-1], built[chosen], rows[chosen], texts[chosen])
            write_title(sheet.panels[-1], f"Those that were {_how(landscape)}")
        figures.append(sheet.figure)
    return figures


@dataclass(frozen=True)
class _Axis:
    """Where every ordering stands on paper, counted from 1.

    Where all were tried that is its place among all. Otherwise those that were tried on purpose,
    because they are written, built or the worst, lie beyond the ones found best, in a part of their
    own.
    """

    landscape: Landscape
    inner: tuple[tuple[int, float, float], ...]
    """Places, seconds and hit shares of those that stand in a row."""
    outer: tuple[tuple[float, float], ...]
    """Seconds and hit shares of the others, fastest first."""

    @classmethod
    def of(cls, landscape: Landscape) -> _Axis:
        shown = (landscape.places, landscape.seconds, landscape.hit_shares)
        tried = list(zip(*shown, strict=True))
        if landscape.complete:
            return cls(landscape, tuple(tried), ())
        chosen = {tried[-1][1:], landscape.written}
        chosen |= {(one.seconds, one.hit_share) for one in landscape.built}
        limit = max((one[1] for one in tried if one[1:] not in chosen), default=0.0)
        outer = sorted((one for one in chosen if one[0] > limit), key=lambda x: (x[0], -x[1]))
        return cls(landscape, tuple(one for one in tried if one[1:] not in outer), tuple(outer))

    @property
    def last(self) -> int:
        """The last place of those in a row."""
        return max((place for place, _, _ in self.inner), default=1)

    @property
    def step(self) -> float:
        """How far apart two of the others are."""
        return max(1.0, self.last * min(_FAR, _OUTER / max(1, len(self.outer))))

    @property
    def beyond(self) -> list[float]:
        """Where the others stand."""
        return [self.last + (number + 1.0) * self.step for number in range(len(self.outer))]

    @property
    def end(self) -> float:
        """Where the axis ends."""
        return self.beyond[-1] + 0.6 * self.step if self.outer else float(self.last)

    @property
    def limits(self) -> tuple[float, float]:
        """The axis from end to end, with some air."""
        air = max(0.6, self.end * 0.015)
        return 1 - air, self.end + air

    def place(self, seconds: float, share: float) -> float:
        """Return where an ordering stands."""
        if (seconds, share) in self.outer:
            return self.beyond[self.outer.index((seconds, share))]
        return float(min(self.landscape.place(seconds, share), self.last))

    def of_built(self, one: Built) -> float:
        """Return where a built ordering stands."""
        return self.place(one.seconds, one.hit_share)


def _how(landscape: Landscape) -> str:
    """Say how the points came about."""
    return "simulated" if is_simulated(landscape.setup.builder) else "built"


def _legend(landscape: Landscape, axis: _Axis) -> list[Entry]:
    entries = [_LINE]
    if any(one.measured is not None for one in landscape.built):
        meaning = f"{_how(landscape)}: median and interval"
        entries.append(Entry(Look(MEASURED, ink=INK, meaning=meaning), "dot"))
    if landscape.built:
        entries.append(_FOREKNOWN)
    best = "fastest" if landscape.is_optimal else "fastest found"
    entries += [_WRITTEN_LINE, Entry(replace(_BEST, meaning=best), "dots")]
    return [*entries, _UNTRIED] if axis.outer else entries


def _draw_seconds(axes: Axes, landscape: Landscape, axis: _Axis, built: Sequence[Built]) -> None:
    values = [seconds for _, seconds, _ in axis.inner]
    _background(axes, axis, values, [seconds for seconds, _ in axis.outer])
    shown = [*landscape.seconds, landscape.written[0]]
    for one, place in zip(built, _dodged(axis, built), strict=True):
        if one.measured is not None:
            draw_point(axes, place, one.measured.median, one.measured.low, one.measured.high)
            shown += [one.measured.low, one.measured.high]
    axes.set_ylim(*limits(shown))
    axes.yaxis.set_major_locator(MaxNLocator(5))
    axes.set_ylabel("seconds", fontsize=TEXT)
    axes.set_xticklabels([])
    title = f"Expected seconds of a rebuild: {_counted(landscape)}"
    write_title(axes, title, room=_NUMBER + _LEADER if built else 0.0)


def _draw_hits(axes: Axes, landscape: Landscape, axis: _Axis, built: Sequence[Built]) -> None:
    values = [100 * share for _, _, share in axis.inner]
    _background(axes, axis, values, [100 * share for _, share in axis.outer])
    for one, place in zip(built, _dodged(axis, built), strict=True):
        if one.measured_hit_share is not None:
            hit = 100 * one.measured_hit_share
            draw_point(axes, place, hit, hit, hit)
    axes.set_ylim(-5, 105)
    axes.yaxis.set_major_locator(FixedLocator([0, 25, 50, 75, 100]))
    axes.set_ylabel("cache hits,\n% of steps", fontsize=TEXT)
    axes.set_xlabel(f"instruction orderings{_tried(landscape)}", fontsize=TEXT)


def _counted(landscape: Landscape) -> str:
    """Count the orderings, and those that the builder tells apart."""
    legal = f"{landscape.legal} legal orderings"
    if landscape.legal == landscape.apart:
        return legal
    if landscape.apart.value == 1:
        return f"{legal}, which are all one to the builder"
    return f"{legal}, of which the builder can tell {landscape.apart} apart"


def _tried(landscape: Landscape) -> str:
    count = landscape.places[-1]
    if not landscape.complete:
        return f", fastest first ({count:,} tried, the most promising first)"
    return ", fastest first" if count > 1 else ", one and the same to the builder"


def _background(axes: Axes, axis: _Axis, values: Sequence[float], outer: Sequence[float]) -> None:
    """Draw what is predicted of all orderings, and the lines that mark two of them."""
    if axis.outer:
        axes.axvspan(axis.last + 0.5, axis.limits[1], color=_GAP, linewidth=0, zorder=0)
        axes.plot(axis.beyond, outer, "o", markersize=3, color=PREDICTED, zorder=2)
    axes.axvline(
        axis.place(*axis.landscape.written), color=INK, linewidth=1.1, linestyle="--", zorder=1
    )
    axes.axvline(
        axis.place(*axis.landscape.best), color=_BEST.ink, linewidth=1.6, linestyle=":", zorder=1
    )
    places = [place for place, _, _ in axis.inner]
    if len(values) > _COLUMNS:
        _draw_columns(axes, places, values)
    elif len(values) > _DOTTED:
        axes.plot(places, values, "-", drawstyle="steps-mid", color=PREDICTED, linewidth=1.1)
    else:
        axes.plot(places, values, "-", color=PREDICTED, linewidth=0.8, alpha=0.6)
        axes.plot(places, values, "o", markersize=3, color=PREDICTED, zorder=2)
    axes.set_xlim(*axis.limits)
    axes.xaxis.set_major_locator(FixedLocator(_ticks(axis.last)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.tick_params(labelsize=SMALL, length=3)
    axes.grid(axis="y", color=GRID, linewidth=0.6)
    axes.set_axisbelow(True)


def _draw_columns(axes: Axes, places: Sequence[int], values: Sequence[float]) -> None:
    """Draw many values as a band: what lies in one column of dots, from lowest to highest."""
    chunks = np.array_split(np.asarray(values), _COLUMNS)
    starts = np.cumsum([0, *(len(chunk) for chunk in chunks)])[:-1]
    low = [chunk.min() for chunk in chunks]
    high = [chunk.max() for chunk in chunks]
    axes.fill_between(
        [*(places[start] for start in starts), places[-1]],
        [*low, low[-1]],
        [*high, high[-1]],
        step="post",
        facecolor=PREDICTED,
        edgecolor=PREDICTED,
        linewidth=1.1,
    )


def _ticks(count: int) -> list[int]:
    """Return ranks to write under the axis: the first, round ones, and no two too near."""
    if count <= 1:
        return [1]
    steps = MaxNLocator(8, integer=True).tick_values(1, count)
    nearest = (steps[1] - steps[0]) * 0.5
    return [1, *(int(one) for one in steps if 1 + nearest <= one <= count)]


def _dodged(axis: _Axis, built: Sequence[Built]) -> list[float]:
    """Return where built orderings are drawn: beside each other where they stand at one place.

    Of many orderings a place is too small for that, and the rows below tell them apart.
    """
    places = [axis.of_built(one) for one in built]
    if axis.end > _DOTTED:
        return places
    found = []
    for number, place in enumerate(places):
        same = [other for other, at in enumerate(places) if at == place]
        room = min(_DODGE, 0.8 / len(same))
        found.append(place + (same.index(number) - (len(same) - 1) / 2) * room)
    return found


def _number(axes: Axes, wide: float, axis: _Axis, built: Sequence[Built]) -> None:
    """Write the numbers of the built orderings above a panel, with a line down to each.

    Where there is no room for all, every second is numbered, every third and so on.
    """
    low, high = axis.limits
    places = _dodged(axis, built)
    inches = [(place - low) / (high - low) * wide for place in places]
    above = 1 + _LEADER / _SECONDS_HEIGHT
    apart = max(_NUMBER, lettering.width(str(len(built)), SMALL, bold=True) + 0.06)
    every = max(1, ceil(len(built) * apart / wide))
    numbers = range(1, len(built) + 1)[::every]
    spread = spread_out(inches[::every], apart, wide)
    for number, place, at in zip(numbers, inches[::every], spread, strict=True):
        axes.plot(
            [place / wide, at / wide],
            [1, above],
            transform=axes.transAxes,
            color=FAINT,
            linewidth=0.7,
            clip_on=False,
        )
        axes.text(
            at / wide,
            above,
            str(number),
            transform=axes.transAxes,
            size=SMALL,
            weight="bold",
            ha="center",
            va="bottom",
        )


def spread_out(places: Sequence[float], apart: float, limit: float) -> list[float]:
    """Move places that rise so that they are ``apart``, by little, and none is over ``limit``."""
    found: list[float] = []
    for place in places:
        found.append(max(place, found[-1] + apart) if found else place)
    for number in reversed(range(len(found))):
        found[number] = min(found[number], limit)
        limit = found[number] - apart
    return found
