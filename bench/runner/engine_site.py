"""A real engine as the place of a run: locked, isolated by salted bases, cleaned up at the end."""

from __future__ import annotations

from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING

import docker.errors
import requests

from bench.bases import resolve_base
from bench.bases.isolation import Isolation
from bench.bases.salt import SCRATCH
from bench.builders import make_builder
from bench.builders.images import image_facts
from bench.engine import describe, engine_lock
from bench.engine.lost import engine_may_be_lost
from bench.engine.noise import NoiseProbe
from bench.errors import BaseImageError
from bench.runner.prepare import images_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from docker import DockerClient

    from bench.bases import ResolvedBase
    from bench.bases.isolation import SaltedDockerfile
    from bench.builders.images import ImageFacts
    from bench.builders.protocol import Build, BuildRequest
    from bench.dockerfile import Dockerfile
    from bench.engine import EngineInfo
    from bench.noise import Noise
    from bench.runner.events import Observer
    from bench.runner.plan import PlannedBuild
    from bench.scenario import Scenario


class EngineSite:
    """A Docker Engine; see `bench.runner.site.Site`."""

    simulation = None

    def __init__(self, client: DockerClient) -> None:
        self._client = client

    @cached_property
    def engine(self) -> EngineInfo:
        """What the engine says of itself."""
        return describe(self._client)

    @contextmanager
    def held(self, on_wait: Callable[[str], None]) -> Iterator[None]:
        """Hold the engine: parallel builds would share vertices and disturb timings."""
        with engine_may_be_lost(), engine_lock(self.engine.id, on_wait=on_wait):
            yield

    def workbench(
        self,
        run: str,
        scenario: Scenario,
        dockerfiles: Mapping[str, str],
        observer: Observer,
        *,
        optional: Sequence[str] = (),
    ) -> EngineWorkbench:
        """Get the base images and begin the run's isolation."""
        bases = resolve_bases(self._client, scenario, dockerfiles, observer)
        bases += _resolved_if_can_be(self._client, scenario, optional, observer)
        isolation = Isolation(
            self._client,
            run,
            self.engine.image_store,
            {base.image: base.image_id for base in bases},
        )
        return EngineWorkbench(self._client, isolation, bases, observer)


class EngineWorkbench:
    """The isolated part of an engine that one run builds in; see `bench.runner.site.Workbench`."""

    def __init__(
        self,
        client: DockerClient,
        isolation: Isolation,
        bases: Sequence[ResolvedBase],
        observer: Observer,
    ) -> None:
        self.bases = bases
        self._client = client
        self._isolation = isolation
        self._observer = observer

    def salted(
        self,
        dockerfile: Dockerfile,
        salt: str,
        build_args: Mapping[str, str],
        base_layers: Mapping[str, str],
    ) -> SaltedDockerfile:
        """Salt every base of ``dockerfile``."""
        return self._isolation.salted(dockerfile, salt, build_args, base_layers)

    def tag(self, salt: str, variant: str, builder: str) -> str:
        """Return the tag under which a trial's image is built."""
        return self._isolation.built_tag(salt, variant, builder)

    def build(self, planned: PlannedBuild, request: BuildRequest) -> tuple[Build, Noise]:
        """Make one build on the builder that the plan names."""
        builder = make_builder(planned.builder, self._client)
        noise = NoiseProbe()
        with self._isolation.building():
            build = builder.build(request)
        return build, noise.end()

    def image(self, image_id: str) -> ImageFacts | None:
        """Look an image up; None where it is gone already."""
        return image_facts(self._client, image_id)

    def clean(self) -> list[str]:
        """Remove the run's images and build-cache records."""
        self._observer.note("removing what the run made in the engine")
        try:
            return self._isolation.clean().left
        except (docker.errors.DockerException, requests.RequestException) as error:
            self._observer.note(f"could not clean up ({error}); bench clean does it later")
            return [str(error)]


def resolve_bases(
    client: DockerClient,
    scenario: Scenario,
    dockerfiles: Mapping[str, str],
    observer: Observer,
) -> list[ResolvedBase]:
    """Get every image that some variant's Dockerfile takes from outside, each once.

    Raises:
        BaseImageError: one cannot be had.

    """
    return [
        resolve_base(client, image, scenario.bases.get(image), progress=observer.note)
        for image in images_of(scenario, dockerfiles)
        if image != SCRATCH
    ]


def _resolved_if_can_be(
    client: DockerClient, scenario: Scenario, images: Sequence[str], observer: Observer
) -> list[ResolvedBase]:
    """Get images that some builds alone need; one that cannot be had is told of, and left out."""
    found = []
    for image in images:
        if image == SCRATCH:
            continue
        try:
            spec = scenario.bases.get(image)
            found.append(resolve_base(client, image, spec, progress=observer.note))
        except BaseImageError as error:
            observer.note(f"builds that need {image} will fail: {error.message}")
    return found
