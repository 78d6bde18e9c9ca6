"""Where private engines live on the disk, and what is remembered about each of them."""

from __future__ import annotations

import hashlib
import json
import os
import re
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from bench.errors import NoEngineError, UsageError

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,40}")
_SPEC_FILE = "engine.json"
_PROCESS_FILE = "process.json"


class ImageStore(StrEnum):
    """Where an engine keeps its images; it decides some rules of the build cache."""

    GRAPHDRIVER = "graphdriver"
    CONTAINERD = "containerd"


def state_dir() -> Path:
    """Return the folder of everything private engines keep: ``$CACHEBENCH_HOME``, else XDG."""
    home = os.environ.get("CACHEBENCH_HOME")
    if home:
        return Path(home).absolute()
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path("~/.cache").expanduser())
    return Path(cache).absolute() / "cachebench"


@dataclass(frozen=True)
class EngineSpec:
    """Which private engine: its name, the Debian release it comes from (None = the host's own).

    Raises:
        UsageError: the name cannot be a folder name.

    """

    name: str = "default"
    release: str | None = None
    image_store: ImageStore = ImageStore.GRAPHDRIVER

    def __post_init__(self) -> None:
        for value in (self.name, self.release):
            if value is not None and not _NAME.fullmatch(value):
                raise UsageError(
                    f"engine {value!r}: not a usable name",
                    remedy="use lower case letters, digits, '.', '_' and '-', 41 at most",
                )


@dataclass(frozen=True)
class EngineProcess:
    """The identity of a running dockerd.

    ``start_ticks`` is its start time since boot and ``boot_id`` the boot, so that another process
    which got the same pid later is never taken for it.
    """

    pid: int
    start_ticks: int
    boot_id: str


@dataclass(frozen=True)
class EngineFolder:
    """The paths of one private engine, all inside the state folder but for the short-lived ones.

    The socket, the pid file and ``--exec-root`` are under ``/run``: a unix socket's path may have
    only 107 bytes, and what is there is stale after a reboot anyway.
    """

    name: str
    state: Path

    @property
    def path(self) -> Path:
        """The engine's folder, the parent of all that lasts."""
        return self.state / "engines" / self.name

    @property
    def data(self) -> Path:
        """The ``--data-root`` of dockerd."""
        return self.path / "data"

    @property
    def etc(self) -> Path:
        """What dockerd sees as ``/etc/docker``: 20.10 keeps the key there that makes its ID."""
        return self.path / "etc"

    @property
    def log(self) -> Path:
        """The log of the last start."""
        return self.path / "dockerd.log"

    @property
    def token(self) -> str:
        """Eight hex digits that tell this engine from every other on the machine."""
        return hashlib.sha256(os.fsencode(self.path)).hexdigest()[:8]

    @property
    def run(self) -> Path:
        """Socket, pid file and ``--exec-root``."""
        return Path("/run/cachebench") / self.token

    @property
    def socket(self) -> Path:
        """The socket the engine listens on."""
        return self.run / "docker.sock"

    @property
    def host(self) -> str:
        """The value of DOCKER_HOST for this engine."""
        return f"unix://{self.socket}"

    @property
    def pidfile(self) -> Path:
        """The ``--pidfile`` of dockerd."""
        return self.run / "docker.pid"

    @property
    def bridge(self) -> str:
        """The name of its own bridge (15 characters at most), so that docker0 is left alone."""
        return f"cb{self.token}"

    @property
    def lock(self) -> Path:
        """Held while the engine is being started or stopped."""
        return self.state / "engines" / f".{self.name}.lock"

    def write_spec(self, spec: EngineSpec) -> None:
        """Remember how the engine was made."""
        self.path.mkdir(parents=True, exist_ok=True)
        (self.path / _SPEC_FILE).write_text(json.dumps(asdict(spec), indent=1) + "\n")

    def read_spec(self) -> EngineSpec | None:
        """Return how the engine was made; None if there is no such engine.

        Raises:
            NoEngineError: the file is there and cannot be understood.

        """
        path = self.path / _SPEC_FILE
        raw = _read_json(path)
        if raw is None:
            return None
        try:
            return EngineSpec(raw["name"], raw["release"], ImageStore(raw["image_store"]))
        except (KeyError, ValueError, TypeError, UsageError) as error:
            raise _damaged(path, self.name) from error

    def write_process(self, process: EngineProcess) -> None:
        """Remember the running dockerd."""
        (self.path / _PROCESS_FILE).write_text(json.dumps(asdict(process)) + "\n")

    def read_process(self) -> EngineProcess | None:
        """Return the dockerd started last, running or not; None if there never was one.

        Raises:
            NoEngineError: the file is there and cannot be understood.

        """
        path = self.path / _PROCESS_FILE
        raw = _read_json(path)
        if raw is None:
            return None
        try:
            return EngineProcess(**raw)
        except TypeError as error:
            raise _damaged(path, self.name) from error

    def forget_process(self) -> None:
        """Note that no dockerd is running."""
        (self.path / _PROCESS_FILE).unlink(missing_ok=True)


def engine_folder(name: str) -> EngineFolder:
    """Return the folder of the private engine of that name, existing or not."""
    return EngineFolder(name, state_dir())


def known_engines() -> tuple[EngineFolder, ...]:
    """Return the private engines that were ever started and not purged, by name."""
    root = state_dir() / "engines"
    if not root.is_dir():
        return ()
    names = sorted(path.parent.name for path in root.glob(f"*/{_SPEC_FILE}"))
    return tuple(engine_folder(name) for name in names)


def _read_json(path: Path) -> dict[str, Any] | None:
    try:
        raw = json.loads(path.read_text())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except PermissionError as error:
        raise NoEngineError(
            f"{path}: permission denied", remedy="run as the user who started this engine"
        ) from error
    except ValueError as error:
        raise _damaged(path, path.parent.name) from error
    if not isinstance(raw, dict):
        raise _damaged(path, path.parent.name)
    return raw


def _damaged(path: Path, name: str) -> NoEngineError:
    return NoEngineError(
        f"{path}: not readable as a record of an engine",
        remedy=f"run bench engine stop {name} --purge and start it again",
    )
