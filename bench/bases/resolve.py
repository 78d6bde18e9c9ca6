"""Where a FROM comes from: the engine, a stand-in made before, a registry, a new stand-in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

import docker.errors

from bench.bases.faults import engine_faults
from bench.bases.pulling import PullError, pull
from bench.bases.recipe import Recipe, default_recipe, load_recipe, recipe_names
from bench.bases.standins import ensure_standin, find_standin
from bench.errors import BaseImageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from docker import DockerClient

Source = Literal["local", "pulled", "standin", "replaced"]


class Wish(Protocol):
    """What a scenario says of a base (``[base."NAME"]``): a stand-in, or another image."""

    @property
    def standin(self) -> str | None:
        """The name of a recipe."""

    @property
    def image(self) -> str | None:
        """The image to use in its place."""


@dataclass(frozen=True)
class ResolvedBase:
    """The image that really stands behind a FROM, for the records.

    ``image`` is the name in the Dockerfile, ``local_tag`` the name to use in the engine,
    ``image_id`` the engine's id of it. ``source`` is ``replaced`` where the scenario names another
    image, however that one was had.
    """

    image: str
    local_tag: str
    image_id: str
    source: Source


def resolve_base(
    client: DockerClient,
    image: str,
    spec: Wish | None = None,
    *,
    progress: Callable[[str], None],
) -> ResolvedBase:
    """Get the image named in a FROM.

    In this order: the engine has it; the engine has its stand-in; a registry has it; its stand-in
    is made now. The stand-in is the one ``spec`` names, else the recipe that says it stands for
    the image.

    Raises:
        BaseImageError: none of these; the message says what was tried.
        EngineLostError: the engine does not answer.

    """
    if spec is not None and spec.image is not None:
        other = resolve_base(client, spec.image, None, progress=progress)
        return ResolvedBase(image, other.local_tag, other.image_id, "replaced")
    recipe = _recipe_for(image, spec)
    found = _local(client, image) or _standin_made_before(client, image, recipe)
    if found is not None:
        return found
    try:
        pull(client, image, progress=progress)
    except PullError as error:
        return _new_standin(client, image, recipe, str(error), progress)
    pulled = _local(client, image)
    if pulled is None:
        raise BaseImageError(
            f'base image "{image}": pulled, but the engine does not have it',
            remedy=f"docker pull {image} and see what the engine says",
        )
    return ResolvedBase(image, image, pulled.image_id, "pulled")


def _recipe_for(image: str, spec: Wish | None) -> Recipe | None:
    if spec is None or spec.standin is None:
        return default_recipe(image)
    if spec.standin not in recipe_names():
        raise BaseImageError(
            f'[base."{image}"] standin = "{spec.standin}": there is no such stand-in',
            remedy=f"use one of {', '.join(recipe_names())}",
        )
    return load_recipe(spec.standin)


def _local(client: DockerClient, image: str) -> ResolvedBase | None:
    with engine_faults(f'base image "{image}"'):
        try:
            found = client.images.get(image)
        except docker.errors.ImageNotFound:
            return None
    return ResolvedBase(image, image, str(found.id), "local")


def _standin_made_before(
    client: DockerClient, image: str, recipe: Recipe | None
) -> ResolvedBase | None:
    if recipe is None:
        return None
    standin = find_standin(client, recipe)
    if standin.image_id is None:
        return None
    return ResolvedBase(image, recipe.tag, standin.image_id, "standin")


def _new_standin(
    client: DockerClient,
    image: str,
    recipe: Recipe | None,
    pull_failure: str,
    progress: Callable[[str], None],
) -> ResolvedBase:
    tried = f'base image "{image}": the engine does not have it; pulling it failed: {pull_failure}'
    if recipe is None:
        names = ", ".join(recipe_names())
        raise BaseImageError(
            f"{tried}; no stand-in is known for it",
            remedy=f'add [base."{image}"] standin = "NAME" to scenario.toml '
            f"(NAME is one of {names}), or docker pull {image} where a registry answers",
        )
    progress(f"{image} cannot be pulled: making the stand-in {recipe.name}")
    try:
        standin = ensure_standin(client, recipe, progress=progress)
    except BaseImageError as error:
        raise BaseImageError(f"{tried}; {error.message}", remedy=error.remedy) from error
    return ResolvedBase(image, recipe.tag, standin.image_id or "", "standin")
