"""Runs of generated orderings: on simulated builders, resumed, planned, and on a real engine."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from bench.cli.plan import plan
from bench.cli.run import run
from bench.dataset import read_run
from bench.errors import ExitCode, UsageError
from bench.journal import read_journal
from tests.arranging.scenarios import scenario_at

if TYPE_CHECKING:
    from pathlib import Path

    import click
    import docker

    from bench.dataset.run import OrderingsInfo
    from bench.journal import BuildRecord

SPEC = "best:2,worst:1,random:2,baseline"
NAMES = ["as-written", "best-1", "best-2", "worst-1", "random-1", "random-2"]


def invoke(command: click.Command, *arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(
        command,
        [str(argument) for argument in arguments],
        catch_exceptions=False,
        standalone_mode=False,
    )
    return int(result.return_value or 0), result.output


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the scenario, in an empty current folder without results."""
    monkeypatch.chdir(tmp_path)
    return scenario_at(tmp_path).directory


def measured(folder: Path) -> dict[tuple[str, str, str], list[BuildRecord]]:
    found: dict[tuple[str, str, str], list[BuildRecord]] = defaultdict(list)
    for one in read_journal(folder):
        if one.phase == "change":
            found[one.variant, one.builder, one.change].append(one)
    return found


def recorded(folder: Path) -> OrderingsInfo:
    info = read_run(folder).orderings
    assert info is not None
    return info


def check_hits(folder: Path) -> None:
    """Hold the hits of every rebuild against what the head of the run predicts."""
    builds = measured(folder)
    for one in recorded(folder).variants:
        for each in one.predicted:
            for rebuild in each.rebuilds:
                for build in builds[one.name, each.builder, rebuild.change]:
                    assert rebuild.hits <= build.hits <= rebuild.hits + rebuild.open
                    assert build.hits + build.misses == rebuild.scored


def test_simulated_builders_take_what_was_predicted(small: Path, tmp_path: Path) -> None:
    code, said = invoke(
        run, small, "--builder", "simulated", "--orderings", SPEC, "--rounds", 1, "--out", "out"
    )

    assert code == ExitCode.OK
    best = next(line for line in said.splitlines() if line.startswith("ordering best-1: "))
    assert "COPY src /src/ now stands after" in best
    assert "expectations met: 1 of 1" in said
    folder = tmp_path / "out"
    assert [one.name for one in read_run(folder).variants] == NAMES
    check_hits(folder)
    builds = measured(folder)
    for one in recorded(folder).variants:
        for each in one.predicted:
            for rebuild in each.rebuilds:
                (build,) = builds[one.name, each.builder, rebuild.change]
                assert build.wall_seconds == pytest.approx(rebuild.seconds)


def test_a_resumed_run_builds_the_same_orderings(small: Path, tmp_path: Path) -> None:
    begin = [small, "--builder", "simulated-classic", "--orderings", SPEC, "--out", "out"]
    invoke(run, *begin, "--time-budget", "1ms", "--seed", 3)
    before = json.loads((tmp_path / "out" / "run.json").read_text())

    code, _ = invoke(run, "--resume", "out")

    assert code == ExitCode.OK
    after = json.loads((tmp_path / "out" / "run.json").read_text())
    assert after["state"] == "complete"
    assert after["orderings"] == before["orderings"]
    assert after["variants"] == before["variants"]
    assert {one.variant for one in read_journal(tmp_path / "out")} == set(NAMES)
    with pytest.raises(UsageError, match="begun with"):
        invoke(run, "--resume", "out", "--orderings", "best:1")
    (small / "Dockerfile").write_text("FROM busybox\nCOPY . /\nEXPOSE 80\n")
    (small / "scenario.toml").write_text(
        (small / "scenario.toml").read_text().partition("[[expect]]")[0].replace("RUN cat", "COPY")
    )
    with pytest.raises(UsageError, match=r"changed since the run began \(as-written\)"):
        invoke(run, "--resume", "out")


def test_a_plan_counts_the_builds_of_orderings(small: Path) -> None:
    code, said = invoke(plan, small, "--orderings", SPEC, "--builder", "classic", "--json")

    assert code == ExitCode.OK
    document: list[dict[str, Any]] = json.loads(said[said.index("[\n") :])
    assert document[0]["variants"] == NAMES


def test_orderings_are_of_one_variant(small: Path) -> None:
    with pytest.raises(UsageError, match="of one variant"):
        invoke(
            plan, small, "--orderings", "best:1", "--variant", "other", "--variant", "as-written"
        )
    with pytest.raises(UsageError, match="nothing to measure"):
        invoke(plan, small, "--orderings", "best:1", "--variant", "other", "--builder", "buildkit")


@pytest.mark.engine
def test_a_real_engine_does_with_orderings_what_was_predicted(
    engine_client: docker.DockerClient,
    default_busybox_image: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    del engine_client
    monkeypatch.chdir(tmp_path)
    small = scenario_at(tmp_path, base=default_busybox_image).directory

    spec = "best:1,worst:1,random:1,baseline"
    code, said = invoke(
        run, small, "--orderings", spec, "--rounds", 1, "--warmup", 0, "--out", "out"
    )

    assert code == ExitCode.OK, said
    folder = tmp_path / "out"
    check_hits(folder)
    builds = measured(folder)
    for builder in ("classic", "buildkit"):
        (best,), (written,) = (
            [one.wall_seconds for one in builds[name, builder, "edit-source"]]
            for name in ("best-1", "as-written")
        )
        assert best < written - 0.1  # the RUN, which sleeps for 0.2 s, hits in the one alone
