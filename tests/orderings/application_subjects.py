"""Subjects that people would write: the Dockerfiles of scenarios, on their own base images."""

from __future__ import annotations

import contextlib
import secrets
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from bench.bases.isolation import Isolation
from bench.bases.salt import SCRATCH
from bench.builders import BuildRequest, make_builder
from bench.cache_model import BuildInput, profile_of
from bench.dockerfile import parse
from bench.engine.describe import describe
from bench.engine.lock import engine_lock
from bench.orderings.declared import access_of
from bench.orderings.legality import partial_order
from bench.predicting.state import client_of
from bench.runner.engine_site import resolve_bases
from bench.runner.events import Silent
from bench.runner.predictions import build_input
from bench.scenario import dockerfile_place, dockerfile_text, dockerignore_text, load_scenario
from bench.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from docker import DockerClient

    from bench.bases.isolation import SaltedDockerfile
    from bench.builders import Build
    from bench.dockerfile import Dockerfile
    from bench.orderings.legality import PartialOrder
    from bench.scenario import Scenario, Variant

SHIPPED = Path(__file__).parents[2] / "scenarios"
OTHERS = Path(__file__).parent / "applications"
_TIMEOUT_SECONDS = 900.0


def scenario_folders() -> list[Path]:
    """Return the folders of all applications: those that are shipped, and those of the tests."""
    return [
        file.parent
        for folder in (SHIPPED, OTHERS)
        for file in sorted(folder.glob("*/scenario.toml"))
    ]


class ApplicationSubject:
    """One variant of a scenario; see `tests.orderings.subjects`."""

    def __init__(
        self,
        client: DockerClient,
        builder: str,
        scenario: Scenario,
        variant: Variant,
        isolation: Isolation,
        scratch: Path,
    ) -> None:
        self.client = client
        self.name = f"{scenario.name}/{variant.name}"
        self._builder = make_builder(builder, client)
        self._scenario = scenario
        self._variant = variant
        self._isolation = isolation
        self._salt = secrets.token_hex(8)
        info = describe(client)
        self._profile = profile_of(builder, info.version, info.image_store)
        self._place = dockerfile_place(scenario, variant)
        self._workspace = Workspace.create(
            scenario.context,
            scratch,
            dockerfile_text=dockerfile_text(scenario, variant),
            dockerfile_path=self._place,
            dockerignore_text=dockerignore_text(scenario, variant),
        )
        self._dockerfile = parse(dockerfile_text(scenario, variant), self.name)
        access = access_of(self._dockerfile, scenario.accesses, variant.name)
        self._order = partial_order(self._input(), [self._profile], access)

    @property
    def dockerfile(self) -> Dockerfile:
        """The variant's Dockerfile."""
        return self._dockerfile

    @property
    def order(self) -> PartialOrder:
        """What keeps its instructions in order for this builder."""
        return self._order

    def build(self, text: str, number: int, *, no_cache: bool) -> Build:
        """Build another text of it."""
        request = self._request(text, number, no_cache=no_cache)
        try:
            with self._isolation.building():
                return self._builder.build(request)
        finally:
            request.context.path.unlink(missing_ok=True)

    def sent(self, text: str) -> str:
        """Return the text with salted bases in it."""
        return self._salted(text).dockerfile.text

    def _salted(self, text: str) -> SaltedDockerfile:
        return self._isolation.salted(
            parse(text, self.name), self._salt, self._variant.build_args, {}
        )

    def _request(self, text: str, number: int, *, no_cache: bool = False) -> BuildRequest:
        salted = self._salted(text)
        context = self._workspace.pack(
            replace={self._place: salted.dockerfile.text.encode()}, client=client_of(self._profile)
        )
        return BuildRequest(
            context=context,
            dockerfile=salted.dockerfile,
            dockerfile_path=self._place,
            tag=self._isolation.built_tag(self._salt, f"{self.name} {number}", self._builder.name),
            build_args=dict(self._variant.build_args),
            target=self._variant.target,
            network=self._scenario.network,
            no_cache=no_cache,
            timeout_seconds=_TIMEOUT_SECONDS,
            base_images=salted.base_images,
        )

    def _input(self) -> BuildInput:
        """Return what is built, with the images under the names that the Dockerfile gives them."""
        request = self._request(self._dockerfile.text, 0)
        request.context.path.unlink()
        salted = self._salted(self._dockerfile.text)
        manifest = self._workspace.manifest(client_of(self._profile))
        known = build_input(request, manifest, salted, self._profile)
        return BuildInput(
            dockerfile=self._dockerfile,
            manifest=manifest,
            build_args=known.build_args,
            target=known.target,
            bases={base.name: base for base in known.bases.values()},
            network=known.network,
        )


@contextlib.contextmanager
def application_subjects(
    client: DockerClient, builder: str, folder: Path, *, every_variant: bool = False
) -> Iterator[list[ApplicationSubject]]:
    """Yield the baseline of a scenario as a subject; clean up after it.

    With ``every_variant`` all variants that have a Dockerfile of their own, too.

    Raises:
        BaseImageError: a base image cannot be had.
        ScenarioError: the scenario is not right.

    """
    scenario = load_scenario(folder)
    own = [
        one
        for one in scenario.variants
        if one.name == scenario.baseline or (every_variant and one.dockerfile is not None)
    ]
    texts = {one.name: dockerfile_text(scenario, one) for one in own}
    info = describe(client)
    with engine_lock(info.id), tempfile.TemporaryDirectory(prefix="cachebench-") as scratch:
        bases = resolve_bases(client, scenario, texts, Silent())
        isolation = Isolation(
            client,
            f"orderings-{secrets.token_hex(4)}",
            info.image_store,
            {base.image: base.image_id for base in bases if base.image != SCRATCH},
        )
        try:
            yield [
                ApplicationSubject(
                    client, builder, scenario, variant, isolation, Path(scratch) / variant.name
                )
                for variant in own
            ]
        finally:
            isolation.clean()
