"""The partial order of a Dockerfile's instructions as a picture: what may not change places."""

from __future__ import annotations

import io
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import networkx as nx
from matplotlib.patches import FancyBboxPatch, PathPatch
from matplotlib.path import Path as Curve

from bench.dataset.tables import write_atomically
from bench.orderings.commuting import ConflictKind
from bench.report import lettering, names
from bench.report.layers import Layers, lay_out
from bench.report.palette import FAINT, INK, PAPER, Look
from bench.report.sheet import SMALL, TEXT, Box, Caption, Entry, Sheet, drawing

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.axes import Axes

    from bench.dockerfile import Stage
    from bench.orderings.legality import PartialOrder, StageOrder

KINDS = {
    ConflictKind.RUN: Look("#D55E00", ink=PAPER, meaning="what a RUN may read or write"),
    ConflictKind.FILES: Look("#009E73", ink=PAPER, meaning="the same files or folders"),
    ConflictKind.STATE: Look("#0072B2", ink=PAPER, meaning="working directory, user, shell"),
    ConflictKind.VARIABLE: Look("#E69F00", meaning="a variable"),
    ConflictKind.CONFIG: Look("#CC79A7", meaning="the same setting of the image"),
    ConflictKind.UNKNOWN: Look("#000000", ink=PAPER, meaning="not understood"),
}
_FREE = Look(PAPER, mark="- - -", meaning="may stand anywhere in its stage")
_LENGTH = 40
_BOX_HEIGHT, _ROW, _GAP, _LINE = 0.27, 0.68, 0.22, 0.155
_LEAST, _REASONS_LEAST = 3.4, 5.6
_WIDEST = 13.0
_FREE_GAP, _FREE_ROW = 0.45, 0.37
_ABOVE_REASONS = 0.2


def draw_order(order: PartialOrder, path: Path, title: str = "", footer: str = "") -> Path:
    """Draw the partial order of every stage into an SVG file and return its path.

    An arrow leads from an instruction to one that has to stay after it; what follows from other
    arrows is left out.

    Raises:
        RecordsError: the file cannot be written.

    """
    with drawing():
        content = io.BytesIO()
        sheet = _sheet(
            order, title or f"What has to keep its order: {order.dockerfile.path}", footer
        )
        sheet.figure.savefig(content, format="svg", metadata={"Date": None})
    return write_atomically(path, content.getvalue())


@dataclass(frozen=True)
class _Reason:
    """A numbered arrow and why it is there, in lines of the panel's width."""

    number: int
    look: Look
    lines: tuple[str, ...]


