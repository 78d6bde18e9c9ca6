"""Make a stand-in from packages: install them into the parent, build the recipe's Dockerfile."""

from __future__ import annotations

import io
import shutil
import tarfile
import tempfile
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import docker.errors

from bench.bases.host import CA_BUNDLE, apt_proxy_settings, apt_sources, debian_release
from bench.bases.npm import add_npm
from bench.bases.recipe import INSTALL_SCRIPT, RECIPES, Recipe
from bench.bases.wheels import add_wheels
from bench.errors import BaseImageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


_WORK = "/tmp/cachebench"  # noqa: S108 - inside the container of an installation
_CONTAINERS = f"cachebench-install-{uuid.uuid4().hex[:8]}-"
"""How the names of this process's installing containers begin."""
_LOG_LINES = 6
_INSTALL_REMEDY = "check that apt-get update works on this host, then repeat bench bases build"
_BUILD_REMEDY = "look at the engine (bench engine status), then repeat bench bases build"


def make_from_packages(
    client: docker.DockerClient,
    recipe: Recipe,
    parent_tag: str,
    labels: dict[str, str],
    progress: Callable[[str], None],
) -> None:
    """Make ``recipe.tag`` from the image ``parent_tag``.

    Raises:
        BaseImageError: the packages or the context cannot be had, or the Dockerfile fails.

    """
    installed = f"{recipe.repository}:installed-{recipe.digest}"
    with (
        tempfile.TemporaryDirectory(prefix="cachebench-recipe-") as scratch,
        ThreadPoolExecutor(max_workers=1) as beside,
    ):
        context = Path(scratch) / "context"
        preparing = beside.submit(_prepare_context, recipe, context, progress)
        progress(f"{recipe.name}: installing {', '.join(recipe.packages[:3])}")
        _install(client, parent_tag, recipe, installed)
        try:
            preparing.result()
            progress(f"{recipe.name}: building its Dockerfile")
            _build(client, recipe, installed, labels, context)
        finally:
            client.images.remove(installed, noprune=True)


def stop_installations(client: docker.DockerClient) -> None:
    """End the installations of this process; whoever waits for one gets its error."""
    for container in client.containers.list(ignore_removed=True, filters={"name": _CONTAINERS}):
        # It may end by itself in this moment.
        with suppress(docker.errors.APIError):
            container.kill()


def _prepare_context(recipe: Recipe, context: Path, progress: Callable[[str], None]) -> None:
    """Lay out the build context; it is fetched while apt works in the container."""
    shutil.copytree(recipe.folder, context)
    if recipe.context == "npm":
        add_npm(context, recipe.folder, progress)
    elif recipe.context == "wheels":
        add_wheels(context, recipe.folder, progress)


def _install(client: docker.DockerClient, parent: str, recipe: Recipe, tag: str) -> None:
    """Commit to ``tag`` the parent with the packages of the recipe.

    A container and not a RUN: the host's apt sources and certificates come as files that are
    gone before the commit, and so are in no layer and no history.
    """
    files = _install_files(recipe)
    container = client.containers.create(
        parent,
        ["sh", f"{_WORK}/{INSTALL_SCRIPT}"],
        name=_CONTAINERS + recipe.name,
        network_mode="host",
    )
    try:
        container.put_archive("/", files)
        container.start()
        if container.wait()["StatusCode"] != 0:
            log = container.logs().decode(errors="replace").strip().splitlines()
            raise BaseImageError(
                f'stand-in "{recipe.name}": installing its packages failed: '
                f"{' / '.join(log[-_LOG_LINES:])}",
                remedy=_INSTALL_REMEDY,
            )
        repository, _, version = tag.partition(":")
        # The command and folder of the installation are not those of the image.
        container.commit(repository, version, changes='CMD ["sh"]')
    finally:
        container.remove(force=True)


def _install_files(recipe: Recipe) -> bytes:
    """Pack what the installation script reads: sources, apt settings, certificates, packages."""
    sources = "".join(f"{source}\n" for source in apt_sources(debian_release()))
    settings = apt_proxy_settings()
    files = {
        INSTALL_SCRIPT: (RECIPES / INSTALL_SCRIPT).read_bytes(),
        "packages.txt": "\n".join(recipe.packages).encode(),
        "sources.list": sources.encode(),
    }
    if CA_BUNDLE.exists():
        files["ca.crt"] = CA_BUNDLE.read_bytes()
        settings += f'Acquire::https::CAInfo "{_WORK}/ca.crt";\n'
    files["apt.conf"] = settings.encode()
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(f"{_WORK.strip('/')}/{name}")
            info.size, info.mode = len(content), 0o644
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def _build(
    client: docker.DockerClient,
    recipe: Recipe,
    installed: str,
    labels: dict[str, str],
    context: Path,
) -> None:
    """Build the recipe's Dockerfile; it needs no network any more."""
    events = client.api.build(
        path=str(context),
        tag=recipe.tag,
        buildargs={"INSTALLED": installed},
        labels=labels,
        network_mode="none",
        rm=True,
        forcerm=True,
        decode=True,
    )
    _follow(recipe, events)


def _follow(recipe: Recipe, events: Iterable[dict[str, Any]]) -> None:
    """Read the build's events to the end.

    Raises:
        BaseImageError: the build failed.

    """
    log: list[str] = []
    for event in events:
        log += str(event.get("stream", "")).strip().splitlines()
        if "error" in event:
            tail = " / ".join([*log[-_LOG_LINES:], str(event["error"])])
            raise BaseImageError(
                f'stand-in "{recipe.name}": its Dockerfile failed: {tail}', remedy=_BUILD_REMEDY
            )
