from __future__ import annotations

import os
import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING

from bench.engine import processes

if TYPE_CHECKING:
    from pathlib import Path


def test_the_identity_of_a_running_process_is_recognised_again() -> None:
    identity = processes.identify(os.getpid())
    assert identity is not None
    assert processes.is_running(identity)


def test_another_process_with_the_same_pid_is_not_taken_for_it() -> None:
    identity = processes.identify(os.getpid())
    assert identity is not None
    assert not processes.is_running(replace(identity, start_ticks=identity.start_ticks - 1))
    assert not processes.is_running(replace(identity, boot_id="the boot before"))


def test_a_process_that_ended_has_no_identity_even_as_a_zombie() -> None:
    with subprocess.Popen(["true"]) as child:
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert processes.identify(child.pid) is None


def test_a_process_that_only_names_the_folder_is_no_member(tmp_path: Path) -> None:
    # Somebody may well be reading the log: stopping an engine must not kill a pager.
    log = tmp_path / "log"
    log.touch()
    with subprocess.Popen(["tail", "-f", str(log)]) as reader:
        assert processes.members(tmp_path) == frozenset()
        reader.kill()


def test_a_daemon_that_lost_its_parent_is_a_member_with_all_its_descendants(tmp_path: Path) -> None:
    daemon = tmp_path / "containerd-shim-x"
    daemon.symlink_to("/bin/sh")
    command = [str(daemon), "-c", "sleep 61 & wait", f"{tmp_path}/run/sock"]
    with subprocess.Popen(command) as shim:
        assert processes.wait_until(lambda: len(processes.members(tmp_path / "run")) == 2, 5)
        assert shim.pid in processes.members(tmp_path / "run")
        assert processes.members(tmp_path / "ru") == frozenset()
        processes.end(None, tmp_path / "run", grace_seconds=1)
        assert processes.members(tmp_path / "run") == frozenset()
        assert shim.wait(5) != 0
