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
_MEGA = 1e6
_SIZE_LOOK = Look("#56B4E9", meaning="median size")


def sizes_frame(dataset: Dataset, setup: Setup) -> pd.DataFrame:
    """Return one row per build: variant, column, megabytes.

    ``column`` is ``image`` (the image's size after a cold build, or after any where there is
    none) or a change (``new_layer_bytes`` of the rebuild after it). Builds without the figure are
    left out.
    """
    builds = pd.concat([dataset.cold, dataset.scored], ignore_index=True)
    own = builds[(builds["builder"] == setup.builder) & (builds["engine"] == setup.engine)]
    images = own[own["phase"] == "cold"] if (own["phase"] == "cold").any() else own
    parts = [
        pd.DataFrame(
            {"variant": images["variant"], "column": IMAGE, "bytes": images["image_bytes"]}
        )
    ]
    changed = own[own["phase"] == "change"]
    parts.append(
        pd.DataFrame(
            {
                "variant": changed["variant"],
                "column": changed["change"],
                "bytes": changed["new_layer_bytes"],
            }
        )
    )
    frame = pd.concat(parts, ignore_index=True).dropna(subset=["bytes"])
    return frame.assign(megabytes=frame["bytes"].astype("float64") / _MEGA).drop(columns="bytes")


def sizes_charts(dataset: Dataset, setup: Setup, caption: Caption) -> list[Figure]:
    """Draw image sizes and new layer bytes of one setup, one panel per change."""
    frame = sizes_frame(dataset, setup)
    panels = []
    for column in [IMAGE, *changes_of(dataset)]:
        if column not in set(frame["column"]):
            continue
        bars = []
        for variant in variants_of(dataset):
            own = frame[(frame["variant"] == variant) & (frame["column"] == column)]
            values = tuple(float(value) for value in own["megabytes"])
            parts = (Part(_SIZE_LOOK, float(own["megabytes"].median())),) if values else ()
            bars.append(Bar(names.shortened(variant, LABEL_LENGTH), parts, values))
        what = "image size" if column == IMAGE else f"new layers after {column}"
        panels.append(Panel(what, "megabytes (1 MB = 1,000,000 bytes)", tuple(bars)))
    legend = [Entry(_SIZE_LOOK), SAMPLE]
    return bar_sheets(
        panels, caption, legend, lambda value: names.size(value * _MEGA), "{:g}".format
    )
