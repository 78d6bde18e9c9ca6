"""What an engine is and runs on: the part of a run's environment that decides its figures."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from docker.errors import DockerException
from requests.exceptions import RequestException

from bench.engine.state import ImageStore
from bench.errors import EngineLostError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import docker

UNKNOWN = "unknown"


@dataclass(frozen=True)
class EngineInfo:
    """One engine and its machine.

    ``image_store`` is "graphdriver" or "containerd"; ``storage_driver`` the driver or snapshotter;
    ``data_root_filesystem`` the file system type below the engine's data root ("ext4", or the
    engine's own word for it where it runs on another machine); ``host`` where it listens.
    """

    id: str
    version: str
    api_version: str
    image_store: str
    storage_driver: str
    data_root_filesystem: str
    kernel: str
    cpu_model: str
    cpus: int
    memory_bytes: int
    os: str
    host: str


def describe(client: docker.DockerClient) -> EngineInfo:
    """Ask an engine what it is.

    Raises:
        EngineLostError: it does not answer any more.

    """
    host = host_of(client)
    try:
        info: dict[str, Any] = client.info()
        version: dict[str, Any] = client.version()
    except (DockerException, RequestException) as error:
        raise EngineLostError(
            f"the Docker Engine at {host} does not answer: {error}",
            remedy="start it again and repeat the command",
        ) from error
    here = host.startswith("unix://") and info.get("KernelVersion") == platform.release()
    return EngineInfo(
        id=str(info.get("ID") or UNKNOWN),
        version=str(version.get("Version") or UNKNOWN),
        api_version=str(version.get("ApiVersion") or UNKNOWN),
        image_store=image_store(info).value,
        storage_driver=str(info.get("Driver") or UNKNOWN),
        data_root_filesystem=_data_root_filesystem(info, here=here),
        kernel=str(info.get("KernelVersion") or UNKNOWN),
        cpu_model=cpu_model(Path("/proc/cpuinfo")) if here else UNKNOWN,
        cpus=int(info.get("NCPU") or 0),
        memory_bytes=int(info.get("MemTotal") or 0),
        os=str(info.get("OperatingSystem") or UNKNOWN),
        host=host,
    )


def host_of(client: docker.DockerClient) -> str:
    """Return where the client's engine listens, as DOCKER_HOST would say it."""
    adapter = client.api.get_adapter(client.api.base_url)
    socket = getattr(adapter, "socket_path", None)
    return f"unix://{socket}" if socket else str(client.api.base_url)


def image_store(info: Mapping[str, Any]) -> ImageStore:
    """Tell the image store from ``GET /info``: only a containerd store names a snapshotter type.

    (moby daemon/containerd/service.go, ``LayerStoreStatus``.)
    """
    rows = info.get("DriverStatus") or ()
    types = [value for name, value in rows if name == "driver-type"]
    containerd = any(value.startswith("io.containerd.snapshotter") for value in types)
    return ImageStore.CONTAINERD if containerd else ImageStore.GRAPHDRIVER


def _data_root_filesystem(info: Mapping[str, Any], *, here: bool) -> str:
    root = info.get("DockerRootDir")
    if here and root:
        return filesystem_of(Path(root), Path("/proc/self/mountinfo").read_text())
    rows = dict(info.get("DriverStatus") or ())
    return str(rows.get("Backing Filesystem") or UNKNOWN)


def filesystem_of(path: Path, mountinfo: str) -> str:
    """Return the file system type of an absolute path, from the text of ``mountinfo`` (proc(5)).

    The longest mount point that is a parent counts, among equal ones the last mounted.
    """
    best, kind = -1, UNKNOWN
    for line in mountinfo.splitlines():
        mount, _, filesystem = line.partition(" - ")
        target = Path(mount.split()[4])
        if path.is_relative_to(target) and len(target.parts) >= best:
            best, kind = len(target.parts), filesystem.split()[0]
    return kind


def cpu_model(cpuinfo: Path) -> str:
    """Return the processor's name; some architectures do not tell it."""
    for line in cpuinfo.read_text().splitlines():
        key, _, value = line.partition(":")
        if key.strip() == "model name":
            return value.strip()
    return platform.machine() or UNKNOWN