class _Panel:
    """One stage: its graph, the instructions that nothing ties, the reasons below."""

    def __init__(self, stage: Stage, order: StageOrder, *, last: int) -> None:
        self.title = names.stage_label(stage.label, stage.index, last)
        self.texts = {
            step: f"{step} {names.shortened(one.text, _LENGTH)}"
            for step, one in enumerate(stage.instructions, start=1)
        }
        self.conflicts = order.conflicts
        self.free = order.free
        self.edges = order.reduced()
        tied = nx.DiGraph(self.edges.subgraph(set(self.edges) - set(self.free)))
        self.widths = {
            step: lettering.width(text, SMALL, mono=True) + 0.16
            for step, text in self.texts.items()
        }
        self.layers: Layers = lay_out(tied, {one: self.widths[one] for one in tied}, _GAP)
        self.numbers = {edge: at for at, edge in enumerate(sorted(self.layers.ways), start=1)}
        aside = max((self.widths[one] for one in self.free), default=0.0)
        self.aside = self.layers.width + (_FREE_GAP if self.layers.rows and self.free else 0.0)
        self.width = max(self.aside + aside, _LEAST if not self.numbers else _REASONS_LEAST)
        self.reasons = [self._reason(edge, at) for edge, at in self.numbers.items()]
        free_height = len(self.free) * _FREE_ROW
        rows = len(self.layers.rows)
        self.graph_height = max(
            rows * _ROW - (_ROW - _BOX_HEIGHT) if rows else 0.0,
            free_height - (_FREE_ROW - _BOX_HEIGHT),
            _BOX_HEIGHT,
        )
        lines = sum(len(reason.lines) for reason in self.reasons)
        self.height = self.graph_height + (lines * _LINE + _ABOVE_REASONS if lines else 0.02)

    def _reason(self, edge: tuple[int, int], number: int) -> _Reason:
        conflict = self.conflicts[edge]
        text = f"{edge[0]} before {edge[1]}: {conflict.why}"
        lines = lettering.wrapped(text, SMALL, self.width - 0.3)
        return _Reason(number, KINDS[conflict.kind], tuple(lines))

    def box(self) -> Box:
        """Return the room that the panel needs."""
        return Box(self.width + 0.1, self.height, left=0.05, right=0.4, top=0.42, bottom=0.25)

    def draw(self, axes: Axes) -> None:
        """Draw the stage."""
        axes.set(xlim=(-0.05, self.width + 0.05), ylim=(self.height, -0.02))
        axes.axis("off")
        axes.text(
            0, -0.14, self.title, size=TEXT + 1, weight="bold", va="bottom", ha="left", color=INK
        )
        for row, steps in enumerate(self.layers.rows):
            for step in steps:
                self._instruction(axes, step, self.layers.middle[step], row * _ROW, free=False)
        for at, step in enumerate(self.free):
            middle = self.aside + self.widths[step] / 2
            self._instruction(axes, step, middle, at * _FREE_ROW, free=True)
        if not self.layers.rows and not self.free:
            axes.text(0, _BOX_HEIGHT / 2, "FROM alone", size=SMALL, color=FAINT, va="center")
        for edge in self.layers.ways:
            self._arrow(axes, edge)
        self._write_reasons(axes)

    def _instruction(self, axes: Axes, step: int, middle: float, top: float, *, free: bool) -> None:
        wide = self.widths[step]
        axes.add_patch(
            FancyBboxPatch(
                (middle - wide / 2, top),
                wide,
                _BOX_HEIGHT,
                boxstyle="round,pad=0,rounding_size=0.05",
                facecolor=PAPER if free else "#F1F1F1",
                edgecolor=FAINT if free else INK,
                linestyle=(0, (3, 2)) if free else "-",
                linewidth=0.9,
                zorder=3,
            )
        )
        axes.text(
            middle,
            top + _BOX_HEIGHT / 2,
            self.texts[step],
            size=SMALL,
            fontfamily=[lettering.MONO, *lettering.fallbacks()],
            ha="center",
            va="center_baseline",
            color=INK,
            zorder=4,
        )

    def _arrow(self, axes: Axes, edge: tuple[int, int]) -> None:
        look = KINDS[self.conflicts[edge].kind]
        points = self._points(edge)
        axes.add_patch(
            PathPatch(_curve(points), fill=False, edgecolor=look.fill, linewidth=1.3, zorder=1)
        )
        axes.annotate(
            "",
            xy=points[-1],
            xytext=(points[-1][0], points[-1][1] - 0.1),
            arrowprops={
                "arrowstyle": "-|>,head_length=0.35,head_width=0.18",
                "color": look.fill,
                "linewidth": 1.3,
                "shrinkA": 0,
                "shrinkB": 0,
            },
            zorder=2,
        )
        self._mark(axes, *self._middle(points), self.numbers[edge], look)

    def _points(self, edge: tuple[int, int]) -> list[tuple[float, float]]:
        """Return the points that an arrow passes: between boxes, and past the rows between."""
        way = self.layers.ways[edge]
        first = next(row for row, steps in enumerate(self.layers.rows) if edge[0] in steps)
        points = [(self._port(edge[0], edge, out=True), first * _ROW + _BOX_HEIGHT)]
        for at, dot in enumerate(way[1:-1], start=first + 1):
            points.append((self.layers.middle[dot], at * _ROW))
            points.append((self.layers.middle[dot], at * _ROW + _BOX_HEIGHT))
        last = first + len(way) - 1
        return [*points, (self._port(edge[1], edge, out=False), last * _ROW)]

    def _port(self, step: int, edge: tuple[int, int], *, out: bool) -> float:
        """Return where on a box an arrow begins or ends, so that several do not lie in one."""
        side = 0 if out else 1
        mine = [one for one in self.layers.ways if one[side] == step]
        mine.sort(key=lambda one: self.layers.middle[self.layers.ways[one][1 if out else -2]])
        spread = min(0.3, (self.widths[step] - 0.3) / max(len(mine), 1))
        return self.layers.middle[step] + (mine.index(edge) - (len(mine) - 1) / 2) * spread

    @staticmethod
    def _middle(points: list[tuple[float, float]]) -> tuple[float, float]:
        (left, above), (right, below) = points[0], points[1]
        return (left + right) / 2, (above + below) / 2

    @staticmethod
    def _mark(axes: Axes, across: float, down: float, number: int, look: Look) -> None:
        axes.text(
            across,
            down,
            str(number),
            size=SMALL - 1.3,
            color=look.ink,
            ha="center",
            va="center_baseline",
            bbox={
                "boxstyle": "circle,pad=0.18" if number < 10 else "round,pad=0.2",
                "facecolor": look.fill,
                "edgecolor": PAPER,
                "linewidth": 0.8,
            },
            zorder=5,
        )

    def _write_reasons(self, axes: Axes) -> None:
        below = self.graph_height + _ABOVE_REASONS
        for reason in self.reasons:
            self._mark(axes, 0.09, below + _LINE / 2, reason.number, reason.look)
            for line in reason.lines:
                middle = below + _LINE / 2
                axes.text(0.25, middle, line, size=SMALL, va="center_baseline", color=INK)
                below += _LINE


def _curve(points: list[tuple[float, float]]) -> Curve:
    """Return a smooth way through points that leaves and reaches each of them straight down."""
    vertices = [points[0]]
    codes = [Curve.MOVETO]
    for (left, above), (right, below) in pairwise(points):
        half = (below - above) / 2
        vertices += [(left, above + half), (right, below - half), (right, below)]
        codes += [Curve.CURVE4] * 3
    return Curve(vertices, codes)


def _sheet(order: PartialOrder, title: str, footer: str) -> Sheet:
    last = len(order.stages) - 1
    panels = [
        _Panel(stage, one, last=last)
        for stage, one in zip(order.dockerfile.stages, order.stages, strict=True)
    ]
    present = {panel.conflicts[edge].kind for panel in panels for edge in panel.numbers}
    legend = [Entry(look) for kind, look in KINDS.items() if kind in present]
    if any(panel.free for panel in panels):
        legend.append(Entry(_FREE))
    subtitle = (
        "An arrow leads from an instruction to one that has to stay after it; instructions that no "
        "arrows join may change places. What follows from other arrows is not drawn."
    )
    boxes = [panel.box() for panel in panels]
    wide = max(box.left + box.width + box.right for box in boxes)
    across = max(1, min(len(boxes), int(_WIDEST // wide)))
    sheet = Sheet(Caption(title, subtitle, footer), legend, boxes, across)
    for axes, panel in zip(sheet.panels, panels, strict=True):
        panel.draw(axes)
    return sheet
