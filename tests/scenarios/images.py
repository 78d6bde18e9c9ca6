"""Build a shipped variant for a test, and talk to what runs in a container without a network."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bench.bases import resolve_base
from bench.bases.isolation import Isolation
from bench.builders import BuildOutcome, BuildRequest, make_builder
from bench.dockerfile import external_images, parse
from bench.engine import describe, engine_lock
from bench.scenario import dockerfile_text
from bench.workspace import Workspace
from tests.scenarios.shipped import NAMES, shipped

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from docker import DockerClient
    from docker.models.containers import Container

READY_SECONDS = 60.0
_REQUEST = """\
exec 3<>/dev/tcp/127.0.0.1/$1 || exit 1
printf '%s %s HTTP/1.0\\r\\nHost: localhost\\r\\n' "$2" "$3" >&3
printf 'Content-Type: %s\\r\\nContent-Length: %d\\r\\n\\r\\n%s' "$4" "${#5}" "$5" >&3
cat <&3
"""


@dataclass
class Images:
    """Builds each variant once, isolated and removed at the end like the builds of a run."""

    client: DockerClient
    scratch: Path
    _built: dict[tuple[str, str], str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._engine = describe(self.client)
        bases = {
            use.image: scenario.bases.get(use.image)
            for scenario in map(shipped, NAMES)
            for variant in scenario.variants
            for use in external_images(parse(dockerfile_text(scenario, variant)))
        }
        resolved = {
            image: resolve_base(self.client, image, spec, progress=lambda _: None).image_id
            for image, spec in bases.items()
        }
        self._run = f"test-{secrets.token_hex(4)}"
        self._isolation = Isolation(self.client, self._run, self._engine.image_store, resolved)

    def image_of(self, scenario_name: str, variant_name: str) -> str:
        """Return the ID of the variant's image, built by BuildKit."""
        key = (scenario_name, variant_name)
        if key not in self._built:
            self._built[key] = self._build(*key)
        return self._built[key]

    def _build(self, scenario_name: str, variant_name: str) -> str:
        scenario = shipped(scenario_name)
        variant = scenario.variant(variant_name)
        salt = secrets.token_hex(8)
        text = dockerfile_text(scenario, variant)
        workspace = Workspace.create(
            scenario.context,
            self.scratch / salt,
            dockerfile_text=text,
            dockerfile_path="Dockerfile",
        )
        with engine_lock(self._engine.id), self._isolation.building():
            salted = self._isolation.salted(parse(text), salt, variant.build_args, {})
            build = make_builder("buildkit", self.client).build(
                BuildRequest(
                    context=workspace.pack(replace={"Dockerfile": salted.dockerfile.text.encode()}),
                    dockerfile=salted.dockerfile,
                    dockerfile_path="Dockerfile",
                    tag=self._isolation.built_tag(salt, variant_name, "buildkit"),
                    build_args=variant.build_args,
                    target=variant.target,
                    network=scenario.network,
                    base_images=salted.base_images,
                )
            )
        assert build.outcome is BuildOutcome.OK, "\n".join((build.error, *build.log_tail))
        assert build.image_id is not None
        return build.image_id

    def clean(self) -> None:
        """Remove what was built."""
        self._isolation.clean()


def output_of(
    client: DockerClient,
    image: str,
    command: Sequence[str] = (),
    env: dict[str, str] | None = None,
) -> tuple[int, str]:
    """Run a container to its end; return its exit status and what it wrote to standard output."""
    container = client.containers.create(
        image, list(command), environment=env or {}, network_mode="none"
    )
    try:
        container.start()
        status = container.wait(timeout=READY_SECONDS)["StatusCode"]
        return status, container.logs(stdout=True, stderr=False).decode().rstrip("\n")
    finally:
        container.remove(force=True)


def request(
    container: Container,
    path: str,
    *,
    port: int = 80,
    method: str = "GET",
    body: str = "",
    content_type: str = "application/json",
) -> str:
    """Send one HTTP request from inside the container, once it listens; return the answer."""
    deadline = time.monotonic() + READY_SECONDS
    command = ["bash", "-c", _REQUEST, "bash", str(port), method, path, content_type, body]
    while True:
        answer: Any = container.exec_run(command)  # typed for its streaming variants too
        if answer.exit_code == 0:
            return str(answer.output.decode())
        assert time.monotonic() < deadline, container.logs().decode()
        time.sleep(0.2)
