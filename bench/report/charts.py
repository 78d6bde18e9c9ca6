"""All charts of a scenario, each with a stable name, a title and a note on how to read it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from bench.builders.names import is_simulated
from bench.report import names
from bench.report.compare import Setup, setups
from bench.report.gains import gains_charts
from bench.report.heatmap import heatmaps
from bench.report.orderings_chart import NOTE as ORDERINGS_NOTE
from bench.report.orderings_chart import orderings_charts
from bench.report.replay_chart import NOTE as REPLAY_NOTE
from bench.report.replay_chart import replay_charts
from bench.report.seconds import seconds_charts
from bench.report.sheet import Caption
from bench.report.simulated import ALL_ALIKE, NOT_BUILT, mark, source_of
from bench.report.sizes import sizes_charts
from bench.report.timeline import COLD, chosen_change, timelines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pandas as pd
    from matplotlib.figure import Figure

    from bench.dataset import Dataset

    Drawer = Callable[[Dataset, Setup, Caption], list[Figure]]


@dataclass(frozen=True)
class Chart:
    """A figure with the stem of its file name."""

    stem: str
    title: str
    note: str
    figure: Figure


_NOTES = {
    "orderings": ("cache hits and seconds of all instruction orderings", ORDERINGS_NOTE),
    "heatmap": (
        "cache hits and misses",
        "One row per instruction in the order of each Dockerfile, one column per change. A cell "
        "that is split shows rounds that disagree, with the number of builds for each outcome.",
    ),
    "seconds": (
        "rebuild seconds by stage",
        "Bars are medians: each stage's share of the critical path, then what no step explains "
        "(sending the context, exporting the image). BuildKit runs stages side by side, so a "
        "stage that others hide adds nothing. Every panel has its own scale.",
    ),
    "gains": (
        "seconds gained against the baseline",
        "Each dot is one round: the baseline's rebuild minus the variant's. The line is the "
        "interval of the median: at least 95 % from six rounds on, below that the whole range.",
    ),
    "timeline": (
        "timeline",
        "One build of each variant, the one whose time is the median. Steps count from the "
        "build's first event, the end of the build from the request.",
    ),
    "replay": ("seconds and hits per commit", REPLAY_NOTE),
    "sizes": (
        "image size and new layers",
        "New layers are what a push after the rebuild would have to move.",
    ),
}


def charts(dataset: Dataset, title: str) -> Iterator[Chart]:
    """Draw every chart the records have data for, one at a time, setup by setup."""
    several = len({setup.engine for setup in setups(dataset)}) > 1
    is_replay = any(run.replay is not None for run in dataset.runs)
    change = None if is_replay else chosen_change(dataset)
    for setup in setups(dataset):
        suffix = slug(f"{setup.builder}-{setup.engine}" if several else setup.builder)
        for kind, column, draw in _REPLAY_DRAWERS if is_replay else _drawers(change):
            what, note = _NOTES[kind]
            whole = f"{what}: {_when(column)}" if column else what
            lead = f"{whole[0].upper()}{whole[1:]}, builder {setup.builder}."
            note = f"{note} {ALL_ALIKE}" if is_simulated(setup.builder) and not is_replay else note
            caption = Caption(f"{mark(setup)}{title}", f"{lead} {note}", footer(dataset, setup))
            stem = "-".join(part for part in (kind, slug(column), suffix) if part)
            for page, figure in enumerate(draw(dataset, setup, caption), start=1):
                yield Chart(
                    stem if page == 1 else f"{stem}-{page}",
                    f"{mark(setup)}{setup.label}: {whole}",
                    note,
                    figure,
                )


_REPLAY_DRAWERS: list[tuple[str, str, Drawer]] = [("replay", "", replay_charts)]


def _drawers(change: str | None) -> list[tuple[str, str, Drawer]]:
    """Return the kinds of charts in reading order; ``change`` gets a timeline beside the cold."""
    drawers: list[tuple[str, str, Drawer]] = [
        ("orderings", "", orderings_charts),
        ("heatmap", "", heatmaps),
        ("seconds", "", seconds_charts),
        ("gains", "", gains_charts),
        ("timeline", COLD, partial(timelines, column=COLD)),
        ("sizes", "", sizes_charts),
    ]
    if change is not None:
        drawers.insert(5, ("timeline", change, partial(timelines, column=change)))
    return drawers


def _when(column: str) -> str:
    return "cold build" if column == COLD else f"after {column}"


def footer(dataset: Dataset, setup: Setup) -> str:
    """Say what made the numbers of a figure: builder, engine, sample size, machine, run, bases."""
    runs = [run for run in dataset.runs if dataset.engines[run.run] == setup.engine]
    rebuilds = _sizes(dataset.scored, setup, ["variant", "change"])
    cold = _sizes(dataset.cold, setup, ["variant"])
    facts = runs[0].engine
    standins = any(base.source == "standin" for run in runs for base in run.bases)
    parts = [
        f"Builder {setup.builder}, Docker Engine {setup.engine} ({facts.storage_driver})",
        f"rebuilds per variant and change {rebuilds}, cold builds per variant {cold}",
        f"{facts.cpu_model}, {facts.cpus} CPUs",
        f"run {names.listed(run.run for run in runs)}",
        "base images are stand-ins" if standins else "",
        *([NOT_BUILT, source_of(runs[0])] if is_simulated(setup.builder) else []),
    ]
    return " · ".join(part for part in parts if part)


def _sizes(builds: pd.DataFrame, setup: Setup, cell: list[str]) -> str:
    own = builds[(builds["builder"] == setup.builder) & (builds["engine"] == setup.engine)]
    sizes = own.groupby(cell).size().tolist()
    return f"n={names.span(sizes or [0])}"


def slug(text: str) -> str:
    """Turn a name into a part of a file name that every file system takes."""
    kept = re.sub(r"[^A-Za-z0-9._]+", "-", text).strip("-.")
    # Letters of other scripts are cut: their code keeps two such names in two files.
    return kept if text.isascii() else f"{kept}-{text.encode().hex()[:16]}".strip("-")
