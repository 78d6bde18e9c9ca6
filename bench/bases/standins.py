"""Find, make, list, copy and remove the stand-in images of an engine."""

from __future__ import annotations

import threading
import time
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import TYPE_CHECKING, Any, cast

import docker.errors

from bench.bases.busybox import busybox_tar
from bench.bases.faults import engine_faults
from bench.bases.host import make_rootfs
from bench.bases.packages import make_from_packages, stop_installations
from bench.bases.recipe import REPOSITORY, Recipe, load_recipe
from bench.errors import BaseImageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from docker import DockerClient

LABEL = "cachebench.standin"
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""Said in the image, as published ones do, so that a Dockerfile can extend it."""
_STOP_SECONDS = 0.2
"""Between two looks for an installation to end: one may be only about to start."""
_AT_ONCE = 2
"""Unpacking packages keeps one core busy while fetching them waits for the network."""


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


def find_standin(client: DockerClient, recipe: Recipe) -> StandIn:
    """Look a stand-in up in the engine, without making it.

    Raises:
        EngineLostError: the engine does not answer.

    """
    with engine_faults(f'stand-in "{recipe.name}"'):
        try:
            attributes = client.images.get(recipe.tag).attrs
        except docker.errors.ImageNotFound:
            return StandIn(recipe, None, None)
    return StandIn(recipe, str(attributes["Id"]), int(attributes["Size"]))


def ensure_standin(
    client: DockerClient, recipe: Recipe, *, progress: Callable[[str], None]
) -> StandIn:
    """Return the stand-in of ``recipe``, made now (with its parents) if the engine lacks it.

    Raises:
        BaseImageError: it cannot be made on this host.
        EngineLostError: the engine does not answer.

    """
    found = find_standin(client, recipe)
    if found.present:
        return found
    begin = time.monotonic()
    with engine_faults(f'stand-in "{recipe.name}"'):
        if recipe.parent is not None:
            parent = ensure_standin(client, load_recipe(recipe.parent), progress=progress)
            labels = {LABEL: recipe.name}
            make_from_packages(client, recipe, parent.recipe.tag, labels, progress)
        else:
            _import(client, recipe, progress)
    made = find_standin(client, recipe)
    megabytes = (made.image_bytes or 0) / 1e6
    seconds = time.monotonic() - begin
    progress(f"{recipe.name}: made {recipe.tag}, {megabytes:.0f} MB, {seconds:.1f} s")
    return made


def ensure_standins(
    client: DockerClient, recipes: Iterable[Recipe], *, progress: Callable[[str], None]
) -> tuple[StandIn, ...]:
    """Make several stand-ins, two at a time where neither is made from the other.

    Raises:
        BaseImageError: one cannot be made; those under way are finished first.
        EngineLostError: the engine does not answer.

    """
    wanted = {recipe.name: recipe for recipe in recipes}
    parents = _parents(wanted)
    order = TopologicalSorter(parents)
    order.prepare()
    made: dict[str, StandIn] = {}
    running: dict[Future[StandIn], str] = {}
    tell = _one_at_a_time(progress)
    pool = ThreadPoolExecutor(max_workers=_AT_ONCE)
    try:
        while order.is_active():
            for name in sorted(order.get_ready(), key=lambda name: _urgency(name, parents)):
                job = pool.submit(ensure_standin, client, load_recipe(name), progress=tell)
                running[job] = name
            for job in wait(running, return_when=FIRST_COMPLETED).done:
                name = running.pop(job)
                made[name] = job.result()
                order.done(name)
    except KeyboardInterrupt:
        pool.shutdown(wait=False, cancel_futures=True)
        while not all(job.done() for job in running):
            stop_installations(client)
            time.sleep(_STOP_SECONDS)
        raise
    finally:
        pool.shutdown(cancel_futures=True)  # after an error nothing more is begun
    return tuple(made[name] for name in wanted)


def _parents(recipes: dict[str, Recipe]) -> dict[str, set[str]]:
    """Return the recipes and all they are made from, each with its own parent."""
    graph: dict[str, set[str]] = {}
    for recipe in recipes.values():
        child: Recipe | None = recipe
        while child is not None and child.name not in graph:
            graph[child.name] = {child.parent} if child.parent else set()
            child = load_recipe(child.parent) if child.parent else None
    return graph


def _urgency(name: str, parents: dict[str, set[str]]) -> tuple[bool, str]:
    """Sort what others wait for before what nothing is made from, then by name."""
    return all(name not in waiting for waiting in parents.values()), name


def _one_at_a_time(progress: Callable[[str], None]) -> Callable[[str], None]:
    lock = threading.Lock()

    def tell(message: str) -> None:
        with lock:
            progress(message)

    return tell


def copy_standin(source: DockerClient, target: DockerClient, recipe: Recipe) -> bool:
    """Copy a stand-in from one engine to another; False if the target has it already.

    Raises:
        BaseImageError: the source does not have it, or the target refuses it.
        EngineLostError: one of the engines does not answer.

    """
    if find_standin(target, recipe).present:
        return False
    with engine_faults(f'copying stand-in "{recipe.name}"'):
        try:
            image = source.images.get(recipe.tag)
        except docker.errors.ImageNotFound as error:
            raise BaseImageError(
                f'the engine to copy from has no stand-in "{recipe.name}" ({recipe.tag})',
                remedy=f"bench bases build {recipe.name} in one of the two engines",
            ) from error
        # requests streams what it can iterate over; the SDK's stubs know of files only.
        target.images.load(cast("Any", image.save(named=recipe.tag)))
    return True


def remove_standins(client: DockerClient, names: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Remove stand-in images, those of older recipes too; all of them if no name is given.

    Returns the tags that are gone.

    Raises:
        BaseImageError: a container still uses one.
        EngineLostError: the engine does not answer.

    """
    with engine_faults("looking for stand-ins"):
        images = client.images.list(filters={"reference": f"{REPOSITORY}*"})
    tags = sorted(tag for image in images for tag in image.tags if tag.startswith(REPOSITORY))
    wanted = [tag for tag in tags if not names or _name_of(tag) in names]
    for tag in wanted:
        _remove(client, tag)
    return tuple(wanted)


def _name_of(tag: str) -> str:
    return tag.removeprefix(REPOSITORY).partition(":")[0]


def _remove(client: DockerClient, tag: str) -> None:
    with engine_faults(f"removing {tag}"):
        try:
            client.images.remove(tag)
        except docker.errors.APIError as error:
            if error.status_code != 409:
                raise
            raise BaseImageError(
                f"{tag} cannot be removed: {error.explanation}",
                remedy="remove the containers made from it first (docker ps -a)",
            ) from error


def _import(client: DockerClient, recipe: Recipe, progress: Callable[[str], None]) -> None:
    """Make an image of one layer from a root file system."""
    changes = [f"ENV PATH={_PATH}", 'CMD ["sh"]', f"LABEL {LABEL}={recipe.name}"]
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
