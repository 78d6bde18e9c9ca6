"""Make, find, list and remove the stand-in images of an engine."""

from __future__ import annotations

import io
import shutil
import tarfile
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import docker
import docker.errors
import requests

from bench.bases.busybox import busybox_tar
from bench.bases.host import (
    CA_BUNDLE,
    apt_proxy_settings,
    apt_sources,
    debian_release,
    make_rootfs,
)
from bench.bases.npm import add_npm
from bench.bases.recipe import INSTALL_SCRIPT, RECIPES, REPOSITORY, Recipe, load_recipe
from bench.errors import BaseImageError

if TYPE_CHECKING:
    from collections.abc import Callable

LABEL = "cachebench.standin"
_WORK = "/tmp/cachebench"  # noqa: S108 - inside the container of an installation
_LOG_LINES = 6
_BUILD_REMEDY = "see bench doctor for the engine, then repeat bench bases build"
_INSTALL_REMEDY = "check that apt-get update works on this host, then repeat bench bases build"

Progress = "Callable[[str], None]"


@dataclass(frozen=True)
class StandIn:
    """A recipe and the image the engine has of it: its id and bytes, or None."""

    recipe: Recipe
    image_id: str | None
    image_bytes: int | None

    @property
    def present(self) -> bool:
        """Whether the engine has the image."""
        return self.image_id is not None


def find_standin(client: docker.DockerClient, recipe: Recipe) -> StandIn:
    """Look a stand-in up in the engine, without making it."""
    try:
        attributes = client.images.get(recipe.tag).attrs
    except docker.errors.ImageNotFound:
        return StandIn(recipe, None, None)
    return StandIn(recipe, str(attributes["Id"]), int(attributes["Size"]))


def ensure_standin(
    client: docker.DockerClient, recipe: Recipe, *, progress: Callable[[str], None]
) -> StandIn:
    """Return the stand-in of ``recipe``, made now (with its parents) if the engine lacks it.

    Raises:
        BaseImageError: it cannot be made on this host.

    """
    found = find_standin(client, recipe)
    if found.present:
        return found
    begin = time.monotonic()
    if recipe.make == "packages":
        _make_from_packages(client, recipe, progress)
    else:
        _import(client, recipe, progress)
    made = find_standin(client, recipe)
    seconds = time.monotonic() - begin
    progress(f"{recipe.name}: {recipe.tag}, {(made.image_bytes or 0) / 1e6:.0f} MB, {seconds:.1f} s")
    return made


def remove_standins(client: docker.DockerClient, names: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Remove stand-in images, those of older recipes too; all of them if no name is given.

    Returns the tags that are gone. Raises ``BaseImageError`` if a container still uses one.
    """
    removed = []
    for image in client.images.list(filters={"reference": f"{REPOSITORY}*"}):
        for tag in image.tags:
            if tag.startswith(REPOSITORY) and (not names or _name_of(tag) in names):
                _remove(client, tag)
                removed.append(tag)
    return tuple(sorted(removed))


def _name_of(tag: str) -> str:
    return tag.removeprefix(REPOSITORY).partition(":")[0]


def _remove(client: docker.DockerClient, tag: str) -> None:
    try:
        client.images.remove(tag)
    except docker.errors.APIError as error:
        raise BaseImageError(
            f"{tag} cannot be removed: {error.explanation}",
            remedy="remove the containers made from it first (docker ps -a)",
        ) from error


def _import(
    client: docker.DockerClient, recipe: Recipe, progress: Callable[[str], None]
) -> None:
    """Make an image of one layer from a root file system."""
    changes = ['CMD ["sh"]', f"LABEL {LABEL}={recipe.name}"]
    if recipe.make == "busybox":
        client.api.import_image_from_data(
            busybox_tar(), repository=recipe.repository, tag=recipe.digest, changes=changes
        )
        return
    rootfs = make_rootfs(recipe, progress)
    progress(f"{recipe.name}: importing")
    client.api.import_image_from_file(
        str(rootfs), repository=recipe.repository, tag=recipe.digest, changes=changes
    )


def _make_from_packages(
    client: docker.DockerClient, recipe: Recipe, progress: Callable[[str], None]
) -> None:
    """Install the packages into the parent, then build the recipe's Dockerfile on top."""
    parent = ensure_standin(client, load_recipe(recipe.parent or ""), progress=progress)
    progress(f"{recipe.name}: installing {', '.join(recipe.packages[:3])} …")
    installed = f"{recipe.repository}:installed-{recipe.digest}"
    _install(client, parent.recipe.tag, recipe, installed)
    try:
        progress(f"{recipe.name}: building")
        _build(client, recipe, installed, progress)
    finally:
        client.images.remove(installed, noprune=True)


def _install(client: docker.DockerClient, parent: str, recipe: Recipe, tag: str) -> None:
    """Commit to ``tag`` the parent with the packages of the recipe.

    A container and not a RUN: the host's apt sources and certificates come as files that are
    gone before the commit, and so are in no layer and no history.
    """
    container = client.containers.create(
        parent, ["sh", f"{_WORK}/{INSTALL_SCRIPT}"], network_mode="host"
    )
    try:
        container.put_archive("/", _install_files(recipe))
        container.start()
        status = container.wait()["StatusCode"]
        if status != 0:
            log = container.logs().decode(errors="replace").strip().splitlines()
            raise BaseImageError(
                f'stand-in "{recipe.name}": installing its packages failed: '
                f"{' / '.join(log[-_LOG_LINES:])}",
                remedy=_INSTALL_REMEDY,
            )
        repository, _, digest = tag.partition(":")
        container.commit(repository, digest, changes='CMD ["sh"]')
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
    progress: Callable[[str], None],
) -> None:
    """Build the recipe's Dockerfile; it needs no network any more."""
    with tempfile.TemporaryDirectory(prefix="cachebench-recipe-") as scratch:
        context = Path(scratch) / "context"
        shutil.copytree(recipe.folder, context)
        if recipe.context == "npm":
            add_npm(context, recipe.folder, progress)
        events = client.api.build(
            path=str(context),
            tag=recipe.tag,
            buildargs={"INSTALLED": installed},
            labels={LABEL: recipe.name},
            network_mode="none",
            rm=True,
            forcerm=True,
            decode=True,
        )
        _follow(recipe, events)


def _follow(recipe: Recipe, events: Any) -> None:  # noqa: ANN401 - a generator of decoded JSON
    """Read the build's events to the end.

    Raises:
        BaseImageError: the build failed.

    """
    log: list[str] = []
    try:
        for event in events:
            log += str(event.get("stream", "")).strip().splitlines()
            if "error" in event:
                tail = " / ".join([*log[-_LOG_LINES:], str(event["error"])])
                raise BaseImageError(
                    f'stand-in "{recipe.name}": its Dockerfile failed: {tail}',
                    remedy=_BUILD_REMEDY,
                )
    except (docker.errors.APIError, requests.RequestException) as error:
        raise BaseImageError(
            f'stand-in "{recipe.name}": the engine refused its Dockerfile: {error}',
            remedy=_BUILD_REMEDY,
        ) from error
