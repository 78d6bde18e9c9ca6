"""``bench engine``: start, stop, list and install the engines to measure on."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click
from rich import box
from rich.console import Console
from rich.table import Table

from bench import engine as engines
from bench.engine.connect import install_if_missing
from bench.engine.find import why_silent
from bench.engine.install import install_engine
from bench.engine.modern import delete_roots
from bench.errors import NoEngineError

if TYPE_CHECKING:
    from collections.abc import Iterable
_TABLE_WIDTH = 120


@click.group("engine")
def engine() -> None:
    """Start, stop and list the Docker Engines to measure on.

    bench uses the engine the docker command would use: DOCKER_HOST, the current docker context,
    the default socket. Where none answers it uses a private one, a dockerd of its own with its own
    data, socket and network bridge, which leaves every other engine alone.
    """


@engine.command("start")
@click.option("--name", help="Name of the private engine; by default made from the other options.")
@click.option(
    "--release",
    help="Run the engine of this Debian release (sid, trixie, ...) instead of the machine's own; "
    "its root is made once (about 40 s, 650 MB).",
)
@click.option(
    "--image-store",
    type=click.Choice([store.value for store in engines.ImageStore]),
    help="Where the engine keeps its images; containerd needs Docker Engine 24 or newer.",
)
@click.option("--private", is_flag=True, help="Start one of our own even if another one answers.")
@click.option("--install", is_flag=True, help="Install the distribution's engine if it is missing.")
@click.option("--json", "as_json", is_flag=True, help="Say the result as JSON.")
@click.option("--quiet", is_flag=True, help="Say nothing but the value for DOCKER_HOST.")
def start_command(
    name: str | None,
    release: str | None,
    image_store: str | None,
    private: bool,
    install: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Make sure that an engine runs, and say how to reach it.

    Without options: the engine docker would use if it answers, else the private one. With --name,
    --release, --image-store or --private: that private engine, beside any other.

    \b
    Examples:
      bench engine start --install
      bench engine start --release sid
      bench engine start --release sid --image-store containerd
      export DOCKER_HOST=$(bench engine start --release sid --quiet)
    """  # noqa: D301 - click wants the backspace itself
    progress = _silent if as_json or quiet else _tell
    if name or release or image_store or private:
        spec = _spec(name, release, image_store)
        if install and release is None:
            install_if_missing(progress=progress)
        endpoint = engines.start(spec, progress=progress).endpoint
    else:
        endpoint = engines.ensure_engine(install=install, progress=progress)
    info = _describe(endpoint)
    if quiet:
        click.echo(endpoint.host)
    elif as_json:
        click.echo(json.dumps({"source": endpoint.source, **vars(info)}, indent=1))
    else:
        click.echo(
            f"Docker Engine {info.version} ({info.image_store} image store, "
            f"{info.storage_driver} on {info.data_root_filesystem}) answers: {endpoint.source}"
        )
        click.echo(f"  export DOCKER_HOST={endpoint.host}")


@engine.command("stop")
@click.argument("names", nargs=-1)
@click.option("--all", "every", is_flag=True, help="Stop every private engine.")
@click.option(
    "--purge",
    is_flag=True,
    help="Delete the images and caches of the engines too; with --all also the roots of releases.",
)
def stop_command(names: tuple[str, ...], every: bool, purge: bool) -> None:
    """Stop private engines: those named, else the one named default.

    Engines that bench did not start are never touched.

    \b
    Examples:
      bench engine stop
      bench engine stop sid-graphdriver sid-containerd
      bench engine stop --all --purge
    """  # noqa: D301 - click wants the backspace itself
    wanted = [folder.name for folder in engines.known_engines()] if every else list(names)
    for name in wanted if every else wanted or [engines.EngineSpec().name]:
        if not engines.stop(name, purge=purge, progress=_tell) and not every:
            raise NoEngineError(
                f"there is no private engine {name}", remedy="see bench engine status"
            )
    if every and purge:
        delete_roots()


@engine.command("status")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--quiet", is_flag=True, help="Print only the names of the running private engines.")
def status_command(as_json: bool, quiet: bool) -> None:
    """List the engine docker would use and the private engines.

    \b
    Examples:
      bench engine status
      bench engine status --json
    """  # noqa: D301 - click wants the backspace itself
    private = [
        state for folder in engines.known_engines() if (state := engines.status(folder.name))
    ]
    if quiet:
        for state in private:
            if state.running:
                click.echo(state.spec.name)
        return
    rows = [_usual_row(), *(_private_row(state) for state in private)]
    if as_json:
        click.echo(json.dumps(rows, indent=1))
    else:
        _print_table(rows)


@engine.command("install")
def install_command() -> None:
    """Install the distribution's Docker Engine (as root on Debian or Ubuntu).

    \b
    Example:
      bench engine install && bench engine start
    """  # noqa: D301 - click wants the backspace itself
    install_engine(progress=_tell)


def _spec(name: str | None, release: str | None, image_store: str | None) -> engines.EngineSpec:
    store = engines.ImageStore(image_store or engines.ImageStore.GRAPHDRIVER)
    if name is None:
        default = engines.EngineSpec().name
        plain = release is None and store is engines.ImageStore.GRAPHDRIVER
        name = default if plain else f"{release or default}-{store}"
    return engines.EngineSpec(name, release, store)


def _usual_row() -> dict[str, Any]:
    """Return the facts about the engine the docker command would use."""
    endpoint = engines.cli_endpoint()
    reason = why_silent(endpoint)
    row = {"name": "", "source": endpoint.source, "release": ""}
    if reason is not None:
        return {**row, "state": "no answer", "reason": reason, "host": endpoint.host}
    return {**row, "state": "runs", **vars(_describe(endpoint))}


def _private_row(state: engines.EngineState) -> dict[str, Any]:
    row = {
        "name": state.spec.name,
        "source": "private",
        "release": f"({state.spec.release})" if state.spec.release else "",
        "image_store": state.spec.image_store.value,
        "host": state.endpoint.host,
    }
    if not state.running:
        return {**row, "state": "stopped"}
    return {**row, "state": "runs", **vars(_describe(state.endpoint))}


def _describe(endpoint: engines.Endpoint) -> engines.EngineInfo:
    client = engines.client_of(endpoint)
    try:
        return engines.describe(client)
    finally:
        client.close()


def _print_table(rows: Iterable[dict[str, Any]]) -> None:
    table = Table("name", "engine", "image store", "state", box=box.SIMPLE)
    table.add_column("DOCKER_HOST", no_wrap=True)
    for row in rows:
        table.add_row(
            row["name"] or f"({row['source']})",
            f"{row.get('version', '')} {row['release']}".strip(),
            row.get("image_store", ""),
            row["state"],
            row["host"],
        )
    console = Console()
    # A value to copy must stay whole: on a narrower terminal the line wraps, not the column.
    console.width = max(console.width, _TABLE_WIDTH)
    console.print(table)


def _tell(message: str) -> None:
    click.echo(message, err=True)


def _silent(_message: str) -> None:
    return
