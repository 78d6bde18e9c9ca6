"""Pulling, from registries that answer, that refuse, and that say nothing."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from bench.bases.pulling import PullError, pull
from tests.bases.registry import serving_registry, silent_registry

if TYPE_CHECKING:
    import docker

pytestmark = pytest.mark.engine


def quiet(_message: str) -> None:
    return


def test_an_image_of_a_registry_is_in_the_engine_afterwards(
    engine_client: docker.DockerClient,
) -> None:
    with serving_registry() as registry:
        image = f"{registry}/some/app:1"
        pull(engine_client, image, progress=quiet)
        try:
            assert image in engine_client.images.get(image).tags
        finally:
            engine_client.images.remove(image)


def test_a_refused_connection_fails_at_once_in_the_engines_words(
    any_engine: docker.DockerClient,
) -> None:
    begin = time.monotonic()
    with pytest.raises(PullError, match="connection refused"):
        pull(any_engine, "localhost:1/nothing:1", progress=quiet)
    assert time.monotonic() - begin < 5


def test_a_silent_registry_is_given_up_and_not_asked_again(
    engine_client: docker.DockerClient,
) -> None:
    with silent_registry() as registry:
        begin = time.monotonic()
        with pytest.raises(PullError, match=rf"{registry} did not answer within 1 s"):
            pull(engine_client, f"{registry}/app", progress=quiet, silence_seconds=1)
        assert time.monotonic() - begin < 5
        said: list[str] = []
        with pytest.raises(PullError, match="did not answer"):
            pull(engine_client, f"{registry}/another", progress=said.append, silence_seconds=1)
        assert said == []
