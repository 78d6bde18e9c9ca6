"""The runner on a simulated engine: fast, with the plan, records and findings of a real one."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from bench.builders.names import SIMULATED_BUILDERS
from bench.builders.protocol import BuildOutcome
from bench.dataset import read_tables
from bench.errors import UsageError
from bench.journal import read_journal
from bench.runner import (
    EngineSite,
    RunResult,
    Silent,
    make_settings,
    read_head,
    resume_run,
    run_scenario,
)
from bench.scenario import load_scenario
from bench.simulation import SimulatedSite, guessed_times, recorded_times
from tests.runner.scenarios import DOCKERFILE, small_scenario

if TYPE_CHECKING:
    import docker

    from bench.journal import BuildRecord
    from bench.scenario import Scenario

ROOT = Path(__file__).parent.parent.parent
REFERENCE = ROOT / "results/reference/java-expose"


def simulate(scenario: Scenario, folder: Path, **settings: object) -> RunResult:
    chosen = {"builders": SIMULATED_BUILDERS, "rounds": 2, **settings}
    return run_scenario(
        scenario,
        make_settings(scenario, **chosen),  # type: ignore[arg-type]  # a test's shorthand
        SimulatedSite(guessed_times()),
        folder,
    )


@pytest.fixture
def scenario(tmp_path: Path) -> Scenario:
    return small_scenario(tmp_path / "small", "alpine")


def test_the_reference_run_comes_out_again_step_by_step(tmp_path: Path) -> None:
    """All 1144 outcomes of the recorded run, and its seconds to within a tenth."""
    recorded = {record.build: record for record in read_journal(REFERENCE)}
    scenario = load_scenario(ROOT / "scenarios/java-iotd")
    settings = make_settings(
        scenario,
        builders=SIMULATED_BUILDERS,
        variants=["as-written", "metadata-first"],
        changes=["edit-source", "edit-port"],
        rounds=6,
    )

    result = run_scenario(
        scenario, settings, SimulatedSite(recorded_times(REFERENCE)), tmp_path / "run"
    )

    assert len(result.records) == len(recorded)
    for record in result.records:
        real = recorded[record.build]
        assert record.builder == f"simulated-{real.builder}"
        assert [step.outcome for step in record.steps] == [step.outcome for step in real.steps]
    for phase in ("cold", "change"):
        simulated = sum(one.wall_seconds for one in result.records if one.phase == phase)
        real_seconds = sum(one.wall_seconds for one in recorded.values() if one.phase == phase)
        assert simulated == pytest.approx(real_seconds, rel=0.1)
    assert result.broken == []
    assert len(result.expectations) == 8


def test_a_simulated_run_meets_its_expectations_and_misses_in_no_control(
    scenario: Scenario, tmp_path: Path
) -> None:
    result = simulate(scenario, tmp_path / "run")

    assert [broken.problems for broken in result.broken] == []
    assert len(result.expectations) == 7
    assert (result.unstable, result.failed, result.left_behind) == ([], [], [])
    assert result.disagreements == ()
    assert result.complete
    assert Counter(record.phase for record in result.records) == {
        "cold": 8,  # chmod begins on a fresh cache in the second round
        "warmup": 4,
        "control": 32,
        "change": 32,
    }
    # Each fresh cache is a new one to the model too: nothing was ever built on it.
    cold = [step.reason for one in result.records if one.phase == "cold" for step in one.steps]
    assert set(filter(None, cold)) == {"first-build", "parent-missed"}


def test_a_simulated_run_says_so_in_every_record(scenario: Scenario, tmp_path: Path) -> None:
    result = simulate(scenario, tmp_path / "run")

    head = json.loads((tmp_path / "run/run.json").read_text())
    assert result.simulated
    assert head["simulation"]["times_run"] == ""
    assert head["simulation"]["step_times"]["guessed"] > 0
    assert head["predictions"] is None  # the model cannot prove itself
    assert head["bases"] == [
        {"image": "alpine", "local_tag": "", "image_id": "", "source": "simulated"}
    ]
    assert head["engine"]["version"].startswith("simulated ")
    tables = read_tables(tmp_path / "run")
    for _, frame in tables.named():
        assert frame["builder"].str.startswith("simulated-").all()
        assert frame["engine"].str.startswith("simulated ").all()
    assert tables.builds["image_bytes"].isna().all()


def test_two_simulated_runs_are_alike(scenario: Scenario, tmp_path: Path) -> None:
    simulate(scenario, tmp_path / "a")
    simulate(scenario, tmp_path / "b")

    one, two = read_tables(tmp_path / "a"), read_tables(tmp_path / "b")
    # The id of the run is in what a change writes, and with it in some texts of reasons.
    left_out = ["run", "image_id", "started_at", "context_seconds", "text", "reason_detail"]
    for (_, left), (_, right) in zip(one.named(), two.named(), strict=True):
        drop = [name for name in left_out if name in left]
        pd.testing.assert_frame_equal(left.drop(columns=drop), right.drop(columns=drop))


class StopAfter(Silent):
    """Ends a run as Ctrl-C does, once a number of builds is on the disk."""

    def __init__(self, builds: int) -> None:
        self.left = builds

    def finished(self, record: BuildRecord) -> None:
        del record
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt


def test_an_interrupted_run_is_resumed_to_the_same_plan(scenario: Scenario, tmp_path: Path) -> None:
    site = SimulatedSite(guessed_times())
    settings = make_settings(scenario, builders=SIMULATED_BUILDERS, rounds=2)
    with pytest.raises(KeyboardInterrupt):
        run_scenario(scenario, settings, site, tmp_path / "run", observer=StopAfter(15))
    assert read_head(tmp_path / "run")["state"] == "interrupted"

    result = resume_run(scenario, site, tmp_path / "run")

    whole = simulate(scenario, tmp_path / "whole")
    planned = {record.build: record for record in result.records if record.build < 76}
    assert read_head(tmp_path / "run")["state"] == "complete"
    assert [
        (one.build, one.phase, one.variant, one.builder, one.change, one.hits, one.misses)
        for one in sorted(planned.values(), key=lambda one: one.build)
    ] == [
        (one.build, one.phase, one.variant, one.builder, one.change, one.hits, one.misses)
        for one in whole.records
    ]
    primed = [record for record in result.records if record.build >= 76]
    assert {(one.phase, one.hits) for one in primed} == {("warmup", 0)}


def test_a_run_is_not_resumed_with_other_times(scenario: Scenario, tmp_path: Path) -> None:
    simulate(scenario, tmp_path / "run", rounds=1)

    with pytest.raises(UsageError, match="another engine"):
        resume_run(scenario, SimulatedSite(recorded_times(REFERENCE)), tmp_path / "run")


@pytest.mark.engine
def test_a_simulated_run_is_not_resumed_on_a_real_engine(
    engine_client: docker.DockerClient, scenario: Scenario, tmp_path: Path
) -> None:
    simulate(scenario, tmp_path / "run", rounds=1)

    with pytest.raises(UsageError, match="another engine"):
        resume_run(scenario, EngineSite(engine_client), tmp_path / "run")


def test_a_variant_that_cannot_be_simulated_is_left_out_with_the_reason(tmp_path: Path) -> None:
    scenario = small_scenario(
        tmp_path / "small",
        "alpine",
        more='[[variant]]\nname = "broken"\ndockerfile = "Dockerfile.broken"\n',
        extra={"Dockerfile.broken": DOCKERFILE.replace("COPY deps.txt", "COPY no-such.txt")},
    )

    result = simulate(scenario, tmp_path / "run", rounds=1)

    assert {(one.variant, one.outcome) for one in result.failed} == {
        ("broken", BuildOutcome.FAILED)
    }
    assert all("no-such.txt" in one.error for one in result.failed)
    assert len(result.excluded) == 2
    assert sum(one.phase == "change" and one.variant != "broken" for one in result.records) == 16


def test_a_time_budget_ends_a_run_between_two_blocks(scenario: Scenario, tmp_path: Path) -> None:
    result = run_scenario(
        scenario,
        make_settings(scenario, builders=["simulated-classic"], rounds=200),
        SimulatedSite(guessed_times()),
        tmp_path / "run",
        time_budget_seconds=0.5,
    )

    assert not result.complete
    assert result.records[-1].phase != "control"
    assert read_head(tmp_path / "run")["state"] == "stopped"


def test_a_changed_base_image_misses_everything_on_it(tmp_path: Path) -> None:
    more = '[[change]]\nname = "new-base"\nsteps = [{ base = "alpine" }]\n'
    scenario = small_scenario(tmp_path / "small", "alpine", more=more)

    result = simulate(scenario, tmp_path / "run", changes=["new-base"], rounds=2)

    for record in result.records:
        if record.phase == "change":
            assert record.hits == 0
            first = next(step for step in record.steps if step.outcome == "miss")
            assert (first.reason, first.reason_detail) == (
                "base-image",
                "the base image alpine changed",
            )
