"""The images of the shipped scenarios, built at most once for all tests that run them."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from tests.scenarios.images import Images

if TYPE_CHECKING:
    from collections.abc import Iterator

    import docker
    from docker.models.containers import Container


class Start(Protocol):
    """Starts a container of a variant that is removed when the test ends."""

    def __call__(self, scenario: str, variant: str, **options: Any) -> Container:
        """Start it; ``options`` are those of docker's ``containers.run``."""
        ...


@pytest.fixture(scope="session")
def images(
    engine_client: docker.DockerClient, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Images]:
    """Builds the shipped variants in the engine that ``bench`` would use."""
    built = Images(engine_client, tmp_path_factory.mktemp("contexts"))
    yield built
    built.clean()


@pytest.fixture
def start(images: Images) -> Iterator[Start]:
    """Start containers that have no network unless the test says otherwise."""
    with ExitStack() as started:

        def run(scenario: str, variant: str, **options: Any) -> Container:
            image = images.image_of(scenario, variant)
            options = {"network_mode": "none", **options}
            container = images.client.containers.run(image, detach=True, **options)
            started.callback(container.remove, force=True)
            return container

        yield run
