"""Stand-ins in real engines: made once, kept, copied, removed."""

from __future__ import annotations

import os
import shutil
import signal
import threading
import time
import uuid
from functools import partial
from typing import TYPE_CHECKING

import docker
import pytest

from bench.bases import standins
from bench.bases.packages import make_from_packages
from bench.bases.recipe import INSTALL_SCRIPT, RECIPES, Recipe, load_recipe, load_recipes
from bench.bases.standins import (
    LABEL,
    copy_standin,
    ensure_standin,
    ensure_standins,
    find_standin,
    remove_standins,
)
from bench.engine import client_of
from bench.errors import BaseImageError, EngineLostError
from tests.support import engines

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.engine


def present(client: docker.DockerClient) -> set[str]:
    return {recipe.name for recipe in load_recipes() if find_standin(client, recipe).present}


def quiet(_message: str) -> None:
    return


@pytest.fixture
def recipe(tmp_path: Path, any_engine: docker.DockerClient) -> Iterator[Recipe]:
    """A recipe as busybox's under a name of the test's own, so that no stand-in in use is lost."""
    name = f"test-{uuid.uuid4().hex[:8]}"
    shutil.copytree(RECIPES / "busybox", tmp_path / name)
    yield load_recipe(name, tmp_path)
    remove_standins(any_engine, (name,))


def test_busybox_is_made_runs_and_tells_what_it_is(
    any_engine: docker.DockerClient, recipe: Recipe
) -> None:
    made = ensure_standin(any_engine, recipe, progress=quiet)
    assert made.image_id == any_engine.images.get(recipe.tag).id
    assert made.image_bytes is not None
    assert 500_000 < made.image_bytes < 4_000_000
    assert any_engine.images.get(recipe.tag).labels == {LABEL: recipe.name}
    said = any_engine.containers.run(
        recipe.tag, ["sh", "-c", "echo $PATH | cut -d: -f3"], network_mode="none", remove=True
    )
    assert said == b"/usr/sbin\n"


def test_a_stand_in_is_made_once(any_engine: docker.DockerClient, recipe: Recipe) -> None:
    assert not find_standin(any_engine, recipe).present
    first = ensure_standin(any_engine, recipe, progress=quiet)
    said: list[str] = []
    assert ensure_standin(any_engine, recipe, progress=said.append) == first
    assert said == []


def test_removing_takes_only_the_named_and_every_version_of_it(
    any_engine: docker.DockerClient, recipe: Recipe
) -> None:
    ensure_standin(any_engine, recipe, progress=quiet)
    any_engine.images.get(recipe.tag).tag(recipe.repository, "older")
    any_engine.images.get(recipe.tag).tag("localhost:1/users-own", recipe.digest)
    others = present(any_engine)
    removed = remove_standins(any_engine, (recipe.name,))
    assert removed == tuple(sorted([recipe.tag, f"{recipe.repository}:older"]))
    assert not find_standin(any_engine, recipe).present
    assert present(any_engine) == others
    any_engine.images.remove(f"localhost:1/users-own:{recipe.digest}")


def test_a_stand_in_in_use_is_not_removed_and_the_remedy_named(
    any_engine: docker.DockerClient, recipe: Recipe
) -> None:
    ensure_standin(any_engine, recipe, progress=quiet)
    container = any_engine.containers.run(
        recipe.tag, ["sleep", "60"], network_mode="none", detach=True
    )
    try:
        with pytest.raises(BaseImageError, match=r"cannot be removed.*docker ps"):
            remove_standins(any_engine, (recipe.name,))
    finally:
        container.remove(force=True)


@pytest.mark.parametrize(
    ("source_name", "target_name"),
    [
        (engines.DEBIAN_12, engines.SID_CONTAINERD),
        (engines.SID_CONTAINERD, engines.DEBIAN_12),
    ],
)
def test_a_stand_in_is_copied_to_another_engine(
    source_name: str, target_name: str, tmp_path: Path
) -> None:
    name = f"test-{uuid.uuid4().hex[:8]}"
    shutil.copytree(RECIPES / "busybox", tmp_path / name)
    recipe = load_recipe(name, tmp_path)
    source = client_of(engines.endpoint_of(source_name))
    target = client_of(engines.endpoint_of(target_name))
    try:
        with pytest.raises(BaseImageError, match=f"bench bases build {name}"):
            copy_standin(source, target, recipe)
        ensure_standin(source, recipe, progress=quiet)
        assert copy_standin(source, target, recipe)
        assert find_standin(target, recipe).present
        assert not copy_standin(source, target, recipe)
    finally:
        for client in (source, target):
            remove_standins(client, (name,))
            client.close()


def test_packages_that_cannot_be_installed_are_an_error_and_leave_no_container(
    engine_client: docker.DockerClient,
) -> None:
    """The parent knows nothing of apt; the script's words end the message."""
    parent = ensure_standin(engine_client, load_recipe("busybox"), progress=quiet)
    golang = load_recipe("golang")
    with pytest.raises(
        BaseImageError, match=r'"golang": installing.*can\'t create.*apt-get update'
    ):
        make_from_packages(engine_client, golang, parent.recipe.tag, {}, quiet)
    left = engine_client.containers.list(
        all=True, ignore_removed=True, filters={"ancestor": parent.recipe.tag}
    )
    assert not [c for c in left if INSTALL_SCRIPT in str(c.attrs["Args"])]


def test_an_engine_that_is_gone_is_said_to_be_gone() -> None:
    client = docker.DockerClient(base_url="tcp://127.0.0.1:1", version="1.41")
    with pytest.raises(EngineLostError, match="does not answer"):
        find_standin(client, load_recipe("busybox"))


def test_several_are_made_in_the_order_asked_for(engine_client: docker.DockerClient) -> None:
    busybox = load_recipe("busybox")
    made = ensure_standins(engine_client, [busybox], progress=quiet)
    assert [standin.recipe for standin in made] == [busybox]
    assert made[0].present


@pytest.mark.slow
def test_ctrl_c_ends_an_installation_and_leaves_nothing(
    engine_client: docker.DockerClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The signal comes when apt is at work in the container; the packages take far longer."""
    name = f"test-{uuid.uuid4().hex[:8]}"
    shutil.copytree(RECIPES, tmp_path / "recipes")
    shutil.copytree(RECIPES / "maven", tmp_path / "recipes" / name)
    monkeypatch.setattr(standins, "load_recipe", partial(load_recipe, folder=tmp_path / "recipes"))
    ensure_standin(engine_client, load_recipe("openjdk"), progress=quiet)
    recipe = load_recipe(name, tmp_path / "recipes")
    threading.Timer(4, os.kill, [os.getpid(), signal.SIGINT]).start()
    begin = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        ensure_standins(engine_client, [recipe], progress=quiet)
    assert time.monotonic() - begin < 10
    named = engine_client.containers.list(
        all=True, ignore_removed=True, filters={"name": "cachebench-install-"}
    )
    assert not [container for container in named if name in str(container.name)]
    assert not engine_client.images.list(recipe.repository)
