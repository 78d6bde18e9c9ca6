"""The command line as a newcomer meets it: help, wrong inputs, exit statuses."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from bench.cli import cli
from bench.errors import ExitCode
from tests.runner.scenarios import write_scenario
from tests.support.command import leaf_commands

if TYPE_CHECKING:
    from pathlib import Path

LEAVES = [path.split()[1:] for path, _ in leaf_commands(cli)]


def bench(
    *arguments: str | os.PathLike[str], **environment: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from bench.cli import main; main()", *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, **environment},
    )


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    return write_scenario(tmp_path / "small", "busybox")


@pytest.mark.parametrize("command", LEAVES, ids=" ".join)
def test_every_command_has_help_with_examples(command: list[str]) -> None:
    shown = bench(*command, "--help")

    assert shown.returncode == ExitCode.OK
    assert "Usage:" in shown.stdout
    assert "Example" in shown.stdout


def test_without_a_command_the_help_is_shown() -> None:
    shown = bench()

    assert shown.returncode == ExitCode.USAGE
    assert all(command[0] in shown.stderr for command in LEAVES)
    assert "Traceback" not in shown.stderr


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (["run"], ExitCode.USAGE, "name the folder of a scenario"),
        (["run", "nowhere"], ExitCode.USAGE, "nowhere"),
        (["run", "SCENARIO", "--variant", "x"], ExitCode.USAGE, "as-written, metadata-first"),
        (["run", "SCENARIO", "--change", "x"], ExitCode.USAGE, "edit-source"),
        (["run", "SCENARIO", "--rounds", "0"], ExitCode.USAGE, "--rounds"),
        (["run", "SCENARIO", "--timeout", "soon"], ExitCode.USAGE, "write 90s"),
        (["run", "SCENARIO", "--builder", "kaniko"], ExitCode.USAGE, "buildkit"),
        (["run", "--resume", "nowhere"], ExitCode.RECORDS, "nowhere"),
        (["run", "SCENARIO", "--resume", "nowhere"], ExitCode.USAGE, "takes no PATH"),
        (["plan", "nowhere"], ExitCode.USAGE, "nowhere"),
        (["report", "nowhere"], ExitCode.RECORDS, "nowhere"),
        (["no-such-command"], ExitCode.USAGE, "no-such-command"),
    ],
)
def test_wrong_input_gets_one_clear_message(
    arguments: list[str], status: ExitCode, says: str, scenario: Path
) -> None:
    shown = bench(*[str(scenario) if word == "SCENARIO" else word for word in arguments])

    assert shown.returncode == status
    assert says in shown.stderr
    assert "Traceback" not in shown.stderr


def test_an_engine_that_is_not_there_ends_with_3(scenario: Path, tmp_path: Path) -> None:
    shown = bench("run", str(scenario), DOCKER_HOST=f"unix://{tmp_path}/nothing.sock")

    assert shown.returncode == ExitCode.NO_ENGINE
    assert "nothing.sock" in shown.stderr
    assert "Traceback" not in shown.stderr


def test_a_plan_needs_no_engine_and_counts_the_builds(scenario: Path, tmp_path: Path) -> None:
    shown = bench(
        "plan",
        str(scenario),
        "--rounds",
        "2",
        "--json",
        DOCKER_HOST=f"unix://{tmp_path}/nothing.sock",
    )

    assert shown.returncode == ExitCode.OK
    assert '"builds": 76' in shown.stdout


@pytest.mark.engine
def test_sigterm_ends_a_run_cleanly_with_130(default_busybox_image: str, tmp_path: Path) -> None:
    """What was measured is kept, and the engine holds nothing of the run."""
    scenario = write_scenario(tmp_path / "slow", default_busybox_image)
    out = tmp_path / "run"
    process = subprocess.Popen(
        [sys.executable, "-c", "from bench.cli import main; main()", "run", scenario, "--out", out],
        stderr=subprocess.PIPE,
        text=True,
    )
    journal = out / "journal.jsonl"
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and (
        not journal.exists() or journal.read_bytes().count(b"\n") < 3
    ):
        time.sleep(0.05)

    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=60)

    assert process.returncode == ExitCode.INTERRUPTED
    assert "what was measured is kept" in errors
    assert "Traceback" not in errors
    assert journal.read_bytes().count(b"\n") >= 3
    assert "nothing to clean" in bench("clean").stdout
