"""Where a FROM comes from: the order of the places, and the error when there is none."""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING

import pytest

from bench.bases import resolve_base
from bench.bases.recipe import load_recipe, recipe_names
from bench.bases.resolve import ResolvedBase
from bench.bases.standins import ensure_standin, remove_standins
from bench.errors import BaseImageError, ExitCode
from bench.scenario import BaseSpec
from tests.bases.registry import serving_registry

if TYPE_CHECKING:
    from collections.abc import Iterator

    import docker

pytestmark = pytest.mark.engine

BUSYBOX = load_recipe("busybox")


def quiet(_message: str) -> None:
    return


def nowhere() -> str:
    """An image name never used before, whose registry refuses at once."""
    return f"localhost:1/base-{uuid.uuid4().hex[:8]}:1"


@pytest.fixture
def standin_id(any_engine: docker.DockerClient) -> str:
    """The id of the busybox stand-in, which the engine has."""
    return str(ensure_standin(any_engine, BUSYBOX, progress=quiet).image_id)


@pytest.fixture
def local_image(any_engine: docker.DockerClient, standin_id: str) -> Iterator[str]:
    """An image of the user's own."""
    image = nowhere()
    any_engine.images.get(standin_id).tag(*image.rsplit(":", 1))
    yield image
    any_engine.images.remove(image)


def test_an_image_of_the_engine_wins_over_a_stand_in(
    any_engine: docker.DockerClient, local_image: str, standin_id: str
) -> None:
    said: list[str] = []
    found = resolve_base(any_engine, local_image, BaseSpec(standin="golang"), progress=said.append)
    assert found == ResolvedBase(local_image, local_image, standin_id, "local")
    assert said == []


def test_a_stand_in_made_before_is_used_before_any_registry_is_asked(
    any_engine: docker.DockerClient, standin_id: str
) -> None:
    image = nowhere()
    said: list[str] = []
    found = resolve_base(any_engine, image, BaseSpec(standin="busybox"), progress=said.append)
    assert found == ResolvedBase(image, BUSYBOX.tag, standin_id, "standin")
    assert said == []


def test_what_a_registry_has_is_pulled(engine_client: docker.DockerClient) -> None:
    with serving_registry() as registry:
        image = f"{registry}/app:1"
        found = resolve_base(engine_client, image, progress=quiet)
    pulled = engine_client.images.get(image)
    assert found == ResolvedBase(image, image, str(pulled.id), "pulled")
    engine_client.images.remove(image)


def test_another_image_may_be_named_in_its_place(
    any_engine: docker.DockerClient, local_image: str, standin_id: str
) -> None:
    found = resolve_base(any_engine, "app:prod", BaseSpec(image=local_image), progress=quiet)
    assert found == ResolvedBase("app:prod", local_image, standin_id, "replaced")


def test_an_image_that_is_nowhere_is_an_error_within_seconds_that_says_what_to_do(
    any_engine: docker.DockerClient,
) -> None:
    image = nowhere()
    begin = time.monotonic()
    with pytest.raises(BaseImageError) as caught:
        resolve_base(any_engine, image, progress=quiet)
    assert time.monotonic() - begin < 5
    assert f'base image "{image}": the engine does not have it' in caught.value.message
    assert "pulling it failed" in caught.value.message
    assert "connection refused" in caught.value.message
    assert f'[base."{image}"] standin = "NAME"' in caught.value.remedy
    assert f"docker pull {image}" in caught.value.remedy
    assert caught.value.exit_code is ExitCode.BUILD_FAILED


def test_an_unknown_stand_in_is_an_error_that_lists_those_known(
    engine_client: docker.DockerClient,
) -> None:
    with pytest.raises(BaseImageError) as caught:
        resolve_base(engine_client, "app", BaseSpec(standin="cobol"), progress=quiet)
    assert '[base."app"] standin = "cobol"' in caught.value.message
    for name in recipe_names():
        assert name in caught.value.remedy


def test_a_stand_in_that_is_missing_is_made_when_the_pull_fails(
    engine_client: docker.DockerClient,
) -> None:
    """The busybox stand-in is taken away and comes back; nothing else is made from it."""
    remove_standins(engine_client, ("busybox",))
    said: list[str] = []
    image = nowhere()
    found = resolve_base(engine_client, image, BaseSpec(standin="busybox"), progress=said.append)
    assert found.source == "standin"
    assert found.image_id == engine_client.images.get(BUSYBOX.tag).id
    assert said[0] == f"pulling {image}"
    assert "making the stand-in busybox" in said[1]
