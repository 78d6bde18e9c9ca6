"""How ``bench predict`` shows what rebuilds will do: which step, after which change, and why."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from bench.cache_model import Predicted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bench.cache_model import Decision, StepPlace
    from bench.predicting import Cause, Outlook, Rebuild, Subject

_CELLS = {
    Predicted.HIT: ("hit", "green"),
    Predicted.MISS: ("miss", "bold red"),
    Predicted.DEPENDS: ("dep.", "yellow"),
    Predicted.MERGED: ("=", "dim"),
    Predicted.CONFIG: ("-", "dim"),
    Predicted.UNREACHED: ("-", "dim"),
    Predicted.UNKNOWN: ("?", "bold yellow"),
    Predicted.BASE: ("", ""),
}
_LEGEND = {
    Predicted.DEPENDS: "dep.  depends on whether what is made again comes out bit for bit the same",
    Predicted.MERGED: "=     done once, together with an equal step of another stage",
    Predicted.CONFIG: "-     no cache entry of its own, or in a stage that is not needed",
    Predicted.UNKNOWN: "?     unknown: not understood, or on top of what is not",
}
_COLD = "cold build"
_NARROWEST_STEP = 30
_GAP = 2
_CELL = 4
_LONGEST_STEP = 40
_SHAPE = tuple[tuple["StepPlace", str], ...]


def show(outlooks: Sequence[tuple[Subject, Outlook]], *, is_assumed: bool, cold: bool) -> None:
    """Print every outlook as a matrix with the causes below it, then all variants side by side.

    Args:
        outlooks: what was predicted, with what it is of.
        is_assumed: whether no version of a builder was asked for.
        cold: whether the first build is shown too.

    """
    console = Console(highlight=False)
    builds = []
    for subject, pairs in groupby(outlooks, key=lambda one: one[0]):
        for _, outlook in pairs:
            shown = _builds(outlook, cold=cold)
            builds += [one.rebuild for one in shown]
            _show_outlook(console, outlook, shown)
        for note in subject.notes:
            _line(console, f"note: {note}")
        if subject.notes:
            console.print()
    _show_comparisons(console, [outlook for _, outlook in outlooks])
    _show_legend(console, builds, is_assumed=is_assumed)


@dataclass(frozen=True)
class _Build:
    """A build that is shown, under its number."""

    number: int
    name: str
    rebuild: Rebuild

    @property
    def shape(self) -> _SHAPE:
        """Equal where two Dockerfiles have the same instructions in the same places."""
        return tuple((one.place, one.instruction) for one in self.rebuild.prediction.decisions)

    @property
    def by_place(self) -> dict[StepPlace, Decision]:
        """The decisions by where they stand."""
        return {one.place: one for one in self.rebuild.prediction.decisions}


def _builds(outlook: Outlook, *, cold: bool) -> list[_Build]:
    shown = [(one.change, one) for one in outlook.rebuilds]
    if cold or not shown:
        shown.insert(0, (_COLD, outlook.cold))
    return [_Build(number, name, one) for number, (name, one) in enumerate(shown, start=1)]


def _show_outlook(console: Console, outlook: Outlook, builds: Sequence[_Build]) -> None:
    words = [outlook.scenario, outlook.variant, outlook.profile.title]
    _line(console, " · ".join(word for word in words if word), style="bold")
    shapes: dict[_SHAPE, list[_Build]] = {}
    for build in builds:
        shapes.setdefault(build.shape, []).append(build)
    first = _Build(0, "", outlook.cold)
    for shape, members in shapes.items():
        steps = (first if shape == first.shape else members[0]).rebuild.prediction.decisions
        most = max(1, (console.width - _NARROWEST_STEP) // (_CELL + _GAP))
        for start in range(0, len(members), most):
            console.print(_matrix(steps, members[start : start + most], console.width))
    console.print()
    console.print(_causes(builds))
    for text in _open_ends(builds):
        console.print(text, soft_wrap=not console.is_terminal)
    console.print()


def _matrix(steps: Sequence[Decision], builds: Sequence[_Build], width: int) -> Table:
    heads = [_head(build) for build in builds]
    room = width - sum(max(_CELL, *map(cell_len, head.split("\n"))) + _GAP for head in heads)
    if room < _NARROWEST_STEP:
        heads = [str(build.number) for build in builds]
        room = width - len(builds) * (_CELL + _GAP)
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("step", no_wrap=True, overflow="ellipsis", max_width=room)
    for head in heads:
        table.add_column(Text(head), no_wrap=True, min_width=_CELL, vertical="bottom")
    found = [build.by_place for build in builds]
    for stage, lines in groupby(steps, key=lambda one: one.stage_index):
        rows = [(line, [one[line.place] for one in found]) for line in lines]
        is_needed = any(
            one.outcome is not Predicted.UNREACHED for _, cells in rows for one in cells
        )
        for line, cells in rows if is_needed else rows[:1]:
            if stage >= 0 or any(one.outcome is Predicted.UNKNOWN for one in cells):
                table.add_row(_label(line, is_needed=is_needed), *map(_cell, cells))
    return table


def _head(build: _Build) -> str:
    """Return the number and the name of a change, broken where its words end."""
    return f"{build.number}\n" + re.sub(r"(?<=[-/ ])(?=.)", "\n", printable(build.name))


def _label(line: Decision, *, is_needed: bool) -> Text:
    if line.step == 1 and line.stage_index >= 0:
        end = "" if is_needed else " (not needed)"
        return _text(f"{line.stage}: {line.text}{end}", style="bold" if is_needed else "dim")
    return _text(f"{line.step:>3} {line.text}")


def _cell(decision: Decision) -> Text:
    word, style = _CELLS[decision.outcome]
    if decision.step == 1 and decision.outcome is not Predicted.UNKNOWN:
        word = ""
    return Text(word, style=style)


def _causes(builds: Sequence[_Build]) -> Table:
    table = Table(
        box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim", show_header=True
    )
    table.add_column("", justify="right", no_wrap=True)
    table.add_column("change", max_width=24, overflow="fold")
    table.add_column("hits", no_wrap=True)
    table.add_column("where the misses begin", overflow="fold")
    for build in builds:
        causes = [one for one in build.rebuild.causes if one.outcome is Predicted.MISS]
        lines = [_cause(one) for one in causes] or [Text("none", style="dim")]
        table.add_row(
            str(build.number), _text(build.name), hits_of(build.rebuild), Text("\n").join(lines)
        )
    return table


def _open_ends(builds: Sequence[_Build]) -> Iterator[Text]:
    """Yield once for all builds what steps depend on, and what is not understood."""
    for cause in dict.fromkeys(one for build in builds for one in build.rebuild.causes):
        if cause.outcome is Predicted.DEPENDS:
            yield Text("dep. ") + _cause(cause)
        elif cause.outcome is Predicted.UNKNOWN:
            yield Text(f"?    line {cause.line}: ") + _cause(cause)


def _cause(cause: Cause) -> Text:
    step = cause.step if len(cause.step) <= _LONGEST_STEP else cause.step[: _LONGEST_STEP - 1] + "…"
    return _text(step, style=_CELLS[cause.outcome][1]) + _text(f": {cause.detail}")


def hits_of(rebuild: Rebuild) -> str:
    """Return the hits of a build in words, as a range where an artefact decides."""
    hits = rebuild.count(Predicted.HIT)
    depends, unknown = rebuild.count(Predicted.DEPENDS), rebuild.count(Predicted.UNKNOWN)
    span = f"{hits}\N{EN DASH}{hits + depends}" if depends else str(hits)
    return f"{span} of {rebuild.scored}" + (f", {unknown} unknown" if unknown else "")


def _show_comparisons(console: Console, outlooks: Sequence[Outlook]) -> None:
    """Print the hits of all variants side by side, for every scenario and builder."""
    groups: dict[tuple[str, str], list[Outlook]] = {}
    for one in outlooks:
        groups.setdefault((one.scenario, one.profile.name), []).append(one)
    for members in groups.values():
        if len(members) < 2:
            continue
        words = [members[0].scenario, "hits after each change", members[0].profile.name]
        _line(console, " · ".join(word for word in words if word), style="bold")
        table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
        table.add_column("change", overflow="fold")
        for member in members:
            table.add_column(_text(member.variant), overflow="fold")
        for rows in zip(*(member.rebuilds for member in members), strict=True):
            table.add_row(_text(rows[0].change), *map(hits_of, rows))
        console.print(table)
        console.print()


def _show_legend(console: Console, builds: Sequence[Rebuild], *, is_assumed: bool) -> None:
    shown = {one.outcome for build in builds for one in build.prediction.decisions}
    if Predicted.UNREACHED in shown:
        shown.add(Predicted.CONFIG)
    for outcome, text in _LEGEND.items():
        if outcome in shown:
            _line(console, text)
    if is_assumed:
        _line(
            console,
            "No engine was asked: these are the newest rules of each builder; --builder names "
            "others.",
        )


def printable(text: str) -> str:
    """Return ``text`` with escapes in place of what a terminal would obey or cannot show."""
    return "".join(
        one if one.isprintable() else one.encode("unicode_escape").decode() for one in text
    )


def _text(text: str, style: str = "") -> Text:
    return Text(printable(text), style=style)


def _line(console: Console, text: str, style: str = "") -> None:
    console.print(_text(text), style=style or None, soft_wrap=not console.is_terminal)
