"""``bench run``: build a scenario's variants and changes on real builders."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console

from bench.cli.options import (
    Duration,
    check_names,
    chosen_builders,
    load_scenarios,
    matrix_options,
)
from bench.cli.progress import RunProgress
from bench.engine import connect, describe
from bench.errors import ExitCode, UsageError
from bench.runner import EngineSite, make_settings, read_head, resume_run, run_scenario
from bench.scenario import load_scenario

if TYPE_CHECKING:
    from collections.abc import Callable

    from docker import DockerClient

    from bench.runner import RunResult
    from bench.scenario import Scenario

DEFAULT_TIMEOUT_SECONDS = 600.0
_SHOWN_LOG_LINES = 15


@click.command(
    epilog="""\b
Examples:
  bench run scenarios/java-iotd
  bench run scenarios/java-iotd --builder buildkit --change edit-source --rounds 10
  bench run scenarios/* --out results/everything
  bench run --resume results/java-iotd-20261124-101500"""
)
@click.argument("paths", metavar="PATH…", nargs=-1, type=click.Path(path_type=Path))
@matrix_options
@click.option(
    "--timeout",
    type=Duration(),
    default=DEFAULT_TIMEOUT_SECONDS,
    help="Longest time of one build; a longer one is recorded as timed out.  [default: 600s]",
)
@click.option("--time-budget", type=Duration(), help="Begin no new block after this time.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Folder of the run.  [default: results/SCENARIO-TIME]",
)
@click.option(
    "--resume",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Go on with the run in DIR: make only the builds it lacks.",
)
@click.option("--quiet", is_flag=True, help="Print only the result.")
def run(
    paths: tuple[Path, ...],
    builders: tuple[str, ...],
    variants: tuple[str, ...],
    changes: tuple[str, ...],
    timeout: float,
    time_budget: float | None,
    out: Path | None,
    resume: Path | None,
    quiet: bool,
    **numbers: int,
) -> int:
    """Build every variant of a scenario again and again, with one change at a time.

    Records of every build: its steps, hits, misses and seconds. The source tree is never written,
    nothing of your own in the engine is touched, and what the run makes there is removed.

    Ends with 1 if an expectation of the scenario was broken or a no-change control missed, and
    with 4 if a build failed; bench report shows the rest.
    """
    console = Console(stderr=True)
    if resume is not None:
        if paths:
            raise UsageError(
                "--resume takes no PATH", remedy=f"write bench run --resume {resume} alone"
            )
        scenario = load_scenario(Path(read_head(resume)["scenario_path"]))
        client = connect(progress=_printer(console, quiet=quiet))
        with RunProgress(console, quiet=quiet) as progress:
            result = resume_run(
                scenario,
                EngineSite(client),
                resume,
                observer=progress,
                time_budget_seconds=time_budget,
            )
        return _conclude(result)
    if not paths:
        raise UsageError(
            "name the folder of a scenario", remedy="for instance: bench run scenarios/java-iotd"
        )
    scenarios = load_scenarios(paths)
    for scenario in scenarios:
        check_names(scenario, variants, changes)
    client = connect(progress=_printer(console, quiet=quiet))
    _introduce(console, client, quiet=quiet)
    code = ExitCode.OK
    for scenario in scenarios:
        settings = make_settings(
            scenario,
            builders=chosen_builders(builders),
            variants=variants,
            changes=changes,
            timeout_seconds=timeout,
            **numbers,
        )
        folder = _folder(scenario, out, several=len(scenarios) > 1)
        with RunProgress(console, quiet=quiet) as progress:
            result = run_scenario(
                scenario,
                settings,
                EngineSite(client),
                folder,
                observer=progress,
                time_budget_seconds=time_budget,
            )
        code = max(code, _conclude(result))
    return code


def _printer(console: Console, *, quiet: bool) -> Callable[[str], None]:
    return RunProgress(console, quiet=quiet).note


def _introduce(console: Console, client: DockerClient, *, quiet: bool) -> None:
    if quiet:
        return
    engine = describe(client)
    console.print(
        f"Docker Engine {engine.version} ({engine.image_store} {engine.storage_driver}) "
        f"at {engine.host}",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )


def _folder(scenario: Scenario, out: Path | None, *, several: bool) -> Path:
    if out is not None:
        return out / scenario.name if several else out
    stamp = dt.datetime.now().astimezone().strftime("%Y%m%d-%H%M%S")
    return Path("results") / f"{scenario.name}-{stamp}"


def _conclude(result: RunResult) -> ExitCode:
    """Print what came out and return the exit code."""
    hits = sum(record.hits for record in result.records if record.phase == "change")
    misses = sum(record.misses for record in result.records if record.phase == "change")
    click.echo(
        f"{len(result.records)} builds in {result.folder}; after the changes {hits} of "
        f"{hits + misses} steps hit the cache"
    )
    met = len(result.expectations) - len(result.broken)
    if result.expectations:
        click.echo(f"expectations met: {met} of {len(result.expectations)}")
    for broken in result.broken:
        click.echo(f"BROKEN {broken.variant} · {broken.builder} · {broken.change}:")
        for problem in broken.problems:
            click.echo(f"  {problem}")
    for record in result.unstable:
        click.echo(
            f"UNSTABLE {record.variant} · {record.builder}: {record.misses} steps missed in a "
            f"no-change control (build {record.build})"
        )
    for record in result.failed:
        click.echo(
            f"{record.outcome.upper()} {record.variant} · {record.builder} · "
            f"{record.change or record.phase} (build {record.build}): {record.error}"
        )
        for line in record.log_tail[-_SHOWN_LOG_LINES:]:
            click.echo(f"  | {line}")
    for text in result.excluded:
        click.echo(f"left out: {text}")
    for left in result.left_behind:
        click.echo(f"could not remove from the engine: {left} (bench clean tries again)", err=True)
    click.echo(f"next: bench report {result.folder}")
    if result.failed:
        return ExitCode.BUILD_FAILED
    return ExitCode.CHECK_FAILED if result.broken or result.unstable else ExitCode.OK
