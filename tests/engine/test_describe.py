from __future__ import annotations

import platform
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bench.engine.connect import client_of
from bench.engine.describe import UNKNOWN, cpu_model, describe, filesystem_of, image_store
from bench.engine.state import ImageStore
from tests.support.engines import ALL, DEBIAN_12, SID_CONTAINERD, endpoint_of

if TYPE_CHECKING:
    import docker

MOUNTINFO = """\
22 1 259:1 / / rw,relatime shared:1 - ext4 /dev/root rw
23 22 0:21 / /var rw - xfs /dev/sdb rw
24 23 0:22 / /var/lib/docker rw - btrfs /dev/sdc rw
25 22 0:23 / /variable rw - tmpfs tmpfs rw
26 24 0:24 / /var/lib/docker rw shared:3 master:1 - zfs pool rw
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/home/x", "ext4"),
        ("/var", "xfs"),
        ("/var/lib", "xfs"),
        ("/var/lib/docker/overlay2", "zfs"),
        ("/variable/x", "tmpfs"),
        ("/variables", "ext4"),
    ],
)
def test_the_file_system_is_that_of_the_nearest_and_last_mount(path: str, kind: str) -> None:
    assert filesystem_of(Path(path), MOUNTINFO) == kind


def test_the_image_store_is_told_by_the_snapshotter_type() -> None:
    containerd = {"DriverStatus": [["driver-type", "io.containerd.snapshotter.v1"]]}
    graph = {"DriverStatus": [["Backing Filesystem", "extfs"], ["Supports d_type", "true"]]}
    assert image_store(containerd) is ImageStore.CONTAINERD
    assert image_store(graph) is ImageStore.GRAPHDRIVER
    assert image_store({"DriverStatus": None}) is ImageStore.GRAPHDRIVER


def test_a_processor_without_a_name_is_told_by_its_architecture(tmp_path: Path) -> None:
    (tmp_path / "cpuinfo").write_text("processor\t: 0\nBogoMIPS\t: 50.00\n")
    assert cpu_model(tmp_path / "cpuinfo") == platform.machine()
    (tmp_path / "cpuinfo").write_text("processor\t: 0\nmodel name\t: A: B 3\n")
    assert cpu_model(tmp_path / "cpuinfo") == "A: B 3"


@pytest.mark.engine
def test_every_engine_is_described_as_what_it_is(
    any_engine: docker.DockerClient, request: pytest.FixtureRequest
) -> None:
    name = request.node.callspec.params["any_engine"]
    info = describe(any_engine)
    assert info.version.startswith("20.10.") == (name == DEBIAN_12)
    expected = ImageStore.CONTAINERD if name == SID_CONTAINERD else ImageStore.GRAPHDRIVER
    assert info.image_store == expected
    assert info.storage_driver == ("overlayfs" if name == SID_CONTAINERD else "overlay2")
    assert info.host.startswith("unix:///")
    assert info.cpus >= 1
    assert info.memory_bytes > 2**28
    assert info.kernel == platform.release()
    assert UNKNOWN not in vars(info).values()
    assert tuple(int(part) for part in info.api_version.split(".")) >= (1, 41)


@pytest.mark.engine
def test_no_two_engines_have_the_same_id() -> None:
    # 20.10 takes its ID from a key in /etc/docker, which engines on one machine would share.
    clients = [client_of(endpoint_of(name)) for name in ALL]
    assert len({describe(client).id for client in clients}) == len(ALL)
    for client in clients:
        client.close()
