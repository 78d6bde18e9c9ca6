"""Say how a run ended, and with which exit status."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bench.errors import ExitCode

if TYPE_CHECKING:
    from bench.journal import BuildRecord
    from bench.runner import RunResult

_SHOWN_LOG_LINES = 15
_SHOWN_DISAGREEMENTS = 20


def conclude(result: RunResult, *, check_predictions: bool) -> ExitCode:
    """Print what came out and return the exit code.

    ``check_predictions`` says whether a wrong prediction of the cache model is a failed check.
    """
    _print_counts(result)
    for broken in result.broken:
        click.echo(f"BROKEN {broken.variant} · {broken.builder} · {broken.change}:")
        for problem in broken.problems:
            click.echo(f"  {problem}")
    for record in result.unstable:
        click.echo(
            f"UNSTABLE {record.variant} · {record.builder}: {record.misses} steps missed in a "
            f"no-change control (build {record.build})"
        )
    _print_disagreements(result)
    for record in result.failed:
        _print_failure(record)
    for text in result.excluded:
        click.echo(f"left out: {text}")
    for left in result.left_behind:
        click.echo(f"could not remove from the engine: {left} (bench clean tries again)", err=True)
    click.echo(f"next: bench report {result.folder}")
    return exit_code(result, check_predictions=check_predictions)


def exit_code(result: RunResult, *, check_predictions: bool) -> ExitCode:
    """Return what a run ends with."""
    if result.failed:
        return ExitCode.BUILD_FAILED
    wrong = check_predictions and result.disagreements
    return ExitCode.CHECK_FAILED if result.broken or result.unstable or wrong else ExitCode.OK


def _print_counts(result: RunResult) -> None:
    changes = [record for record in result.records if record.phase == "change"]
    hits = sum(record.hits for record in changes)
    scored = hits + sum(record.misses for record in changes)
    kind = "simulated builds" if result.simulated else "builds"
    click.echo(
        f"{len(result.records)} {kind} in {result.folder}; after the changes {hits} of "
        f"{scored} steps hit the cache"
    )
    met = len(result.expectations) - len(result.broken)
    if result.expectations:
        unchecked = "; steps that only an artefact decides were not checked"
        click.echo(
            f"expectations met: {met} of {len(result.expectations)}"
            + (unchecked if result.simulated else "")
        )
    if result.predictions is not None:
        click.echo(f"predictions: {result.predictions.sentence}")


def _print_disagreements(result: RunResult) -> None:
    found = result.disagreements
    for one in found[:_SHOWN_DISAGREEMENTS]:
        click.echo(f"AGAINST THE PREDICTION {one.sentence}")
    if len(found) > _SHOWN_DISAGREEMENTS:
        click.echo(f"  … and {len(found) - _SHOWN_DISAGREEMENTS} more, in run.json")


def _print_failure(record: BuildRecord) -> None:
    click.echo(
        f"{record.outcome.upper()} {record.variant} · {record.builder} · "
        f"{record.change or record.phase} (build {record.build}): {record.error}"
    )
    for line in record.log_tail[-_SHOWN_LOG_LINES:]:
        click.echo(f"  | {line}")
