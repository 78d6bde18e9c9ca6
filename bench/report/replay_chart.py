"""The chart of a replay: seconds and hits of every commit, in the order of the history."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.ticker import MaxNLocator

from bench.report import lettering, names
from bench.report.compare import variants_of
from bench.report.heatmap import pages, variant_title
from bench.report.palette import GRID, INK, OUTCOMES, PAPER, Look
from bench.report.replaying import summarise_replay
from bench.report.sheet import SMALL, TEXT, Box, Entry, Sheet

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from bench.dataset import Dataset
    from bench.report.compare import Setup
    from bench.report.replaying import CommitBuild
    from bench.report.sheet import Caption

NOTE = (
    "Oldest commit first. Above, the wall time of each rebuild; below, the steps that hit and the "
    "ones that missed. The first build is a cold one: its seconds are in the panel's title, since "
    "they would dwarf the others. All variants share one scale."
)
_SECONDS = Look("#0072B2", meaning="seconds of a rebuild")
_HIT = Look(OUTCOMES["hit"].fill, meaning="steps that hit")
_MISS = Look(OUTCOMES["miss"].fill, meaning="steps that missed")
_FAILED = Look(PAPER, mark="!", ink=INK, meaning="the commit did not build")
_WIDEST, _NARROWEST, _PER_COMMIT = 12.0, 5.5, 0.28
_SECONDS_HEIGHT, _STEPS_HEIGHT = 1.5, 0.9
_BAR_WIDTH = 0.7
_LABELS_SHOWN = 60
_LABEL_LENGTH = 34
_TALLEST = 30.0
_ROOM = 1.18
"""How much higher than the longest bar a panel is, for the number on it."""
_NUMBERED = 30
"""Up to so many commits a bar has room for its number."""


def replay_charts(dataset: Dataset, setup: Setup, caption: Caption) -> list[Figure]:
    """Draw two panels for each variant: the seconds of every commit, and its hits and misses."""
    summary = summarise_replay(dataset)
    if summary is None:
        return []
    shown = [
        (variant, summary.of(setup, variant))
        for variant in variants_of(dataset)
        if summary.of(setup, variant)
    ]
    if not shown:
        return []
    commits = list(summary.commits)
    width = min(_WIDEST, max(_NARROWEST, _PER_COMMIT * len(commits)))
    rebuilds = [one for _, builds in shown for one in builds.values() if one.counts]
    limits = (
        max((one.seconds for one in rebuilds), default=1.0) * _ROOM or 1.0,
        max((one.scored for one in rebuilds), default=1) or 1,
    )
    legend = [Entry(look) for look in (_SECONDS, _HIT, _MISS)]
    if any(not one.is_built for _, builds in shown for one in builds.values()):
        legend.append(Entry(_FAILED))
    labels = [_cut(title) for title in summary.commits.values()]
    room = lettering.widest(labels, SMALL) + 0.2
    figures = []
    for chosen in pages([Box(width, 4.0, 0.7, 0.2, 0, 0) for _ in shown], 1, _TALLEST):
        boxes = []
        for place in chosen:
            is_last = place == chosen[-1]
            boxes.append(Box(width, _SECONDS_HEIGHT, 0.7, 0.2, 0.42, 0.08))
            boxes.append(Box(width, _STEPS_HEIGHT, 0.7, 0.2, 0.05, room if is_last else 0.1))
        sheet = Sheet(caption, legend, boxes, 1)
        for number, place in enumerate(chosen):
            variant, builds = shown[place]
            above, below = sheet.panels[2 * number : 2 * number + 2]
            _draw_seconds(above, commits, builds, limits[0])
            _draw_steps(below, commits, builds, limits[1])
            title = f"{variant_title(variant, summary.baseline)}{_cold(builds)}"
            above.set_title(title, loc="left", fontsize=TEXT + 1, fontweight="bold", pad=5)
        _label(sheet.panels[-1], labels)
        figures.append(sheet.figure)
    return figures


def _cut(title: str) -> str:
    """Shorten a commit's title; how it begins tells it from others."""
    return title if len(title) <= _LABEL_LENGTH else f"{title[: _LABEL_LENGTH - 1]}…"


def _cold(builds: dict[str, CommitBuild]) -> str:
    cold = [one for one in builds.values() if one.is_cold and one.is_built]
    return f", cold build {names.seconds(cold[0].seconds)}" if cold else ""


def _draw_seconds(
    axes: Axes, commits: Sequence[str], builds: dict[str, CommitBuild], limit: float
) -> None:
    places = {change: place for place, change in enumerate(commits)}
    rebuilds = [one for one in builds.values() if one.counts]
    axes.bar(
        [places[one.change] for one in rebuilds],
        [one.seconds for one in rebuilds],
        width=_BAR_WIDTH,
        color=_SECONDS.fill,
    )
    has_room = len(commits) <= _NUMBERED
    for one in builds.values():
        place = places[one.change]
        if not one.is_built:
            axes.text(place, 0, "!", size=TEXT + 2, weight="bold", ha="center", va="bottom")
        elif one.counts and has_room:
            text = names.seconds(one.seconds).removesuffix(" s")
            axes.text(place, one.seconds, text, size=SMALL - 1.5, ha="center", va="bottom")
        elif one.is_cold and has_room:
            axes.text(place, limit * 0.03, "cold", size=SMALL, ha="center", va="bottom")
    axes.set(xlim=(-0.6, len(commits) - 0.4), ylim=(0, limit))
    axes.set_xticks([])
    axes.yaxis.set_major_locator(MaxNLocator(4))
    _finish(axes, "seconds")


def _draw_steps(
    axes: Axes, commits: Sequence[str], builds: dict[str, CommitBuild], most: int
) -> None:
    places = {change: place for place, change in enumerate(commits)}
    rebuilds = [one for one in builds.values() if one.counts]
    where = [places[one.change] for one in rebuilds]
    hits = [one.hits for one in rebuilds]
    misses = [one.scored - one.hits for one in rebuilds]
    axes.bar(where, hits, width=_BAR_WIDTH, color=_HIT.fill)
    axes.bar(where, misses, width=_BAR_WIDTH, bottom=hits, color=_MISS.fill)
    axes.set(xlim=(-0.6, len(commits) - 0.4), ylim=(0, most))
    axes.set_xticks([])
    axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))
    _finish(axes, "steps")


def _label(axes: Axes, labels: Sequence[str]) -> None:
    """Write the commits under a panel; of very many every second, third and so on."""
    every = -(-len(labels) // _LABELS_SHOWN)
    ticks = range(0, len(labels), every)
    axes.set_xticks(list(ticks))
    axes.set_xticklabels([labels[place] for place in ticks], rotation=90, fontsize=SMALL)


def _finish(axes: Axes, label: str) -> None:
    axes.set_ylabel(label, fontsize=TEXT)
    axes.tick_params(axis="y", labelsize=SMALL, length=3)
    axes.tick_params(axis="x", length=0)
    axes.grid(axis="y", color=GRID, linewidth=0.6)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
