"""``bench report``: the answer of one or several runs, as a table, a document and charts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from bench.builders.names import is_simulated
from bench.cli.replay import show_replay
from bench.errors import UsageError
from bench.report import write_report
from bench.report.answer import hit_share
from bench.report.document import median
from bench.report.names import signed_seconds, span
from bench.report.simulated import mark
from bench.report.summary import as_document

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.report import Answer, ReportPaths
    from bench.report.compare import Comparison


@click.command(
    epilog="""\b
Examples:
  bench report results/java-iotd-20261124-101500
  bench report results/engine-20 results/engine-28 --out results/both"""
)
@click.argument("runs", metavar="RUN…", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Folder of the report.  [default: RUN/report; needed for several runs]",
)
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")
@click.option("--quiet", is_flag=True, help="Print only the path of the report.")
def report(runs: tuple[Path, ...], out: Path | None, as_json: bool, quiet: bool) -> None:
    """Answer the question of a scenario from the records of its runs.

    Writes tables (CSV), a document (Markdown) and charts (PNG and SVG). Several runs are read
    together; builders and engines are always kept apart.
    """
    if out is None and len(runs) > 1:
        raise UsageError(
            "several runs have no common folder for the report", remedy="name one with --out DIR"
        )
    errors = Console(stderr=True)
    target = out or runs[0] / "report"
    with errors.status("reading the records") as status:
        paths = write_report(runs, target, progress=lambda text: status.update(Text(text)))
    for warning in paths.warnings:
        click.echo(f"bench: warning: {warning}", err=True)
    if as_json:
        click.echo(json.dumps(_document(paths), ensure_ascii=False, indent=1))
    elif quiet:
        for document in paths.documents:
            click.echo(document)
    else:
        _show(Console(), paths)


def _document(paths: ReportPaths) -> dict[str, object]:
    return {
        **as_document(paths.answers),
        "documents": [str(path) for path in paths.documents],
        "tables": [str(path) for path in paths.tables],
        "charts": [str(path) for path in paths.charts],
        "warnings": list(paths.warnings),
    }


def _show(console: Console, paths: ReportPaths) -> None:
    for answer in paths.answers:
        _show_answer(console, answer)
    for document in paths.documents:
        _line(console, f"report: {document}")
    _line(console, f"charts: {paths.chart_folder}")


def _show_answer(console: Console, answer: Answer) -> None:
    _line(console, answer.title, style="bold")
    if answer.question:
        _line(console, answer.question)
    _show_numbers(console, answer)
    for ask in dict.fromkeys(verdict.ask for verdict in answer.verdicts):
        _line(console, ask, style="bold")
        for verdict in answer.verdicts:
            if verdict.ask == ask:
                _line(console, f"• {verdict.sentence}")
    if answer.predictions is not None:
        _line(console, f"predictions: {answer.predictions.sentence}")
    for remark in answer.remarks:
        _line(console, f"! {remark}", style="bold")


def _show_numbers(console: Console, answer: Answer) -> None:
    if answer.replay is not None:
        show_replay(console, answer.replay)
    for setup in answer.setups:
        for variant in answer.variants:
            rows = [
                item
                for item in answer.comparisons
                if (item.setup, item.variant) == (setup, variant)
            ]
            if rows:
                title = f"{mark(setup)}{variant} against {answer.baseline}: {setup.label}"
                console.print(_table(title, rows))


def _table(title: str, rows: Sequence[Comparison]) -> Table:
    table = Table(title=Text(title), title_justify="left")
    table.add_column("change", overflow="fold")
    for column in ("hits", "gained", "seconds", "gained", "interval", "n"):
        table.add_column(column, justify="right", no_wrap=column != "interval")
    for item in rows:
        gain = item.seconds_gained
        table.add_row(
            Text(item.change),
            hit_share(item.hits_variant, item.scored_variant),
            span(item.hits_gained, with_sign=True) if item.pairs else "no pair",
            median(item.seconds_variant),
            signed_seconds(gain.median) if gain else "no pair",
            _interval(item),
            str(item.pairs),
        )
    return table


def _interval(item: Comparison) -> str:
    gain = item.seconds_gained
    if is_simulated(item.setup.builder):
        return "simulated"
    if gain is None or gain.n == 1:
        return "none"
    return f"{signed_seconds(gain.low)} to {signed_seconds(gain.high)}"


def _line(console: Console, text: str, style: str = "") -> None:
    console.print(Text(text), style=style or None, soft_wrap=not console.is_terminal)
