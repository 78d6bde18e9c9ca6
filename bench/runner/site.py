"""Where a run's builds are made. The runner knows no engine: it works on what is declared here.

`bench.runner.engine_site` is a real engine, `bench.simulation` one that is played by the cache
model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager

    from bench.bases.isolation import SaltedDockerfile
    from bench.builders.images import ImageFacts
    from bench.builders.protocol import Build, BuildRequest
    from bench.dockerfile import Dockerfile
    from bench.engine import EngineInfo
    from bench.noise import Noise
    from bench.runner.events import Observer
    from bench.runner.plan import PlannedBuild
    from bench.scenario import Scenario


class BaseFact(Protocol):
    """Which image stands behind a FROM, for the records; see `bench.bases.ResolvedBase`."""

    @property
    def image(self) -> str:
        """The name in the Dockerfile."""

    @property
    def local_tag(self) -> str:
        """The name in the engine; empty where there is none."""

    @property
    def image_id(self) -> str:
        """The engine's id of it; empty where there is none."""

    @property
    def source(self) -> str:
        """How it was had: local, pulled, standin, replaced, or simulated."""


class Workbench(Protocol):
    """What a site holds ready for the builds of one run."""

    @property
    def bases(self) -> Sequence[BaseFact]:
        """The images from outside that the Dockerfiles name."""

    def salted(
        self,
        dockerfile: Dockerfile,
        salt: str,
        build_args: Mapping[str, str],
        base_layers: Mapping[str, str],
    ) -> SaltedDockerfile:
        """Return ``dockerfile`` on bases of its own; see `bench.bases.isolation.Isolation`."""
        ...

    def tag(self, salt: str, variant: str, builder: str) -> str:
        """Return the tag under which a trial's image is built."""
        ...

    def build(self, planned: PlannedBuild, request: BuildRequest) -> tuple[Build, Noise]:
        """Make one build; also return how busy the machine was meanwhile.

        Raises:
            EngineLostError: the engine went away before the build ended.

        """
        ...

    def image(self, image_id: str) -> ImageFacts | None:
        """Look a built image up; None where nothing is known of it."""
        ...

    def clean(self) -> list[str]:
        """Remove what the run made, and return what could not be removed."""
        ...


class Site(Protocol):
    """An engine, real or simulated, as a run sees it."""

    @property
    def engine(self) -> EngineInfo:
        """What the builds are made on.

        Raises:
            EngineLostError: it does not answer.

        """

    @property
    def simulation(self) -> Mapping[str, object] | None:
        """Where simulated figures come from, for ``run.json``; None for a real engine."""

    def held(self, on_wait: Callable[[str], None]) -> AbstractContextManager[None]:
        """Hold the site for one run; ``on_wait`` is told of another run that has to end first.

        Raises:
            EngineLostError: the engine went away meanwhile.

        """
        ...

    def workbench(
        self,
        run: str,
        scenario: Scenario,
        dockerfiles: Mapping[str, str],
        observer: Observer,
        *,
        optional: Sequence[str] = (),
    ) -> Workbench:
        """Get everything ready for the builds of ``dockerfiles`` (text by variant).

        ``optional`` are images that some builds alone need: where one cannot be had, ``observer``
        is told, and those builds fail.

        Raises:
            BaseImageError: a base image cannot be had.

        """
        ...
