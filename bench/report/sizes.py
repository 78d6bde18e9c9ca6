"""Image sizes, and what a push after a rebuild would have to move."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from bench.report import names
from bench.report.bars import LABEL_LENGTH, SAMPLE, Bar, Panel, Part, bar_sheets
from bench.report.compare import Setup, changes_of, variants_of
from bench.report.palette import Look
from bench.report.sheet import Caption, Entry

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from bench.dataset import Dataset

IMAGE = "image"
_SIZE_LOOK = Look("#56B4E9", meaning="median size")


def sizes_frame(dataset: Dataset, setup: Setup) -> pd.DataFrame:
    """Return one row per build: variant, column, bytes.

    ``column`` is ``image`` (the image's size after a cold build, or after any where there is
    none) or a change (``new_layer_bytes`` of the rebuild after it). Builds without the figure are
    left out.
    """
    builds = pd.concat([dataset.cold, dataset.scored], ignore_index=True)
    own = builds[(builds["builder"] == setup.builder) & (builds["engine"] == setup.engine)]
    images = own[own["phase"] == "cold"] if (own["phase"] == "cold").any() else own
    changed = own[own["phase"] == "change"]
    parts = [
        images.assign(column=IMAGE, bytes=images["image_bytes"]),
        changed.assign(column=changed["change"], bytes=changed["new_layer_bytes"]),
    ]
    frame = pd.concat(parts, ignore_index=True).dropna(subset=["bytes"])
    return frame[["variant", "column", "bytes"]].astype({"bytes": "float64"})


def sizes_charts(dataset: Dataset, setup: Setup, caption: Caption) -> list[Figure]:
    """Draw image sizes and new layer bytes of one setup, one panel per change."""
    frame = sizes_frame(dataset, setup)
    panels = []
    for column in [IMAGE, *changes_of(dataset)]:
        shown = frame[frame["column"] == column]
        if shown.empty:
            continue
        unit, factor = _unit(float(shown["bytes"].max()))
        bars = []
        for variant in variants_of(dataset):
            own = shown.loc[shown["variant"] == variant, "bytes"] / factor
            parts = (Part(_SIZE_LOOK, float(own.median())),) if len(own) else ()
            bars.append(Bar(names.shortened(variant, LABEL_LENGTH), parts, tuple(map(float, own))))
        what = "image size" if column == IMAGE else f"new layers after {column}"
        panels.append(Panel(what, f"size, {unit}", tuple(bars)))
    return bar_sheets(panels, caption, [Entry(_SIZE_LOOK), SAMPLE], "{:.3g}".format, "{:g}".format)


def _unit(largest: float) -> tuple[str, float]:
    """Choose the unit in which the largest value of a panel reads best."""
    for unit, factor in (("GB", 1e9), ("MB (1,000,000 bytes)", 1e6), ("kB (1,000 bytes)", 1e3)):
        if largest >= factor:
            return unit, factor
    return "bytes", 1.0
