"""What real docker clients send: builds ``COPY . /`` with them and reads the layer back.

``python -m tests.workspace.oracle`` records the answers for every case as a fixture whose name
holds the versions, so that the matcher is checked against them where there is no engine.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.engine import client_of
from bench.engine.modern import release_root
from bench.workspace import ClientRule
from tests.support import engines
from tests.workspace.ignore_cases import CASES, DOCKERFILE, make_tree

if TYPE_CHECKING:
    import docker

FIXTURES = Path(__file__).parent / "fixtures"
_TAG = "cachebench-test-dockerignore"

Answer = list[str] | None
"""The paths that arrived in the image, directories with a trailing slash; None = refused."""


@dataclass(frozen=True)
class Oracle:
    """One real client with one real engine."""

    engine: str
    rule: ClientRule
    command: tuple[str, ...]
    version_command: tuple[str, ...]

    def fixture(self, client: docker.DockerClient) -> Path:
        """Where this pair's answers are kept."""
        engine = client.version()["Version"].split("+")[0]
        return FIXTURES / f"dockerignore-{self.rule}-{self.version()}-engine-{engine}.json"

    def version(self) -> str:
        """Program and version of the client."""
        printed = subprocess.run(
            self.version_command, check=True, capture_output=True, text=True
        ).stdout.split()
        program = "buildx" if "buildx" in printed[0] else "docker"
        number = printed[1] if program == "buildx" else printed[2]
        return f"{program}-{number.rstrip(',').split('+')[0]}"

    def ask(self, client: docker.DockerClient, host: str, context: Path) -> Answer:
        """Build ``context`` and list what arrived in the image."""
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(context.parent),
            "DOCKER_HOST": host,
            "DOCKER_BUILDKIT": "1" if self.rule is ClientRule.BUILDKIT else "0",
        }
        arguments = ("build", "-q", "-t", _TAG, "-f", str(context / DOCKERFILE), str(context))
        done = subprocess.run(
            (*self.command, *arguments), env=environment, capture_output=True, text=True,
            timeout=120, check=False,
        )  # fmt: skip
        if done.returncode != 0:
            return None
        try:
            return paths_in_image(client, _TAG)
        finally:
            client.images.remove(_TAG, force=True)


def oracles() -> list[Oracle]:
    """Every pair that can be had here; Debian's packages make them the same everywhere."""
    root = release_root("sid", progress=lambda _: None)
    buildx = str(root / "usr/libexec/docker/cli-plugins/docker-buildx")
    new = str(root / "usr/bin/docker")
    # The packages of Debian 12 answered once and are kept: their clients are those of 2022, which
    # read a few patterns in another way (see test_ignore.py).
    return [
        Oracle(engines.SID_GRAPHDRIVER, ClientRule.CLASSIC, (new,), (new, "--version")),
        Oracle(engines.SID_GRAPHDRIVER, ClientRule.BUILDKIT, (buildx,), (buildx, "version")),
    ]


def ask_all(oracle: Oracle, names: list[str]) -> dict[str, Answer]:
    """Put the named cases to one oracle."""
    endpoint = engines.endpoint_of(oracle.engine)
    client = client_of(endpoint)
    answers: dict[str, Answer] = {}
    try:
        for name in names:
            with tempfile.TemporaryDirectory() as folder:
                context = Path(folder, "context")
                make_tree(context, CASES[name])
                answers[name] = oracle.ask(client, endpoint.host, context)
    finally:
        client.close()
    return answers


def paths_in_image(client: docker.DockerClient, tag: str) -> list[str]:
    """List the paths of all layers of an image, directories with a trailing slash."""
    with tempfile.TemporaryFile() as saved:
        for piece in client.api.get_image(tag):
            saved.write(piece)
        saved.seek(0)
        with tarfile.open(fileobj=saved) as image:
            manifest: list[dict[str, Any]] = json.load(_member(image, "manifest.json"))
            names: list[str] = []
            for layer in manifest[0]["Layers"]:
                with tarfile.open(fileobj=_member(image, layer)) as tar:
                    names.extend(m.name.strip("/") + "/" * m.isdir() for m in tar)
    return sorted(name for name in names if name.strip("/"))


def _member(image: tarfile.TarFile, name: str) -> Any:
    member = image.extractfile(name)
    assert member is not None
    return member


def main() -> None:
    """Record the answers of every oracle."""
    for oracle in oracles():
        client = client_of(engines.endpoint_of(oracle.engine))
        path = oracle.fixture(client)
        client.close()
        answers = ask_all(oracle, list(CASES))
        path.write_text(json.dumps(answers, indent=1, ensure_ascii=False) + "\n")
        sys.stderr.write(f"{path.name}: {len(answers)} answers\n")


if __name__ == "__main__":
    main()
