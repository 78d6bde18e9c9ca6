"""The engines and builders that cases are built on.

Each engine is a private one of the suite, with its data on a memory file system where there is
one: builds leave nothing that anybody else sees, and clearing up means deleting the engine.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench.cache_model import profile_of
from bench.engine import EngineSpec, ImageStore, client_of, start, stop
from bench.engine.describe import describe
from bench.engine.modern import release_root
from bench.engine.private import say_nothing
from bench.engine.state import state_dir
from tests.conformance.dialect import dialect_of
from tests.support.busybox import rootfs_tar

if TYPE_CHECKING:
    from collections.abc import Iterator

    from docker import DockerClient

    from bench.cache_model import Profile
    from tests.conformance.dialect import Dialect

BUILDERS = ("classic", "buildkit")
ENGINES: dict[str, tuple[str, ImageStore]] = {
    "debian-12": ("bookworm", ImageStore.GRAPHDRIVER),
    "sid-graphdriver": ("sid", ImageStore.GRAPHDRIVER),
    "sid-containerd": ("sid", ImageStore.CONTAINERD),
}
"""The engines by the names that tests/support/engines.py gives them: release and image store."""

_MEMORY = Path("/dev/shm")
_ROOM = 2 << 30


@dataclass(frozen=True)
class Target:
    """One builder in one engine."""

    engine: str
    version: str
    image_store: str
    builder: str

    @property
    def dialect(self) -> Dialect:
        """What it understands."""
        return dialect_of(self.builder, self.version)

    @property
    def profile(self) -> Profile:
        """The rules that the model follows for it."""
        return profile_of(self.builder, self.version, self.image_store)

    @property
    def label(self) -> str:
        """Its name in file names: builder, engine version without the packager's, store."""
        return f"{self.builder}-{self.version.partition('+')[0]}-{self.image_store}"


@contextlib.contextmanager
def in_memory() -> Iterator[None]:
    """Let the private engines of this process live in a folder of their own in memory.

    Where no memory file system has 2 GB to spare they live where all others do, under names of
    their own.
    """
    if not _MEMORY.is_dir() or shutil.disk_usage(_MEMORY).free < _ROOM:
        yield
        return
    home = Path(tempfile.mkdtemp(prefix="cachebench-", dir=_MEMORY))
    before = os.environ.get("CACHEBENCH_HOME")
    try:
        _furnish(home)
        os.environ["CACHEBENCH_HOME"] = str(home)
        yield
    finally:
        if before is None:
            os.environ.pop("CACHEBENCH_HOME", None)
        else:
            os.environ["CACHEBENCH_HOME"] = before
        shutil.rmtree(home, ignore_errors=True)


def _furnish(home: Path) -> None:
    """Take over what is expensive to make: the roots of releases, the busybox."""
    (home / "roots").mkdir()
    for release in sorted({release for release, _ in ENGINES.values()}):
        if not _is_of_host(release):
            root = release_root(release, progress=say_nothing)
            (home / "roots" / release).symlink_to(root)
    rootfs_tar()
    (home / "tests").mkdir()
    shutil.copy(state_dir() / "tests" / "busybox.tar", home / "tests")


def _is_of_host(release: str) -> bool:
    """Tell whether the machine's own dockerd is the one of that release: Engine 20.10."""
    if release != "bookworm":
        return False
    try:
        said = subprocess.run(
            ["dockerd", "--version"], capture_output=True, text=True, timeout=20, check=False
        )
    except FileNotFoundError:
        return False
    return "version 20.10." in said.stdout


class OwnEngine:
    """A private engine of the suite for one builder, thrown away and made anew within seconds.

    Each builder gets one of its own, so that the builds of one engine never overlap.
    """

    def __init__(self, name: str, builder: str) -> None:
        release, store = ENGINES[name]
        self.name = name
        self.builder = builder
        of_host = _is_of_host(release)
        self._spec = EngineSpec(
            f"conformance-{name}-{builder}", None if of_host else release, store
        )
        self._client: DockerClient | None = None

    @property
    def client(self) -> DockerClient:
        """A client of the running engine, which is started if need be.

        Raises:
            NoEngineError: it cannot be had here.

        """
        if self._client is None:
            self._client = client_of(start(self._spec).endpoint)
        return self._client

    def target(self) -> Target:
        """Say what is built on."""
        info = describe(self.client)
        return Target(self.name, info.version, info.image_store, self.builder)

    def discard(self) -> None:
        """Stop the engine and delete all that it holds."""
        if self._client is not None:
            self._client.close()
            self._client = None
        stop(self._spec.name, purge=True)
