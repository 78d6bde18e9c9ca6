"""``bench run``: which builders, where, and with which exit status."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from bench.cli.conclusion import conclude
from bench.cli.options import chosen_builders
from bench.cli.plan import plan
from bench.cli.run import run
from bench.errors import ExitCode, NoEngineError, RecordsError, UsageError
from bench.journal import read_journal
from bench.runner import Phase, RunResult, make_settings, run_scenario
from bench.scenario import load_scenario
from tests.report.factory import java
from tests.runner.scenarios import write_scenario
from tests.runner.test_predictions import ForgetfulSite

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A scenario, in an empty current folder without results."""
    monkeypatch.chdir(tmp_path)
    return write_scenario(tmp_path / "small", "alpine")


def invoke(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(
        run,
        [str(argument) for argument in arguments],
        catch_exceptions=False,
        standalone_mode=False,
    )
    return int(result.return_value or 0), result.output


def test_simulated_means_both_simulated_builders() -> None:
    assert chosen_builders(["simulated"]) == ("simulated-classic", "simulated-buildkit")
    assert chosen_builders(["simulated-buildkit"]) == ("simulated-buildkit",)
    assert chosen_builders([]) == ("classic", "buildkit")


def test_real_and_simulated_builders_are_never_one_run() -> None:
    with pytest.raises(UsageError, match="one run cannot be both"):
        chosen_builders(["classic", "simulated-classic"])


def test_a_simulated_run_needs_no_engine_and_says_so(small: Path, tmp_path: Path) -> None:
    code, said = invoke(small, "--builder", "simulated", "--rounds", 1, "--out", "out")

    assert code == ExitCode.OK
    lines = said.splitlines()
    assert lines[0].startswith("SIMULATED: no build is made and no engine is used")
    assert "flat guesses" in lines[0]
    assert "40 simulated builds in out" in said
    assert "expectations met: 7 of 7; steps that only an artefact decides were not checked" in said
    assert "predictions:" not in said
    records = list(read_journal(tmp_path / "out"))
    assert {one.builder for one in records} == {"simulated-classic", "simulated-buildkit"}


def test_times_of_a_named_run_are_taken_and_kept_for_a_resumed_one(
    small: Path, tmp_path: Path
) -> None:
    recorded = java(rounds=1).write(tmp_path / "recorded")
    arguments = [small, "--builder", "simulated-classic", "--times", recorded, "--out", "out"]
    _, said = invoke(*arguments, "--time-budget", "1ms")
    assert f"step times are medians of the recorded run {recorded}" in said

    code, said = invoke("--resume", "out")

    assert code == ExitCode.OK
    assert f"step times are medians of the recorded run {recorded}" in said
    head = json.loads((tmp_path / "out/run.json").read_text())
    assert head["state"] == "complete"
    assert head["simulation"]["times_run"] == "run-1"


def test_the_newest_recorded_run_below_results_is_taken(small: Path, tmp_path: Path) -> None:
    java(rounds=1, scenario="small").write(tmp_path / "results/mine")

    _, said = invoke(small, "--builder", "simulated-classic", "--rounds", 1, "--out", "out")

    assert "step times are medians of the recorded run results/mine" in said


def test_times_are_refused_for_real_builders(small: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--times is for simulated builders alone"):
        invoke(small, "--builder", "classic", "--times", tmp_path)


def test_a_folder_of_times_that_is_no_run_is_named(small: Path, tmp_path: Path) -> None:
    with pytest.raises(RecordsError, match="it has no run"):
        invoke(small, "--builder", "simulated", "--times", tmp_path, "--out", "out")


def test_without_an_engine_the_simulation_is_offered(
    small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")

    with pytest.raises(NoEngineError) as refused:
        invoke(small, "--out", "out")

    assert "bench run --builder simulated" in refused.value.remedy


def test_a_plan_of_simulated_builds_takes_no_time(small: Path) -> None:
    printed = CliRunner().invoke(
        plan, [str(small), "--builder", "simulated", "--json"], catch_exceptions=False
    )

    [document] = json.loads(printed.stdout)
    assert document["builders"] == ["simulated-classic", "simulated-buildkit"]
    assert document["estimated_seconds"] < 60


@pytest.fixture
def forgotten(small: Path, tmp_path: Path) -> RunResult:
    """A run on an engine that lost its cache once, of a change that no expectation is about."""
    scenario = load_scenario(small)
    settings = make_settings(
        scenario,
        builders=["simulated-buildkit"],
        variants=["metadata-first"],
        changes=["touch"],
        rounds=1,
    )
    return run_scenario(scenario, settings, ForgetfulSite(Phase.CHANGE), tmp_path / "run")


@pytest.mark.parametrize(("check", "code"), [(True, ExitCode.CHECK_FAILED), (False, ExitCode.OK)])
def test_a_wrong_prediction_is_printed_and_ends_with_1_unless_told_not_to(
    forgotten: RunResult, capsys: pytest.CaptureFixture[str], check: bool, code: ExitCode
) -> None:
    assert conclude(forgotten, check_predictions=check) == code

    said = capsys.readouterr().out
    counts = forgotten.predictions
    assert counts is not None
    assert f"predictions: {counts.agreed} of {counts.compared} agree" in said
    assert counts.compared - counts.agreed == 7
    assert said.count("AGAINST THE PREDICTION metadata-first · simulated-buildkit · touch") == 7
    assert "builder:WORKDIR /src was predicted hit, observed miss" in said
