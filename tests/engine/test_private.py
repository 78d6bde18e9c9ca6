from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bench.engine import EngineSpec, ImageStore, client_of, describe, processes, start, status, stop
from bench.engine.find import why_silent
from bench.engine.private import mounts_below
from bench.engine.state import EngineProcess, engine_folder
from bench.errors import ExitCode, NoEngineError
from tests.support.busybox import import_busybox

if TYPE_CHECKING:
    import docker

pytestmark = pytest.mark.engine


def links() -> set[str]:
    return {path.name for path in Path("/sys/class/net").iterdir()}


def firewall() -> str:
    command = ["iptables-save"]
    rules = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True).stdout
    return "\n".join(line for line in rules.splitlines() if line.startswith("-A"))


def kill_daemon(name: str) -> EngineProcess:
    """Kill dockerd as the kernel does when memory is short.

    The kernel then kills containerd too; the shims and their containers are left behind.
    """
    process = engine_folder(name).read_process()
    assert process is not None
    os.kill(process.pid, signal.SIGKILL)
    assert processes.wait_until(lambda: not processes.is_running(process), 10)
    return process


def test_a_private_engine_starts_builds_and_goes_without_a_trace(
    home: Path, engine_client: docker.DockerClient
) -> None:
    before, rules = links(), firewall()
    state = start(EngineSpec("traceless"))
    assert why_silent(state.endpoint) is None
    assert links() - before == {state.folder.bridge}
    assert firewall() == rules

    client = client_of(state.endpoint)
    client.containers.run(
        import_busybox(client), ["sleep", "600"], detach=True, stop_signal="SIGKILL"
    )
    assert client.info()["DockerRootDir"] == str(home / "engines/traceless/data")
    client.close()

    assert stop("traceless", purge=True)
    assert links() == before
    assert not state.folder.path.exists()
    assert not state.folder.run.exists()
    assert mounts_below(home) == []
    assert processes.members(state.folder.run) == frozenset()
    engine_client.ping()


def test_starting_a_running_engine_again_returns_the_same_one(home: Path) -> None:
    assert not home.exists()
    first = start(EngineSpec("twice"))
    process = first.folder.read_process()
    assert start(EngineSpec("twice")).endpoint == first.endpoint
    assert first.folder.read_process() == process


def test_images_outlive_a_stop_without_purge(home: Path) -> None:
    client = client_of(start(EngineSpec("keeps")).endpoint)
    tag = import_busybox(client)
    engine_id = describe(client).id
    client.close()
    assert stop("keeps")
    known = status("keeps")
    assert known is not None
    assert not known.running
    client = client_of(start(EngineSpec("keeps")).endpoint)
    assert client.images.get(tag).id
    assert describe(client).id == engine_id
    client.close()
    assert home.exists()


@pytest.mark.parametrize("remains", ["a container", "after a reboot"])
def test_a_killed_engine_starts_again_over_its_stale_pid_file_and_socket(
    home: Path, remains: str
) -> None:
    state = start(EngineSpec("killed"))
    folder = state.folder
    client = client_of(state.endpoint)
    client.containers.run(import_busybox(client), ["sleep", "600"], detach=True)
    client.close()
    process = kill_daemon("killed")
    if remains == "after a reboot":
        processes.end(None, folder.run, grace_seconds=1)
        # Now the pid belongs to somebody else, as it may after a reboot.
        folder.pidfile.write_text(str(os.getpid()))
        folder.write_process(EngineProcess(os.getpid(), process.start_ticks, "an earlier boot"))
    else:
        assert processes.members(folder.run)
    assert folder.pidfile.exists()
    assert folder.socket.exists()
    known = status("killed")
    assert known is not None
    assert not known.running

    assert why_silent(start(EngineSpec("killed")).endpoint) is None
    assert len([pid for pid in processes.members(folder.run) if is_dockerd(pid)]) == 1
    assert home.exists()


def is_dockerd(pid: int) -> bool:
    return Path(f"/proc/{pid}/comm").read_text().strip() == "dockerd"


def test_a_killed_engine_can_be_purged_with_a_container_still_running(home: Path) -> None:
    state = start(EngineSpec("crashed"))
    client = client_of(state.endpoint)
    client.containers.run(import_busybox(client), ["sleep", "600"], detach=True)
    client.close()
    kill_daemon("crashed")
    # A shim and the container stay; the kernel ends containerd a moment after dockerd.
    assert processes.wait_until(lambda: len(processes.members(state.folder.run)) == 2, 10)
    assert stop("crashed", purge=True)
    assert processes.members(state.folder.run) == frozenset()
    assert not (home / "engines/crashed").exists()


def test_what_dockerd_says_when_it_cannot_start_is_in_the_error(home: Path) -> None:
    folder = engine_folder("broken")
    folder.etc.mkdir(parents=True)
    (folder.etc / "daemon.json").write_text('{"no-such-option": true}')
    with pytest.raises(NoEngineError, match="no-such-option") as caught:
        start(EngineSpec("broken"))
    assert str(home) in caught.value.message
    assert caught.value.exit_code is ExitCode.NO_ENGINE
    assert folder.bridge not in links()


def test_a_name_belongs_to_one_kind_of_engine(home: Path) -> None:
    folder = engine_folder("taken")
    folder.write_spec(EngineSpec("taken", "sid", ImageStore.CONTAINERD))
    with pytest.raises(NoEngineError, match="release sid, containerd image store"):
        start(EngineSpec("taken"))
    assert home.exists()


@pytest.mark.usefixtures("home")
def test_stopping_an_engine_that_never_was_says_so() -> None:
    assert not stop("never")
    assert status("never") is None


@pytest.mark.usefixtures("any_engine")
def test_the_engines_run_side_by_side(request: pytest.FixtureRequest) -> None:
    """Starting each of them, one after the other, has not hurt those that ran before."""
    from tests.support.engines import ALL, endpoint_of

    assert request.node.callspec.id in ALL
    assert {name: why_silent(endpoint_of(name)) for name in ALL} == dict.fromkeys(ALL)
