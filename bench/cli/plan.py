"""``bench plan``: the matrix of a run before it is made."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.table import Table

from bench.cli.arranged import ORDERINGS, arranged
from bench.cli.options import (
    SCENARIO_PATHS,
    check_names,
    chosen_builders,
    load_scenarios,
    matrix_options,
)
from bench.cli.sites import times_for
from bench.runner.estimate import estimate_seconds
from bench.runner.plan import Phase, make_plan, make_settings

if TYPE_CHECKING:
    from bench.runner.plan import PlannedBuild, Settings
    from bench.scenario import Scenario


@click.command(
    epilog="""\b
Examples:
  bench plan scenarios/java-iotd
  bench plan scenarios/*/ --rounds 10 --builder buildkit
  bench plan scenarios/java-iotd --order"""
)
@SCENARIO_PATHS
@matrix_options
@ORDERINGS
@click.option("--order", is_flag=True, help="List every build in the order it would be made.")
@click.option(
    "--results",
    type=click.Path(path_type=Path),
    default=Path("results"),
    show_default=True,
    help="Folder of earlier runs, to estimate the time from.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def plan(
    paths: tuple[Path, ...],
    builders: tuple[str, ...],
    variants: tuple[str, ...],
    changes: tuple[str, ...],
    orderings: str | None,
    order: bool,
    results: Path,
    as_json: bool,
    **numbers: int,
) -> None:
    """Show what `bench run` would build: how many builds of what, and about how long.

    Reads the scenario only; no engine is needed.
    """
    documents = []
    console = Console()
    chosen = chosen_builders(builders)
    for asked in load_scenarios(paths):
        check_names(asked, variants, changes)
        scenario, names = asked, variants
        if orderings is not None:
            times = times_for(asked, None)
            scenario, names = arranged(
                asked,
                orderings,
                variants=variants,
                changes=changes,
                builders=chosen,
                engine=(times.engine_version, times.image_store),
                times=times,
                seed=numbers["seed"],
                tell=lambda text: click.echo(f"bench: {text}", err=True),
            )
        settings = make_settings(
            scenario,
            builders=chosen,
            variants=names,
            changes=changes,
            **numbers,
        )
        builds = make_plan(settings, [scenario.change(name) for name in settings.changes])
        seconds = estimate_seconds(scenario.name, builds, results)
        if as_json:
            documents.append(_document(scenario, settings, builds, seconds))
        else:
            _show(console, scenario, settings, builds, seconds)
            if order:
                _show_order(console, builds)
    if as_json:
        click.echo(json.dumps(documents, ensure_ascii=False, indent=1))


def _document(
    scenario: Scenario,
    settings: Settings,
    builds: tuple[PlannedBuild, ...],
    seconds: float | None,
) -> dict[str, Any]:
    return {
        "scenario": scenario.name,
        "builders": settings.builders,
        "variants": settings.variants,
        "changes": settings.changes,
        "rounds": settings.rounds,
        "builds": len(builds),
        "builds_by_phase": dict(Counter(build.phase.value for build in builds)),
        "estimated_seconds": seconds,
        "order": [
            {
                "build": build.number,
                "phase": build.phase.value,
                "round": build.round,
                "variant": build.variant,
                "builder": build.builder,
                "change": build.change,
            }
            for build in builds
        ],
    }


def _show(
    console: Console,
    scenario: Scenario,
    settings: Settings,
    builds: tuple[PlannedBuild, ...],
    seconds: float | None,
) -> None:
    table = Table(title=scenario.title, title_justify="left", show_header=False)
    table.add_row("builders", ", ".join(settings.builders))
    table.add_row("variants", ", ".join(settings.variants))
    table.add_row("changes", ", ".join(settings.changes) or "none: cold builds only")
    phases = Counter(build.phase for build in builds)
    table.add_row(
        "builds",
        f"{len(builds)}: {phases[Phase.COLD]} cold, {phases[Phase.WARMUP]} warm-up, "
        f"{phases[Phase.CONTROL]} controls, {phases[Phase.CHANGE]} with a change "
        f"({settings.rounds} rounds)",
    )
    table.add_row("time", _duration(seconds))
    console.print(table)


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return "not known before a first run of this scenario"
    if seconds < 90:
        return f"about {seconds:.0f} s, by an earlier run"
    return f"about {seconds / 60:.0f} min, by an earlier run"


def _show_order(console: Console, builds: tuple[PlannedBuild, ...]) -> None:
    table = Table()
    for column in ("build", "phase", "round", "variant", "builder", "change"):
        table.add_column(column)
    for build in builds:
        table.add_row(
            str(build.number),
            build.phase.value,
            "" if build.round < 0 else str(build.round),
            build.variant,
            build.builder,
            build.change,
        )
    console.print(table)
