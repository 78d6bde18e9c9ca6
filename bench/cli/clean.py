"""``bench clean``: remove what killed runs left in the engine."""

from __future__ import annotations

import click

from bench.bases.isolation import clean_leftovers, leftover_runs
from bench.engine import connect, describe, engine_lock


@click.command(
    epilog="""\b
Examples:
  bench clean --dry-run
  bench clean"""
)
@click.option("--dry-run", is_flag=True, help="Only list the runs that left something.")
def clean(dry_run: bool) -> None:
    """Remove the images and build-cache records that killed runs left in the engine.

    A run cleans up after itself, also after Ctrl-C. Only one that was killed outright leaves its
    images, all tagged localhost:1/cachebench/run-…; nothing else is touched. It refuses while a
    run is going on.
    """
    client = connect(start=False)
    engine = describe(client)
    with engine_lock(engine.id, wait_seconds=0):
        runs = leftover_runs(client)
        for run, tags in sorted(runs.items()):
            click.echo(f"run {run}: {len(tags)} tagged images")
        if not runs:
            click.echo("nothing to clean: no run left anything in this engine")
        elif not dry_run:
            removed = clean_leftovers(client, engine.image_store)
            click.echo(f"removed {removed.images} images and {removed.records} build-cache records")
            for left in removed.left:
                click.echo(f"could not remove {left}", err=True)
