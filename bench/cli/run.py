"""``bench run``: build a scenario's variants and changes on real builders."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console

from bench.arranging import with_recorded
from bench.builders.names import is_simulated
from bench.cli.arranged import ORDERINGS, arranged
from bench.cli.conclusion import conclude
from bench.cli.options import (
    Duration,
    check_names,
    chosen_builders,
    load_scenarios,
    matrix_options,
)
from bench.cli.progress import RunProgress
from bench.cli.sites import Sites, times_for
from bench.errors import ExitCode, UsageError
from bench.runner import make_settings, read_head, resume_run, run_scenario
from bench.scenario import load_scenario

if TYPE_CHECKING:
    from bench.scenario import Scenario

DEFAULT_TIMEOUT_SECONDS = 600.0


@click.command(
    epilog="""\b
Examples:
  bench run scenarios/java-iotd
  bench run scenarios/java-iotd --builder buildkit --change edit-source --rounds 10
  bench run scenarios/*/ --out results/everything
  bench run scenarios/node-access-log --orderings best:3,worst:1,random:4,baseline
  bench run --resume results/java-iotd-20261124-101500
  bench run scenarios/java-iotd --builder simulated --times results/reference/java-expose"""
)
@click.argument("paths", metavar="PATH…", nargs=-1, type=click.Path(path_type=Path))
@matrix_options
@ORDERINGS
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
@click.option(
    "--times",
    type=click.Path(path_type=Path),
    metavar="RUN",
    help="Recorded run that simulated builders take step times from.  [default: a reference run "
    "of the scenario below results/reference, else its newest below results, else flat guesses]",
)
@click.option(
    "--check-predictions/--no-check-predictions",
    default=True,
    help="Whether a step that did other than the cache model had said ends the run with 1.  "
    "[default: it does]",
)
@click.option("--quiet", is_flag=True, help="Print only the result.")
def run(
    paths: tuple[Path, ...],
    builders: tuple[str, ...],
    variants: tuple[str, ...],
    changes: tuple[str, ...],
    orderings: str | None,
    timeout: float,
    time_budget: float | None,
    out: Path | None,
    resume: Path | None,
    times: Path | None,
    check_predictions: bool,
    quiet: bool,
    **numbers: int,
) -> int:
    """Build every variant of a scenario again and again, with one change at a time.

    Records of every build: its steps, hits, misses and seconds. The source tree is never written,
    nothing of your own in the engine is touched, and what the run makes there is removed.

    Before every build the cache model predicts what each step will do; a step that does something
    else is a finding.

    Ends with 1 if an expectation of the scenario was broken, a no-change control missed or a
    prediction was wrong, and with 4 if a build failed; bench report shows the rest.

    --builder simulated builds nothing and needs no engine: the cache model says what would hit, a
    recorded run how long the steps take. All that comes of it says so.
    """
    progress = RunProgress(Console(stderr=True), quiet=quiet)
    if resume is not None:
        if paths:
            raise UsageError(
                "--resume takes no PATH", remedy=f"write bench run --resume {resume} alone"
            )
        if orderings is not None:
            raise UsageError(
                "--resume builds the orderings that the run was begun with",
                remedy="leave --orderings out",
            )
        head = read_head(resume)
        if head.get("replay") is not None:
            raise UsageError(
                f"{resume} holds a replay",
                remedy=f"go on with it by bench replay --resume {resume}",
            )
        site = Sites(head["builders"], times, progress.note).of_run(head)
        scenario = with_recorded(load_scenario(Path(head["scenario_path"])), head, resume)
        with progress:
            result = resume_run(
                scenario, site, resume, observer=progress, time_budget_seconds=time_budget
            )
        return conclude(result, check_predictions=check_predictions)
    if not paths:
        raise UsageError(
            "name the folder of a scenario", remedy="for instance: bench run scenarios/java-iotd"
        )
    scenarios = load_scenarios(paths)
    for scenario in scenarios:
        check_names(scenario, variants, changes)
    chosen = chosen_builders(builders)
    measures = not any(map(is_simulated, chosen))
    # Real builders take their own times; orderings are ranked by recorded ones.
    sites = Sites(chosen, None if measures and orderings else times, progress.note)
    code = ExitCode.OK
    for asked in scenarios:
        site = sites.of(asked)
        scenario, names = asked, variants
        if orderings is not None:
            engine = site.engine
            followed = times_for(asked, times)
            scenario, names = arranged(
                asked,
                orderings,
                variants=variants,
                changes=changes,
                builders=chosen,
                engine=(engine.version, engine.image_store)
                if measures
                else (followed.engine_version, followed.image_store),
                times=followed,
                seed=numbers["seed"],
                tell=progress.note,
            )
        settings = make_settings(
            scenario,
            builders=chosen,
            variants=names,
            changes=changes,
            timeout_seconds=timeout,
            **numbers,
        )
        folder = _folder(scenario, out, several=len(scenarios) > 1)
        with RunProgress(Console(stderr=True), quiet=quiet) as progress:
            result = run_scenario(
                scenario,
                settings,
                site,
                folder,
                observer=progress,
                time_budget_seconds=time_budget,
            )
        code = max(code, conclude(result, check_predictions=check_predictions))
    return code


def _folder(scenario: Scenario, out: Path | None, *, several: bool) -> Path:
    if out is not None:
        return out / scenario.name if several else out
    stamp = dt.datetime.now().astimezone().strftime("%Y%m%d-%H%M%S")
    return Path("results") / f"{scenario.name}-{stamp}"
