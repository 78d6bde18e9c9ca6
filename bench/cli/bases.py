"""``bench bases``: list, build, copy and remove the stand-ins for base images."""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click
from rich import box
from rich.console import Console
from rich.table import Table

from bench.bases import (
    copy_standin,
    ensure_standins,
    find_standin,
    load_recipe,
    load_recipes,
    remove_standins,
)
from bench.engine import connect
from bench.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from docker import DockerClient

    from bench.bases import Recipe, StandIn

_TABLE_WIDTH = 110

_engine_host = click.option(
    "--engine-host",
    metavar="HOST",
    help="The engine, as in DOCKER_HOST; by default the one docker would use.",
)


@click.group("bases")
def bases() -> None:
    """Make and keep stand-ins for base images where there is no registry.

    A FROM comes from the engine, else from a stand-in made before, else from a registry, else from
    a stand-in made now from the packages of this host's Debian. Stand-ins are tagged
    cachebench/standin-NAME and never under the name of the image they stand for.
    """


@bases.command("list")
@_engine_host
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_command(engine_host: str | None, as_json: bool) -> None:
    """List the stand-ins: what each stands for, whether the engine has it, size and tag.

    \b
    Example:
      bench bases list --json
    """  # noqa: D301  # \b is click's mark
    with _engine(engine_host) as client:
        standins = [find_standin(client, recipe) for recipe in load_recipes()]
    if as_json:
        click.echo(json.dumps([_row(standin) for standin in standins], indent=1))
    else:
        _print_table(standins)


@bases.command("build")
@click.argument("names", nargs=-1)
@click.option("--all", "every", is_flag=True, help="Make every stand-in there is.")
@_engine_host
@click.option("--quiet", is_flag=True, help="Print nothing but the tags.")
def build_command(
    names: tuple[str, ...], every: bool, engine_host: str | None, quiet: bool
) -> None:
    """Make the stand-ins NAMES that the engine lacks (as root on Debian; all: about a minute).

    \b
    Examples:
      bench bases build busybox
      bench bases build --all
    """  # noqa: D301  # \b is click's mark
    recipes = _chosen(names, every)
    progress = _silent if quiet else _timed()
    with _engine(engine_host) as client:
        standins = ensure_standins(client, recipes, progress=progress)
    for standin in standins:
        click.echo(standin.recipe.tag)


@bases.command("copy")
@click.argument("source")
@click.argument("names", nargs=-1)
@_engine_host
def copy_command(source: str, names: tuple[str, ...], engine_host: str | None) -> None:
    """Copy stand-ins from the engine at SOURCE: NAMES, else all it has.

    \b
    Example:
      bench bases copy unix:///var/run/docker.sock --engine-host unix:///run/other/docker.sock
    """  # noqa: D301  # \b is click's mark
    progress = _timed()
    with _engine(source) as here, _engine(engine_host) as there:
        recipes = _chosen(names, every=not names)
        if not names:
            recipes = [recipe for recipe in recipes if find_standin(here, recipe).present]
        for recipe in recipes:
            copied = copy_standin(here, there, recipe)
            progress(f"{recipe.name}: {'copied' if copied else 'already there'}")


@bases.command("remove")
@click.argument("names", nargs=-1)
@click.option("--all", "every", is_flag=True, help="Remove every stand-in.")
@_engine_host
def remove_command(names: tuple[str, ...], every: bool, engine_host: str | None) -> None:
    """Remove stand-ins from the engine, those of older recipes too; other images stay.

    \b
    Examples:
      bench bases remove maven
      bench bases remove --all
    """  # noqa: D301  # \b is click's mark
    chosen = tuple(recipe.name for recipe in _chosen(names, every))
    with _engine(engine_host) as client:
        removed = remove_standins(client, () if every else chosen)
    for tag in removed:
        click.echo(f"removed {tag}")
    if not removed:
        click.echo("nothing to remove")


def _chosen(names: tuple[str, ...], every: bool) -> list[Recipe]:
    """Return the recipes a command is about.

    Raises:
        UsageError: neither names nor --all, or both.
        BaseImageError: a name is not that of a recipe.

    """
    if every == bool(names):
        known = ", ".join(recipe.name for recipe in load_recipes())
        raise UsageError("name the stand-ins, or give --all", remedy=f"there are {known}")
    return list(load_recipes()) if every else [load_recipe(name) for name in names]


@contextmanager
def _engine(host: str | None) -> Iterator[DockerClient]:
    client = connect(host, progress=_tell)
    try:
        yield client
    finally:
        client.close()


def _row(standin: StandIn) -> dict[str, object]:
    recipe = standin.recipe
    return {
        "name": recipe.name,
        "summary": recipe.summary,
        "stands_for": list(recipe.stands_for),
        "present": standin.present,
        "image_bytes": standin.image_bytes,
        "image_id": standin.image_id,
        "tag": recipe.tag,
    }


def _print_table(standins: list[StandIn]) -> None:
    table = Table("name", "stands for", "what it is", "present", box=box.SIMPLE)
    table.add_column("size", justify="right")
    table.add_column("tag", no_wrap=True)
    for standin in standins:
        recipe = standin.recipe
        size = f"{standin.image_bytes / 1e6:.0f} MB" if standin.image_bytes else ""
        table.add_row(
            recipe.name,
            ", ".join(recipe.stands_for),
            recipe.summary,
            "yes" if standin.present else "no",
            size,
            recipe.tag,
        )
    console = Console()
    # A tag to copy must stay whole: on a narrower terminal the line wraps, not the column.
    console.width = max(console.width, _TABLE_WIDTH)
    console.print(table)


def _timed() -> Callable[[str], None]:
    """Return a progress that says the seconds since now with every line."""
    begin = time.monotonic()

    def tell(message: str) -> None:
        _tell(f"{time.monotonic() - begin:6.1f} s  {message}")

    return tell


def _tell(message: str) -> None:
    click.echo(message, err=True)


def _silent(_message: str) -> None:
    return
