"""How ``bench orderings`` shows which order of instructions rebuilds fastest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from bench.arranging.variants import extent_of
from bench.cli.predict_view import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from bench.arranging import RankedVariant
    from bench.orderings.ordering import Ordering
    from bench.orderings.ranking import Ranked, Ranking

WRITTEN, WORST = "as written", "worst"
_LEAST_FOR_CHANGES = 9
"""Columns a change needs: its number, and hits of steps below it."""
_LEAST_FOR_MOVES = 34


def show(ranked: RankedVariant, top: int) -> None:
    """Print a table for each builder, with what the best ordering relies on below it."""
    console = Console(highlight=False)
    for builder, ranking in ranked.rankings.items():
        _show_builder(console, ranked, builder, ranking, top)
    for name, why in ranked.left_out.items():
        _line(console, f"note: the change {name} is left out: {why}")


def show_lines(title: str, lines: Iterable[str]) -> None:
    """Print lines below a title."""
    console = Console(highlight=False)
    _line(console, title)
    for line in lines:
        _line(console, f"  - {line}")


def _show_builder(
    console: Console, ranked: RankedVariant, builder: str, ranking: Ranking, top: int
) -> None:
    head = [ranked.scenario.name, ranked.variant, ranking.profile.title]
    _line(console, " · ".join(head), style="bold")
    for line in counted(builder, ranking):
        _line(console, line)
    console.print(_table(ranked, ranking, top, console.width))
    console.print()
    _show_changes(console, ranking)
    for line in remarks(ranking):
        _line(console, line)
    best = ranking.best.ordering
    relied = ranked.relied_on(best)
    if relied and not best.is_written:
        _line(console, "The best makes the same image because:")
        for text in relied:
            _line(console, f"  - {text}")
    console.print()


def counted(builder: str, ranking: Ranking) -> Iterator[str]:
    """Say how many orderings there are, and how the best was found."""
    orderings = _many(str(ranking.orderings), "legal ordering", ranking.orderings.value)
    apart = str(ranking.classes)
    yield f"{orderings}; {builder} can tell {apart} apart"
    if ranking.complete:
        return
    tried = f"{len(ranking.ranked):,} of them were tried, the most promising first"
    if ranking.is_optimal:
        yield f"{tried}: no legal ordering is faster than the best of these"
    else:
        yield (
            f"{tried}: none can be faster than {ranking.bound_seconds:.3f} s, which not every "
            "legal ordering has been held against"
        )


def remarks(ranking: Ranking) -> Iterator[str]:
    """Say where the seconds come from, and what is assumed."""
    yield (
        f"step times: {ranking.costs.source}; a rebuild in which all hits takes "
        f"{ranking.costs.floor:.2f} s"
    )
    if any(sum(one.open) for one in (ranking.best, ranking.written)):
        yield (
            "Steps that only an artefact decides (it may come out bit for bit the same) count as "
            "misses, unless the recorded run has them as hits."
        )


def _table(ranked: RankedVariant, ranking: Ranking, top: int, width: int) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    for name in ("rank", "seconds", "gain"):
        table.add_column(name, justify="right", no_wrap=True)
    wide = width - _LEAST_FOR_MOVES - 34 >= _LEAST_FOR_CHANGES * len(ranking.changes)
    if wide:
        for number in range(1, len(ranking.changes) + 1):
            table.add_column(str(number), justify="right", no_wrap=True)
    else:
        table.add_column("hits", justify="right", no_wrap=True)
    table.add_column("alike", justify="right", no_wrap=True)
    table.add_column("what moves", overflow="fold", min_width=_LEAST_FOR_MOVES)
    for one, name in shown(ranking, top):
        cells = _hits(one) if wide else [_mean_hits(one, ranking.weights)]
        moved = ranked.in_words(one.ordering)
        table.add_row(
            "-" if one.rank is None else str(one.rank),
            f"{one.expected_seconds:.3f}",
            _gain(one, ranking.written),
            *cells,
            f"{one.alike.value:,}",
            Text(printable("; ".join([*([name] if name else []), *moved]))),
            style="bold" if name == WRITTEN else None,
        )
    return table


def shown(ranking: Ranking, top: int) -> list[tuple[Ranked, str]]:
    """Return the best, the written and the worst, each once and in order, with what it is."""
    worst = ranking.worst
    chosen = {one.ordering: one for one in (*ranking.ranked[:top], ranking.written, worst)}
    ordered = sorted(chosen.values(), key=lambda one: round(one.expected_seconds, 9))
    is_spread = worst.expected_seconds > ranking.best.expected_seconds
    return [(one, _name(one, ranking.written, worst if is_spread else None)) for one in ordered]


def _name(one: Ranked, written: Ranked, worst: Ranked | None) -> str:
    if one.ordering == written.ordering:
        return WRITTEN
    return WORST if worst is not None and one.ordering == worst.ordering else ""


def _hits(one: Ranked) -> list[str]:
    return [
        f"{hits}{f'+{undecided}?' if undecided else ''}/{scored}"
        for hits, scored, undecided in zip(one.hits, one.scored, one.open, strict=True)
    ]


def _mean_hits(one: Ranked, weights: Sequence[float]) -> str:
    return f"{one.hit_share(weights):.0%}"


def _gain(one: Ranked, written: Ranked) -> str:
    if not written.expected_seconds:
        return ""
    change = one.expected_seconds / written.expected_seconds - 1
    return "" if abs(change) < 0.0005 else f"{change:+.1%}".replace("-", "\N{MINUS SIGN}")


def _show_changes(console: Console, ranking: Ranking) -> None:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("", justify="right")
    table.add_column("change", overflow="fold")
    table.add_column("weight", justify="right")
    table.add_column("best", justify="right")
    table.add_column("as written", justify="right")
    table.add_column("worst", justify="right")
    rows = (ranking.best, ranking.written, ranking.worst)
    for number, (name, weight) in enumerate(
        zip(ranking.changes, ranking.weights, strict=True), start=1
    ):
        cells = [f"{one.seconds[number - 1]:.2f} s" for one in rows]
        table.add_row(str(number), Text(printable(name)), f"{weight:.1%}", *cells)
    console.print(table)


def _many(count: str, what: str, value: int) -> str:
    return f"{count} {what}{'' if value == 1 else 's'}"


def _line(console: Console, text: str, style: str = "") -> None:
    console.print(Text(printable(text)), style=style or None, soft_wrap=not console.is_terminal)


def as_document(ranked: RankedVariant, top: int) -> dict[str, Any]:
    """Return everything as JSON has it: every ordering that was tried, best first.

    What an ordering relies on is given for those that the table would show.
    """
    return {
        "scenario": ranked.scenario.name,
        "variant": ranked.variant,
        "stages": [
            {
                "stage": stage.label,
                "stage_index": stage.index,
                "instructions": [one.text for one in stage.instructions],
            }
            for stage in ranked.dockerfile.stages
        ],
        "kept_in_order": [
            {
                "stage_index": stage.index,
                "earlier": one.earlier,
                "later": one.later,
                "why": one.why,
            }
            for stage in ranked.order.stages
            for one in stage.conflicts.values()
        ],
        "left_out": [{"change": name, "why": why} for name, why in ranked.left_out.items()],
        "builders": [
            _builder(ranked, name, ranking, top) for name, ranking in ranked.rankings.items()
        ],
    }


def _builder(ranked: RankedVariant, name: str, ranking: Ranking, top: int) -> dict[str, Any]:
    explained = {one.ordering for one, _ in shown(ranking, top)}
    return {
        **extent_of(name, ranking),
        "step_times": {
            "source": ranking.costs.source,
            "seconds": [
                {"stage_index": place.stage_index, "step": place.step, "seconds": seconds}
                for place, seconds in sorted(ranking.costs.seconds.items())
            ],
        },
        "changes": [
            {"change": change, "weight": weight}
            for change, weight in zip(ranking.changes, ranking.weights, strict=True)
        ],
        "written": _ordering(ranked, ranking, ranking.written, explained),
        "ranked": [_ordering(ranked, ranking, one, explained) for one in ranking.ranked],
    }


def _ordering(
    ranked: RankedVariant, ranking: Ranking, one: Ranked, explained: set[Ordering]
) -> dict[str, Any]:
    document: dict[str, Any] = {
        "rank": one.rank,
        "ordering": [list(steps) for steps in one.ordering.stages],
        "moves": ranked.in_words(one.ordering),
        "expected_seconds": one.expected_seconds,
        "alike": one.alike.value,
        "rebuilds": one.rebuilds(ranking.changes),
    }
    if one.ordering in explained:
        document["relies_on"] = ranked.relied_on(one.ordering)
    return document
