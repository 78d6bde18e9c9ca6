"""``bench init``: a first scenario for a project of one's own."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from bench.scenario.loading import scenario_name
from bench.scenario.starter import Started, start_scenario


@click.command(
    epilog="""\b
Examples:
  bench init ../shop
  bench init ../shop --out scenarios/shop
  bench init . --dockerfile docker/web.Dockerfile --out ../measure-web"""
)
@click.argument("project", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--dockerfile",
    type=click.Path(path_type=Path),
    help="The Dockerfile, where it is not DIR/Dockerfile.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Folder of the new scenario.  [default: scenarios/NAME]",
)
def init(project: Path, dockerfile: Path | None, out: Path | None) -> None:
    """Write a first scenario for the project in DIR, its build context.

    From the Dockerfile it takes which files are copied and what can be moved without making
    another image, from the git history which of these files change how often. Only scenario.toml
    is written, with comments that explain it; one that is there already is never overwritten.
    """
    folder = out if out is not None else Path("scenarios") / scenario_name(project.resolve().name)
    _tell(start_scenario(project, folder, dockerfile), folder)


def _tell(started: Started, folder: Path) -> None:
    scenario = started.scenario
    click.echo(f"wrote {click.format_filename(started.file)}")
    click.echo(f"  variants: {', '.join(one.name for one in scenario.variants)}")
    weighted = (f"{one.name} (weight {one.weight:g})" for one in scenario.changes)
    click.echo(f"  changes:  {', '.join(weighted)}")
    if started.in_context:
        click.echo(
            "  it lies in the build context: list its folder in .dockerignore, or COPY . . takes "
            "it in"
        )
    place = shlex.quote(click.format_filename(folder))
    click.echo("\nNext:")
    click.echo(f"  bench plan {place}    what would be built, and how often")
    click.echo(f"  bench run {place}     measure it")
