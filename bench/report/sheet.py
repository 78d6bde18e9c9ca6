"""A sheet: title, what is shown, legend, a grid of panels, and where the numbers come from.

Everything is placed in inches and sized from its content, so a chart with many rows grows
instead of shrinking its letters.
"""

from __future__ import annotations

import io
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from bench.dataset.tables import write_atomically
from bench.report import lettering
from bench.report.palette import FAINT, INK, Look

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from matplotlib.axes import Axes

TITLE, TEXT, SMALL = 12.0, 8.5, 7.5
DPI = 150
_MARGIN = 0.25
_TITLE_LINE, _TEXT_LINE, _SMALL_LINE, _LEGEND_LINE = 0.24, 0.17, 0.15, 0.24
_SWATCH, _SWATCH_HEIGHT = 0.28, 0.15
_NARROWEST = 6.5


@dataclass(frozen=True)
class Box:
    """The place a panel needs, in inches: its axes, and the room around for its labels."""

    width: float
    height: float
    left: float
    right: float
    top: float
    bottom: float


@dataclass(frozen=True)
class Entry:
    """One entry of the legend: a filled swatch, or a mark (``dot``, ``diamond``, ``tick``) or line.

    Lines are ``line``, ``dashes`` and ``dots``.
    """

    look: Look
    shape: str = "swatch"


@dataclass(frozen=True)
class Caption:
    """The words around the panels."""

    title: str
    subtitle: str
    footer: str


class Sheet:
    """A figure with its panels' axes, laid out so that nothing overlaps or is cut."""

    def __init__(
        self, caption: Caption, legend: Sequence[Entry], boxes: Sequence[Box], columns: int
    ) -> None:
        """Lay out ``boxes`` in ``columns`` columns, row by row."""
        rows = [boxes[start : start + columns] for start in range(0, len(boxes), columns)]
        column_width = max(box.left + box.width + box.right for box in boxes)
        inner = max(_NARROWEST, column_width * columns)
        header = _header_lines(caption, legend, inner)
        footer = lettering.wrapped(caption.footer, SMALL, inner)
        heights = [max(box.top + box.height + box.bottom for box in row) for row in rows]
        self.width = inner + 2 * _MARGIN
        self.height = header.height + sum(heights) + len(footer) * _SMALL_LINE + 2.4 * _MARGIN
        self.figure = Figure(figsize=(self.width, self.height), dpi=DPI)
        FigureCanvasAgg(self.figure)
        self._paper = self._overlay()
        top = self.height - _MARGIN - self._write_header(header)
        self.panels: list[Axes] = []
        for row, height in zip(rows, heights, strict=True):
            for column, box in enumerate(row):
                left = _MARGIN + column * column_width + box.left
                self.panels.append(self._axes(left, top - box.top - box.height, box))
            top -= height
        for number, line in enumerate(footer):
            below = _MARGIN * 0.6 + (len(footer) - 1 - number) * _SMALL_LINE
            self._paper.text(_MARGIN, below, line, size=SMALL, color=FAINT, va="bottom")

    def _overlay(self) -> Axes:
        axes = self.figure.add_axes((0, 0, 1, 1))
        axes.set(xlim=(0, self.width), ylim=(0, self.height))
        axes.axis("off")
        return axes

    def _axes(self, left: float, bottom: float, box: Box) -> Axes:
        return self.figure.add_axes(
            (
                left / self.width,
                bottom / self.height,
                box.width / self.width,
                box.height / self.height,
            )
        )

    def _write_header(self, header: _Header) -> float:
        below = self.height - _MARGIN
        for line in header.title:
            below -= _TITLE_LINE
            self._paper.text(_MARGIN, below, line, size=TITLE, weight="bold", va="bottom")
        for line in header.subtitle:
            below -= _TEXT_LINE
            self._paper.text(_MARGIN, below, line, size=TEXT, color=INK, va="bottom")
        below -= 0.06
        for row in header.legend:
            below -= _LEGEND_LINE
            left = _MARGIN
            for entry in row:
                self._write_entry(entry, left, below)
                left += _entry_width(entry)
        return header.height

    def _write_entry(self, entry: Entry, left: float, below: float) -> None:
        look, middle = entry.look, below + _SWATCH_HEIGHT / 2
        if entry.shape == "swatch":
            self._paper.add_patch(
                Rectangle(
                    (left, below),
                    _SWATCH,
                    _SWATCH_HEIGHT,
                    facecolor=look.fill,
                    hatch=look.hatch,
                    edgecolor=FAINT,
                    linewidth=0.5,
                )
            )
            self._paper.text(
                left + _SWATCH / 2,
                middle,
                look.mark,
                size=SMALL,
                color=look.ink,
                ha="center",
                va="center_baseline",
            )
        else:
            marker, line = {
                "dot": ("o", ""),
                "line": ("", "-"),
                "tick": ("|", ""),
                "diamond": ("D", ""),
                "dashes": ("", "--"),
                "dots": ("", ":"),
            }[entry.shape]
            self._paper.plot(
                [left, left + _SWATCH / 2, left + _SWATCH],
                [middle] * 3,
                marker=marker,
                markevery=[1],
                linestyle=line,
                color=look.ink,
                markerfacecolor=look.fill,
                markersize=10 if entry.shape == "tick" else 5,
                markeredgewidth=2 if entry.shape == "tick" else 0.8,
            )
        self._paper.text(
            left + _SWATCH + 0.07, middle, look.meaning, size=TEXT, va="center_baseline"
        )


