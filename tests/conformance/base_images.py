"""The base images of generated cases: a few variants of a 2 MB busybox, salted per case."""

from __future__ import annotations

import hashlib
import io
import re
import tarfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import docker.errors

from bench.bases.salt import SCRATCH, Salter
from bench.builders.protocol import BaseImageConfig
from bench.cache_model import BaseImage
from tests.conformance.case import SALT
from tests.support.busybox import rootfs_tar

if TYPE_CHECKING:
    from collections.abc import Mapping

    from docker import DockerClient

    from tests.conformance.case import State

# Nothing listens on port 1; see tests/support/busybox.py.
_REPOSITORY = "localhost:1/cachebench-conformance"
_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
_USERS = (
    "root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000:app:/:/bin/sh\nweb:x:1001:1001:web:/:/bin/sh\n"
)
_GROUP = "root:x:0:\napp:x:1000:\nweb:x:1001:\nstaff:x:50:\n"
_SYSTEM_DIRS = ("/bin", "/dev", "/etc", "/proc", "/root", "/sbin", "/sys", "/tmp", "/usr")

_MOUNT_FROM = re.compile(r"--mount=\S*from=")

PLAIN = "plain"
RELAYERED = "relayered"
"""A variant of a base with one more layer, which holds no file."""
REFILLED = "refilled"
"""A variant of a base one of whose files is another."""
VARIANTS = (PLAIN, RELAYERED, REFILLED)


@dataclass(frozen=True)
class BaseSpec:
    """A base image as cases know it."""

    files: Mapping[str, str]
    env: Mapping[str, str] = field(default_factory=dict)
    working_dir: str = "/"
    user: str = ""
    on_build: tuple[str, ...] = ()

    @property
    def known(self) -> dict[str, str]:
        """Return the paths that a case may refer to, with their kinds."""
        if not self.files:
            return {}
        folders = {
            "/opt": "dir",
            "/opt/data": "dir",
            "/srv": "dir",
            **dict.fromkeys(_SYSTEM_DIRS, "dir"),
        }
        return {**folders, "/etc/group": "file", **dict.fromkeys(self.files, "file")}

    @property
    def changes(self) -> list[str]:
        """Return the image's config as instructions for the import."""
        changes = [f"ENV {name}={value}" for name, value in self.env.items()]
        changes += [f"ONBUILD {trigger}" for trigger in self.on_build]
        changes += [f"WORKDIR {self.working_dir}"] if self.working_dir != "/" else []
        return [*changes, *([f"USER {self.user}"] if self.user else [])]


_FILES = {"/opt/data/one": "one\n", "/opt/data/two": "two\n", "/etc/passwd": _USERS}
BASE_IMAGES: dict[str, BaseSpec] = {
    "img/base:1": BaseSpec(_FILES, {"PATH": _PATH}),
    "img/rich:1": BaseSpec(
        {**_FILES, "/opt/data/rich": "rich\n"},
        {"PATH": _PATH, "MODE": "base"},
        working_dir="/srv",
        user="app",
    ),
    "img/trigger:1": BaseSpec(
        {**_FILES, "/opt/data/trigger": "t\n"},
        {"PATH": _PATH},
        on_build=("LABEL triggered=1", "WORKDIR /triggered"),
    ),
    "img/scratch:1": BaseSpec({}),
}


def _rootfs(files: Mapping[str, str]) -> bytes:
    """Return the busybox root with these files added or replaced."""
    source = io.BytesIO(rootfs_tar())
    buffer = io.BytesIO()
    with (
        tarfile.open(fileobj=source) as old,
        tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as new,
    ):
        for member in old:
            if f"/{member.name}" not in files and member.name != "etc/group":
                new.addfile(member, old.extractfile(member) if member.isfile() else None)
        for folder in ("opt", "opt/data", "srv"):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            new.addfile(entry)
        for path, text in {**files, "/etc/group": _GROUP}.items():
            entry = tarfile.TarInfo(path[1:])
            entry.size = len(text.encode())
            new.addfile(entry, io.BytesIO(text.encode()))
    return buffer.getvalue()


