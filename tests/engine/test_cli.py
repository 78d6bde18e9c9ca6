"""The command ``bench engine`` as a user types it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from bench.errors import ExitCode
from tests.support.command import bench

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("command", ["start", "stop", "status", "install"])
def test_every_command_explains_itself_with_an_example(command: str) -> None:
    code, said = bench("engine", command, "--help")
    assert code == ExitCode.OK
    assert f"\n    bench engine {command}" in said


@pytest.mark.usefixtures("no_settings")
def test_status_without_any_engine_says_so_and_starts_none(home: Path) -> None:
    code, said = bench("engine", "status", "--json", environment={"DOCKER_HOST": "unix:///none"})
    assert code == ExitCode.OK
    (row,) = json.loads(said)
    assert row["state"] == "no answer"
    assert row["reason"] == "no such file or directory"
    assert not home.exists()


@pytest.mark.usefixtures("home")
def test_an_unusable_name_is_a_usage_error() -> None:
    code, said = bench("engine", "start", "--name", "../evil")
    assert code == ExitCode.USAGE
    assert "'../evil': not a usable name" in said


@pytest.mark.usefixtures("home")
def test_stopping_what_is_not_there_is_an_error_naming_it() -> None:
    code, said = bench("engine", "stop", "never")
    assert code == ExitCode.NO_ENGINE
    assert "there is no private engine never" in said


@pytest.mark.usefixtures("home")
def test_stopping_all_of_none_is_fine() -> None:
    assert bench("engine", "stop", "--all", "--purge") == (ExitCode.OK, "")


@pytest.mark.engine
@pytest.mark.usefixtures("home")
def test_an_engine_started_is_listed_reached_and_stopped() -> None:
    code, host = bench("engine", "start", "--name", "mine", "--quiet")
    assert code == ExitCode.OK
    environment = {"DOCKER_HOST": host.strip()}

    code, said = bench("engine", "status", "--json", environment=environment)
    usual, mine = json.loads(said)
    assert (usual["source"], usual["state"]) == ("DOCKER_HOST", "runs")
    assert (mine["name"], mine["state"], mine["host"]) == ("mine", "runs", host.strip())
    assert mine["version"] == usual["version"]
    assert bench("engine", "status", "--quiet") == (ExitCode.OK, "mine\n")

    code, said = bench("engine", "status", environment=environment)
    assert host.strip() in said

    assert bench("engine", "stop", "mine")[0] == ExitCode.OK
    assert bench("engine", "status", "--quiet") == (ExitCode.OK, "")
    code, said = bench("engine", "start", "--json", environment=environment)
    assert code == ExitCode.NO_ENGINE
    assert "DOCKER_HOST" in said