@dataclass(frozen=True)
class _Header:
    title: list[str]
    subtitle: list[str]
    legend: list[list[Entry]]

    @property
    def height(self) -> float:
        """Room of the whole header in inches, with the gap below it."""
        return (
            len(self.title) * _TITLE_LINE
            + len(self.subtitle) * _TEXT_LINE
            + len(self.legend) * _LEGEND_LINE
            + 0.2
        )


def _header_lines(caption: Caption, legend: Sequence[Entry], inner: float) -> _Header:
    rows: list[list[Entry]] = []
    used = inner + 1
    for entry in legend:
        if used + _entry_width(entry) > inner:
            rows.append([])
            used = 0.0
        rows[-1].append(entry)
        used += _entry_width(entry)
    return _Header(
        title=lettering.wrapped(caption.title, TITLE, inner, bold=True),
        subtitle=lettering.wrapped(caption.subtitle, TEXT, inner),
        legend=rows,
    )


def _entry_width(entry: Entry) -> float:
    return _SWATCH + 0.07 + lettering.width(entry.look.meaning, TEXT) + 0.2


@contextmanager
def drawing() -> Iterator[None]:
    """Draw with the report's settings, whatever the user's own matplotlibrc says."""
    with mpl.rc_context(), warnings.catch_warnings():
        mpl.rcdefaults()
        settings: Any = mpl.rcParams
        settings.update(lettering.settings())
        # The report itself warns of letters that cannot be drawn, once and with the remedy.
        warnings.filterwarnings("ignore", message=r"Glyph .* missing from")
        yield


def save(figure: Figure, stem: Path) -> tuple[Path, Path]:
    """Write a figure as PNG and SVG beside each other.

    Raises:
        RecordsError: the folder cannot be written.

    """
    written = []
    for ending, metadata in ((".png", {"Software": None}), (".svg", {"Date": None})):
        content = io.BytesIO()
        figure.savefig(content, format=ending[1:], dpi=DPI, metadata=metadata)
        written.append(write_atomically(stem.with_name(stem.name + ending), content.getvalue()))
    return written[0], written[1]


def write_beside(axes: Axes, place: float, text: str) -> None:
    """Write a note to the right of a panel, at the height of the row at ``place``."""
    axes.annotate(
        text,
        xy=(1, place),
        xycoords=("axes fraction", "data"),
        xytext=(8, 0),
        textcoords="offset points",
        size=SMALL,
        va="center_baseline",
        annotation_clip=False,
    )
