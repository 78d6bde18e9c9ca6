"""``bench replay``: the commits of a repository as the changes."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from bench.builders.names import REAL_BUILDERS, SIMULATED, SIMULATED_BUILDERS
from bench.cli.conclusion import conclude, exit_code
from bench.cli.options import Duration, build_arguments, chosen_builders
from bench.cli.progress import RunProgress
from bench.cli.run import DEFAULT_TIMEOUT_SECONDS
from bench.cli.sites import Sites
from bench.errors import UsageError
from bench.replaying import DEFAULT_COMMITS, Wanted, read_replay, resume_replay, survey
from bench.replaying import replay as replay_commits

if TYPE_CHECKING:
    from bench.errors import ExitCode
    from bench.replaying import ReplaySource
    from bench.report.replaying import Cause, ReplaySummary, Total
    from bench.runner import RunResult

_CAUSES_SHOWN = 12


@click.command(
    epilog="""\b
Examples:
  bench replay path/to/repository
  bench replay . --commits 50 --builder buildkit
  bench replay . --dockerfile Dockerfile --dockerfile ../better/Dockerfile
  bench replay . --context services/web --dockerfile docker/web.Dockerfile
  bench replay . --builder simulated
  bench replay --resume results/replay-shop-20261124-101500"""
)
@click.argument("repo", metavar="[REPO]", required=False, type=click.Path(path_type=Path))
@click.option(
    "--commits",
    type=click.IntRange(2, 100_000),
    help="How many of the last commits to build, the first of them cold.  "
    f"[default: {DEFAULT_COMMITS}, or as many as there are]",
)
@click.option(
    "--dockerfile",
    "dockerfiles",
    multiple=True,
    type=click.Path(path_type=Path),
    help="A Dockerfile of the repository, taken as each commit has it, or any other file, taken as "
    "it is; repeat to compare several, the first is the baseline.  [default: Dockerfile in the "
    "context]",
)
@click.option(
    "--context",
    type=click.Path(path_type=Path),
    default=Path(),
    metavar="DIR",
    help="The build context, as a folder of the repository.  [default: the whole repository]",
)
@click.option(
    "--builder",
    "builders",
    multiple=True,
    type=click.Choice([*REAL_BUILDERS, SIMULATED, *SIMULATED_BUILDERS]),
    help="Builder to measure; repeat for several. Simulated ones need no engine and build nothing; "
    "simulated means both.  [default: classic and buildkit]",
)
@click.option("--target", help="Stage to build.  [default: the last]")
@click.option(
    "--build-arg",
    "build_args",
    multiple=True,
    metavar="K[=V]",
    help="Build argument of every build, as docker build takes it; repeat for several.",
)
@click.option(
    "--network",
    default="none",
    show_default=True,
    help="Network mode of RUN in every build, such as default.",
)
@click.option(
    "--seed",
    type=int,
    default=1,
    show_default=True,
    help="Decides the shuffled order of the builds of each commit.",
)
@click.option(
    "--timeout",
    type=Duration(),
    default=DEFAULT_TIMEOUT_SECONDS,
    help="Longest time of one build; a longer one is recorded as timed out.  [default: 600s]",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Folder of the run.  [default: results/replay-REPO-TIME]",
)
@click.option(
    "--resume",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Go on with the replay in DIR: make only the builds it lacks.",
)
@click.option(
    "--times",
    type=click.Path(path_type=Path),
    metavar="RUN",
    help="Recorded run that simulated builders take step times from.  [default: the newest replay "
    "of the repository below results, else flat guesses]",
)
@click.option(
    "--check-predictions/--no-check-predictions",
    default=True,
    help="Whether a step that did other than the cache model had said ends the replay with 1.  "
    "[default: it does]",
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.option("--quiet", is_flag=True, help="Print only the result.")
def replay(
    repo: Path | None,
    builders: tuple[str, ...],
    out: Path | None,
    resume: Path | None,
    times: Path | None,
    check_predictions: bool,
    as_json: bool,
    quiet: bool,
    **options: Any,
) -> int:
    """Build the last commits of a repository, one after the other, as its history went.

    Says what each commit's rebuild would have cost, and why steps missed, for every Dockerfile
    given on every builder. All commits of one Dockerfile on one builder share one cache; nothing
    is built in between.

    The repository is only read. Its working tree is not used: what is not committed is not built.
    The walk follows first parents: a merge is one commit, with all that came in by it. Commits that
    touch neither the context nor a Dockerfile are left out. A commit that does not build is
    recorded as failed, and the replay goes on.

    Ends with 1 if a prediction was wrong, and with 4 if a build failed; bench report shows the
    rest.
    """
    progress = RunProgress(Console(stderr=True), quiet=quiet or as_json)
    if resume is not None:
        if repo is not None:
            raise UsageError(
                "--resume takes no REPO", remedy=f"write bench replay --resume {resume} alone"
            )
        head, _ = read_replay(resume)
        site = Sites(head["builders"], times, progress.note).of_run(head)
        with progress:
            result = resume_replay(site, resume, observer=progress)
        return _show(result, check_predictions=check_predictions, as_json=as_json)
    if repo is None:
        raise UsageError(
            "name the folder of a git repository", remedy="for instance: bench replay ."
        )
    source = survey(repo, _wanted(options))
    for note in source.notes:
        progress.note(note)
    chosen = chosen_builders(builders)
    site = Sites(chosen, times, progress.note).of(source.scenario())
    folder = out or _folder(source)
    with progress:
        result = replay_commits(
            source,
            site,
            folder,
            builders=chosen,
            seed=options["seed"],
            timeout_seconds=options["timeout"],
            observer=progress,
        )
    return _show(result, check_predictions=check_predictions, as_json=as_json)


def _wanted(options: dict[str, Any]) -> Wanted:
    return Wanted(
        commits=options["commits"],
        context=options["context"],
        dockerfiles=options["dockerfiles"],
        build_args=build_arguments(options["build_args"]),
        target=options["target"],
        network=options["network"],
    )


def _folder(source: ReplaySource) -> Path:
    stamp = dt.datetime.now().astimezone().strftime("%Y%m%d-%H%M%S")
    return Path("results") / f"{source.scenario().name}-{stamp}"


def _show(result: RunResult, *, check_predictions: bool, as_json: bool) -> ExitCode:
    from bench.dataset import load_dataset  # brings pandas along
    from bench.report.replaying import summarise_replay

    summary = summarise_replay(load_dataset([result.folder]))
    if as_json:
        document = None if summary is None else asdict(summary)
        click.echo(json.dumps({"format": 1, "run": str(result.folder), "replay": document}))
        return exit_code(result, check_predictions=check_predictions)
    if summary is not None:
        show_replay(Console(), summary)
    return conclude(result, check_predictions=check_predictions)


def show_replay(console: Console, summary: ReplaySummary) -> None:
    """Print the sums of a replay, and why steps missed."""
    from bench.report.simulated import mark

    for setup in dict.fromkeys(one.setup for one in summary.totals):
        title = f"{mark(setup)}{len(summary.commits)} commits on {setup.label}"
        totals = [one for one in summary.totals if one.setup == setup]
        console.print(_totals(title, totals))
        causes = [one for one in summary.causes if one.setup == setup]
        if causes:
            console.print(_causes(causes[:_CAUSES_SHOWN]))
        if len(causes) > _CAUSES_SHOWN:
            click.echo(f"… and {len(causes) - _CAUSES_SHOWN} more causes; bench report shows them")


def _totals(title: str, totals: list[Total]) -> Table:
    from bench.report.replay_document import total_cells

    table = Table(title=Text(title), title_justify="left")
    table.add_column("Dockerfile", overflow="fold")
    for column in ("rebuilds", "hits", "seconds", "median", "saved", "cold", "failed"):
        table.add_column(column, justify="right", no_wrap=True)
    for one in totals:
        table.add_row(Text(one.variant), *total_cells(one))
    return table


def _causes(causes: list[Cause]) -> Table:
    from bench.report import names
    from bench.report.replay_document import stage_name, why

    several = len({one.variant for one in causes}) > 1
    table = Table(title=Text("why steps missed"), title_justify="left")
    if several:
        table.add_column("Dockerfile", overflow="fold")
    table.add_column("step", overflow="fold")
    table.add_column("why", overflow="fold")
    for column in ("commits", "steps", "seconds"):
        table.add_column(column, justify="right", no_wrap=True)
    for one in causes:
        row = [
            f"{stage_name(one.stage)}: {names.shortened(one.text, 48)}",
            names.shortened(why(one), 90),
            str(one.commits),
            str(one.misses),
            names.seconds(one.seconds),
        ]
        cells = [one.variant, *row] if several else row
        table.add_row(*(Text(cell) for cell in cells))
    return table
