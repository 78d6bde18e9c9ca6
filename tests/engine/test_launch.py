from __future__ import annotations

from pathlib import Path

import pytest

from bench.engine.launch import daemon_arguments, launch_arguments
from bench.engine.state import EngineFolder, EngineSpec, ImageStore

FOLDER = EngineFolder("x", Path("/state"))


def test_a_private_engine_shares_no_path_bridge_or_firewall_with_another() -> None:
    arguments = daemon_arguments(EngineSpec("x"), FOLDER)
    for option in (
        f"--data-root={FOLDER.data}",
        f"--exec-root={FOLDER.run}/exec",
        f"--host={FOLDER.host}",
        f"--pidfile={FOLDER.pidfile}",
        f"--bridge={FOLDER.bridge}",
        "--iptables=false",
        "--ip-forward=false",
    ):
        assert option in arguments


@pytest.mark.parametrize(
    ("store", "option"),
    [
        (ImageStore.CONTAINERD, "--feature=containerd-snapshotter=true"),
        (ImageStore.GRAPHDRIVER, "--storage-driver=overlay2"),
    ],
)
def test_the_image_store_is_the_one_asked_for(store: ImageStore, option: str) -> None:
    arguments = daemon_arguments(EngineSpec("x", "sid", store), FOLDER)
    assert option in arguments
    assert ("--storage-driver=overlay2" in arguments) == (store is ImageStore.GRAPHDRIVER)


def test_an_engine_of_another_release_runs_in_that_root_with_the_same_paths() -> None:
    command = launch_arguments(EngineSpec("x", "sid"), FOLDER, Path("/roots/sid"))
    assert command[:4] == ("unshare", "--mount", "--propagation", "private")
    expected = ("/roots/sid", str(FOLDER.data), str(FOLDER.run), str(FOLDER.etc), "dockerd")
    start = command.index("/roots/sid")
    assert command[start : start + 5] == expected
    assert "pivot_root" in command[6]


def test_the_machines_own_engine_keeps_the_machines_root() -> None:
    command = launch_arguments(EngineSpec("x"), FOLDER, None)
    assert "pivot_root" not in command[6]
    assert str(FOLDER.etc) in command
