"""Fixtures for every room's tests: clients of real engines, and a small base image in them.

An engine that cannot be had fails the test with the reason; it never skips it. Tests that need
none are chosen with ``pytest -m "not engine"``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from bench.engine import client_of, connect
from bench.errors import BenchError
from tests.support import engines
from tests.support.busybox import import_busybox

if TYPE_CHECKING:
    from collections.abc import Iterator

    import docker

# How long an example takes says nothing on a machine that builds images at the same time.
settings.register_profile("cachebench", deadline=None)
settings.load_profile("cachebench")


@pytest.fixture(scope="session")
def engine_client() -> Iterator[docker.DockerClient]:
    """A client of the engine that ``bench`` would use."""
    try:
        client = connect()
    except BenchError as error:
        pytest.fail(f"this test needs a Docker Engine: {error}", pytrace=False)
    yield client
    client.close()


@pytest.fixture(scope="session", params=engines.ALL)
def any_engine(request: pytest.FixtureRequest) -> Iterator[docker.DockerClient]:
    """A client of each engine the project supports; the test runs once on every one."""
    yield from _client(request.param)


@pytest.fixture(scope="session")
def busybox_image(any_engine: docker.DockerClient) -> str:
    """The tag of a 2 MB base image with a static busybox, in the engine of ``any_engine``."""
    return import_busybox(any_engine)


@pytest.fixture(scope="session")
def default_busybox_image(engine_client: docker.DockerClient) -> str:
    """The tag of the same base image, in the engine of ``engine_client``."""
    return import_busybox(engine_client)


def _client(name: str) -> Iterator[docker.DockerClient]:
    try:
        client = client_of(engines.endpoint_of(name))
    except BenchError as error:
        pytest.fail(f"this test needs the engine {name}: {error}", pytrace=False)
    yield client
    client.close()
