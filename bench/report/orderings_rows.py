"""The orderings that were built, one row each: what was predicted of it, and what it took."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from matplotlib.ticker import MaxNLocator

from bench.report import names
from bench.report.palette import GRID, INK, PAPER
from bench.report.sheet import SMALL, TEXT, write_beside

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes

    from bench.report.landscape import Built

PREDICTED, MEASURED = "#0072B2", "#D55E00"
_POINT: Mapping[str, Any] = {
    "marker": "o",
    "linestyle": "none",
    "markersize": 5,
    "markerfacecolor": MEASURED,
    "markeredgecolor": INK,
    "markeredgewidth": 0.6,
    "zorder": 4,
}
"""How a median that was measured is drawn."""
_LABEL_LENGTH = 30


def label(one: Built) -> str:
    """Name an ordering, and say so where it is the written one under another name."""
    name = names.shortened(one.variant, _LABEL_LENGTH)
    is_named = one.variant.replace("-", " ") == "as written"
    return f"{name} (as written)" if one.is_written and not is_named else name


def words(one: Built, how: str) -> str:
    """Say what was predicted and what came of it; ``how`` is built or simulated."""
    predicted = f"predicted {names.seconds(one.seconds)}"
    if one.measured is None:
        return f"{predicted}, not all changes {how}"
    error = "" if one.error is None else f" ({names.signed_share(one.error)})"
    return f"{predicted}, {how} {names.seconds(one.measured.median)}{error}"


def draw_rows(
    axes: Axes, built: Sequence[Built], labels: Sequence[str], texts: Sequence[str]
) -> None:
    """Draw one row for each ordering, its label to the left and its text to the right."""
    shown = [one.seconds for one in built]
    for place, (one, text) in enumerate(zip(built, texts, strict=True)):
        axes.plot(
            [one.seconds],
            [place],
            "D",
            markersize=5.5,
            markerfacecolor=PAPER,
            markeredgecolor=PREDICTED,
            markeredgewidth=1.2,
            zorder=3,
        )
        if one.measured is not None:
            low, high = one.measured.low, one.measured.high
            shown += [low, high]
            axes.plot([low, high], [place, place], color=INK, linewidth=1.2, zorder=2)
            axes.plot([one.measured.median], [place], **_POINT)
        write_beside(axes, place, text)
    axes.set(xlim=limits(shown), ylim=(len(built) - 0.4, -0.6))
    axes.set_yticks(range(len(built)))
    axes.set_yticklabels(list(labels), fontsize=TEXT)
    axes.tick_params(axis="y", length=0)
    axes.tick_params(axis="x", labelsize=SMALL, length=3)
    axes.xaxis.set_major_locator(MaxNLocator(6))
    axes.set_xlabel("expected seconds of a rebuild", fontsize=TEXT, labelpad=2)
    axes.grid(axis="x", color=GRID, linewidth=0.6)
    axes.set_axisbelow(True)


def limits(values: Sequence[float]) -> tuple[float, float]:
    """Return the ends of an axis of seconds: from zero where that costs little room."""
    low, high = min(values), max(values)
    air = max((high - low) * 0.08, high * 0.02, 1e-3)
    return (0.0 if low < 0.4 * high else low - air), high + air


def draw_point(axes: Axes, place: float, median: float, low: float, high: float) -> None:
    """Draw a median with its interval, upright."""
    if high > low:
        axes.plot([place, place], [low, high], color=INK, linewidth=1.2, zorder=3)
    axes.plot([place], [median], clip_on=False, **_POINT)


def write_title(axes: Axes, text: str, room: float = 0.0) -> None:
    """Write a panel's title, with ``room`` inches between them."""
    pad = 5 + 72 * room
    axes.set_title(text, loc="left", fontsize=TEXT + 1, fontweight="bold", pad=pad)