class EngineBases:
    """The unsalted base images in one engine, imported when they are first asked for."""

    def __init__(self, client: DockerClient, image_store: str) -> None:
        self.client = client
        self.salter = Salter(client, image_store)
        self._tags: dict[tuple[str, bool], str] = {}

    def tag(self, name: str, *, refilled: bool) -> str:
        """Return the tag of a base image in the engine."""
        if name == "img/scratch:1":
            return SCRATCH
        if (name, refilled) not in self._tags:
            self._tags[name, refilled] = self._import(name, refilled=refilled)
        return self._tags[name, refilled]

    def _import(self, name: str, *, refilled: bool) -> str:
        spec = BASE_IMAGES[name]
        files = {**spec.files, "/opt/data/one": "another one\n"} if refilled else spec.files
        rootfs = _rootfs(files)
        digest = hashlib.sha256(rootfs + repr(spec.changes).encode()).hexdigest()[:12]
        tag = f"{_REPOSITORY}:{digest}"
        try:
            self.client.images.get(tag)
        except docker.errors.ImageNotFound:
            self.client.api.import_image_from_data(
                rootfs, repository=_REPOSITORY, tag=digest, changes=spec.changes
            )
        return tag


class CaseBases:
    """The base images of one case: each with a salt that no other case has.

    A base keeps its tag when its variant changes, like a ``:latest`` that was pushed anew.
    """

    def __init__(self, engine: EngineBases, salt: str) -> None:
        self.salt = salt
        self._engine = engine
        self._current: dict[str, str] = {}
        self._made: set[str] = set()

    @property
    def repository(self) -> str:
        """Where the case's images are tagged."""
        return f"{_REPOSITORY}/{self.salt}"

    def fill_in(self, text: str) -> str:
        """Replace the placeholders of a text."""
        text = text.replace(SALT, self.salt)
        for name in BASE_IMAGES:
            text = text.replace(name, self._tag(name))
        return text

    def _tag(self, name: str) -> str:
        return f"{self.repository}/{name.removeprefix('img/')}"

    def prepare(self, state: State) -> tuple[dict[str, BaseImage], dict[str, BaseImageConfig]]:
        """Make the tags stand for the images of a state; say what the model and builders need.

        Raises:
            BaseImageError: the engine refuses one.

        """
        text = state.text
        known: dict[str, BaseImage] = {}
        configs: dict[str, BaseImageConfig] = {}
        for name in (one for one in BASE_IMAGES if one in text):
            variant = state.bases.get(name, PLAIN)
            self._use(name, variant, own_file=bool(_MOUNT_FROM.search(text)))
            tag = self._tag(name)
            known[tag] = self._known(name, variant)
            spec = BASE_IMAGES[name]
            configs[tag] = BaseImageConfig(spec.working_dir, dict(spec.env), spec.on_build)
        return known, configs

    def _known(self, name: str, variant: str) -> BaseImage:
        spec = BASE_IMAGES[name]
        return BaseImage(
            name=self._tag(name),
            identity=f"{self.salt} {name} {variant}",
            content=f"{name} {'refilled' if variant == REFILLED else PLAIN}",
            env=tuple(spec.env.items()),
            working_dir=spec.working_dir,
            user=spec.user,
            on_build=spec.on_build,
        )

    def _use(self, name: str, variant: str, *, own_file: bool) -> None:
        if self._current.get(name) == variant:
            return
        kept = f"{self._tag(name)}-{variant}"
        if kept not in self._made:
            self._engine.salter.salt(
                self._engine.tag(name, refilled=variant == REFILLED),
                self.salt,
                kept,
                extra=variant if variant == RELAYERED else None,
            )
            if own_file and name != "img/scratch:1":
                self._add_own_file(kept, BASE_IMAGES[name])
            self._made.add(kept)
        repository, _, tag = self._tag(name).rpartition(":")
        self._engine.client.api.tag(kept, repository, tag)
        self._current[name] = variant

    def _add_own_file(self, tag: str, spec: BaseSpec) -> None:
        """Put a file with the salt into an image.

        BuildKit knows the root of a RUN by its files if a mount is of the same image or stage
        (moby/buildkit ``solver/llbsolver/ops/exec.go`` getMountDeps), and a salt holds none.
        """
        api: Any = self._engine.client.api
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
            entry = tarfile.TarInfo("etc/salt")
            entry.size = len(self.salt)
            archive.addfile(entry, io.BytesIO(self.salt.encode()))
        container = api.create_container(tag, command=["true"])["Id"]
        api.put_archive(container, "/", buffer.getvalue())
        repository, _, name = tag.rpartition(":")
        # A container does not keep the triggers of its image.
        triggers = [f"ONBUILD {trigger}" for trigger in spec.on_build]
        api.commit(container, repository, name, changes=triggers)
        api.remove_container(container)
