"""Salted bases: one more layer, unique and empty, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bench.bases.salt import Salter, base_config, neutral_layer, salt_diff_id
from bench.engine import describe
from bench.errors import BaseImageError

if TYPE_CHECKING:
    import docker

TAG = "localhost:1/cachebench/run-test-salt:one"


def test_a_neutral_layer_holds_no_file_and_is_unique() -> None:
    layer = neutral_layer("salt a")
    header, comment, end = layer[:512], layer[512:1024], layer[1024:]

    assert header[156:157] == b"g", "a global PAX header, which is no member"
    assert comment.rstrip(b"\0") == b"18 comment=salt a\n"
    assert set(end) == {0}
    assert salt_diff_id("a") == salt_diff_id("a") != salt_diff_id("b")


def test_what_the_builders_must_know_of_a_base_is_read_from_its_config() -> None:
    config = base_config({"Env": ["A=1", "B=x=y"], "WorkingDir": "/w", "OnBuild": ["RUN x"]})

    assert config.env == {"A": "1", "B": "x=y"}
    assert (config.working_dir, config.on_build) == ("/w", ("RUN x",))
    assert base_config({}).working_dir == "/"


@pytest.mark.engine
def test_a_salted_base_is_the_base_with_one_more_layer(
    any_engine: docker.DockerClient, busybox_image: str
) -> None:
    salter = Salter(any_engine, describe(any_engine).image_store)
    base = any_engine.images.get(busybox_image).attrs
    try:
        salted = salter.salt(busybox_image, "abc", TAG)
        image = any_engine.images.get(TAG).attrs
    finally:
        any_engine.images.remove(TAG, force=True)

    assert image["RootFS"]["Layers"] == [*base["RootFS"]["Layers"], salted.diff_id]
    for key in ("Env", "Cmd", "Entrypoint", "WorkingDir", "User", "Labels"):
        assert (image["Config"].get(key) or None) == (base["Config"].get(key) or None)
    assert salted.diff_id == salt_diff_id("abc")


@pytest.mark.engine
def test_a_salted_scratch_is_of_the_engine_s_own_platform(any_engine: docker.DockerClient) -> None:
    salter = Salter(any_engine, describe(any_engine).image_store)
    tag = "localhost:1/cachebench/run-test-salt:scratch"
    try:
        salted = salter.salt("scratch", "abc", tag)
        image = any_engine.images.get(tag).attrs
    finally:
        any_engine.images.remove(tag, force=True)

    assert image["RootFS"]["Layers"] == [salted.diff_id]
    engine = any_engine.version()
    assert (image["Architecture"], image["Os"]) == (engine["Arch"], engine["Os"])


@pytest.mark.engine
def test_a_base_that_is_not_there_is_named(any_engine: docker.DockerClient) -> None:
    salter = Salter(any_engine, describe(any_engine).image_store)

    with pytest.raises(BaseImageError, match="no-such-base"):
        salter.salt("localhost:1/no-such-base", "abc", TAG)
