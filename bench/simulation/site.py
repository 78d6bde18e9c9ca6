"""A simulated engine as the place of a run: no daemon, no images, nothing to isolate or remove."""

from __future__ import annotations

import hashlib
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.bases.isolation import BaseOrigin, SaltedDockerfile, salted_text
from bench.bases.salt import SCRATCH
from bench.builders.names import rules_of
from bench.builders.protocol import BaseImageConfig
from bench.cache_model import BaseImage
from bench.dockerfile import external_images
from bench.engine import EngineInfo
from bench.noise import Noise
from bench.runner.prepare import images_of
from bench.scenario import ArrangedVariant
from bench.simulation.builder import SimulatedBuilder, SimulatedCaches
from bench.simulation.times import Moment, Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from bench.builders.protocol import Build, BuildRequest
    from bench.dockerfile import Dockerfile
    from bench.runner.events import Observer
    from bench.runner.plan import PlannedBuild
    from bench.scenario import Scenario
    from bench.simulation.times import StepTimes

SIMULATED = "simulated"
RULE = (
    "hits and misses by the cache model; a step that an artefact decides misses, unless the "
    "recorded run has it as a hit"
)


@dataclass(frozen=True)
class SimulatedBase:
    """An image that is only a name: nothing is known of its files or its config."""

    image: str
    local_tag: str = ""
    image_id: str = ""
    source: str = SIMULATED


class SimulatedSite:
    """An engine that is played with the times of one recorded run; see `bench.runner.site.Site`."""

    def __init__(self, times: StepTimes) -> None:
        self._times = times
        self._sources: Counter[Source] = Counter()

    @property
    def engine(self) -> EngineInfo:
        """The engine whose rules are followed; every field says that it is not there."""
        times = self._times
        version = f"{SIMULATED} {times.engine_version}"
        machine = f"{SIMULATED} ({times.machine})" if times.machine else SIMULATED
        return EngineInfo(
            id=f"{version} {times.image_store} {times.run}".strip(),
            version=version,
            api_version="",
            image_store=times.image_store,
            storage_driver=SIMULATED,
            data_root_filesystem=SIMULATED,
            kernel=SIMULATED,
            cpu_model=machine,
            cpus=times.cpus,
            memory_bytes=0,
            os=SIMULATED,
            host=SIMULATED,
        )

    @property
    def simulation(self) -> Mapping[str, object]:
        """Where the figures come from."""
        times = self._times
        return {
            "times_run": times.run,
            "times_folder": times.folder,
            "times_engine": f"{times.engine_version} {times.image_store}" if times.run else "",
            "rule": RULE,
            "step_times": {source.value: self._sources[source] for source in Source},
        }

    @contextmanager
    def held(self, on_wait: Callable[[str], None]) -> Iterator[None]:
        """There is nothing to hold: simulated runs do not disturb each other."""
        del on_wait
        yield

    def workbench(
        self,
        run: str,
        scenario: Scenario,
        dockerfiles: Mapping[str, str],
        observer: Observer,
        *,
        optional: Sequence[str] = (),
    ) -> SimulatedWorkbench:
        """Begin with empty caches."""
        del run
        images = dict.fromkeys([*images_of(scenario, dockerfiles), *optional])
        bases = [SimulatedBase(image) for image in images if image != SCRATCH]
        caches = SimulatedCaches(self._times, sources=self._sources)
        recorded_as = {
            one.name: one.of for one in scenario.variants if isinstance(one, ArrangedVariant)
        }
        return SimulatedWorkbench(caches, bases, observer, recorded_as)


class SimulatedWorkbench:
    """The simulated caches of one run; see `bench.runner.site.Workbench`.

    ``recorded_as`` names for a variant the one whose recorded builds its times are taken from: an
    ordering does the same steps as the Dockerfile that it was made from.
    """

    def __init__(
        self,
        caches: SimulatedCaches,
        bases: Sequence[SimulatedBase],
        observer: Observer,
        recorded_as: Mapping[str, str],
    ) -> None:
        self.bases = bases
        self._recorded_as = recorded_as
        self._observer = observer
        self._caches = caches

    def salted(
        self,
        dockerfile: Dockerfile,
        salt: str,
        build_args: Mapping[str, str],
        base_layers: Mapping[str, str],
    ) -> SaltedDockerfile:
        """Give every base a name and an identity of its own, as the salt of a real engine does."""
        origins: dict[str, BaseOrigin] = {}
        tags: dict[str, str] = {}
        for use in external_images(dockerfile, build_args):
            words = (use.image, salt, base_layers.get(use.image, ""))
            identity = hashlib.sha256("\0".join(words).encode()).hexdigest()
            tag = f"{SIMULATED}.invalid/base:{identity[:24]}"
            tags[use.raw] = tag
            origins[tag] = BaseOrigin(use.image, use.image, identity, (identity,))
            self._caches.images[tag] = BaseImage(use.image, identity, use.image)
        sent = salted_text(dockerfile, tags, salt)
        self._caches.originals[sent.text] = dockerfile
        return SaltedDockerfile(
            dockerfile=sent,
            base_images=dict.fromkeys(origins, BaseImageConfig()),
            base_layers=frozenset(),
            origins=origins,
        )

    def tag(self, salt: str, variant: str, builder: str) -> str:
        """Return a tag that no registry can have."""
        del variant, builder
        return f"{SIMULATED}.invalid/built:{salt}"

    def build(self, planned: PlannedBuild, request: BuildRequest) -> tuple[Build, Noise]:
        """Play one build; no machine was busy with it."""
        variant = self._recorded_as.get(planned.variant, planned.variant)
        moment = Moment(variant, rules_of(planned.builder), planned.phase.value, planned.change)
        return SimulatedBuilder(planned.builder, self._caches, moment).build(request), Noise()

    def image(self, image_id: str) -> None:
        """There is no image, so nothing is known of its size."""
        del image_id

    def clean(self) -> list[str]:
        """Tell where the times came from; there is nothing to remove."""
        parts = ", ".join(f"{self._caches.sources[source]} {source}" for source in Source)
        self._observer.note(f"{SIMULATED} step times: {parts}")
        return []
