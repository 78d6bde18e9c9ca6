"""Runs on real engines: records, isolation, resuming, faults."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from bench.bases.cleanup import cache_records
from bench.builders.protocol import BuildOutcome, StepOutcome
from bench.errors import BaseImageError, ChangeError, UsageError
from bench.journal import read_journal
from bench.runner import EngineSite, Silent, make_settings, resume_run, run_scenario
from tests.runner.scenarios import DOCKERFILE, small_scenario

if TYPE_CHECKING:
    from pathlib import Path

    import docker

    from bench.journal import BuildRecord

pytestmark = pytest.mark.engine
BOTH = ("classic", "buildkit")


def inventory(client: docker.DockerClient) -> tuple[set[str], set[str], set[str]]:
    """Return the images, containers and build-cache records of an engine."""
    images = {f"{image.id} {sorted(image.tags)}" for image in client.images.list(all=True)}
    containers = {
        str(container.id) for container in client.containers.list(all=True, ignore_removed=True)
    }
    return images, containers, {record.id for record in cache_records(client)}


def test_a_run_meets_its_expectations_and_leaves_the_engine_as_it_was(
    any_engine: docker.DockerClient, busybox_image: str, tmp_path: Path
) -> None:
    scenario = small_scenario(tmp_path / "small", busybox_image)
    images, containers, records = inventory(any_engine)

    result = run_scenario(
        scenario,
        make_settings(scenario, builders=BOTH, rounds=2),
        EngineSite(any_engine),
        tmp_path / "run",
    )

    assert [broken.problems for broken in result.broken] == []
    assert len(result.expectations) == 7
    assert result.unstable == []
    assert result.failed == []
    assert result.left_behind == []
    images_after, containers_after, records_after = inventory(any_engine)
    assert (images_after, containers_after) == (images, containers)
    assert records <= records_after
    if any_engine.info()["DriverStatus"][0][0] != "driver-type":
        assert records_after == records


def test_records_hold_every_instruction_of_every_build(
    engine_client: docker.DockerClient, default_busybox_image: str, tmp_path: Path
) -> None:
    scenario = small_scenario(tmp_path / "small", default_busybox_image)
    settings = make_settings(scenario, builders=BOTH, changes=["edit-source"], rounds=1)

    result = run_scenario(scenario, settings, EngineSite(engine_client), tmp_path / "run")

    assert {len(record.steps) for record in result.records} == {11}
    assert Counter(record.phase for record in result.records) == {
        "cold": 4,
        "warmup": 4,
        "control": 4,
        "change": 4,
    }
    for record in result.records:
        assert record.steps[0].text == f"FROM {default_busybox_image} AS builder"
        assert record.steps[0].outcome is StepOutcome.BASE
        assert record.image_bytes
        assert record.wall_seconds > 0
        expected = {"control": (), "change": ("src/main.txt",)}.get(record.phase, ())
        assert record.changed_paths == expected
        if record.phase == "cold":
            assert record.hits == 0
        if record.phase == "control":
            assert (record.misses, record.new_layer_bytes) == (0, 0)
        if record.phase == "change":
            assert record.new_layer_bytes is not None
            assert 0 < record.new_layer_bytes < 1000
    for name in ("builds.csv", "steps.csv", "stages.csv", "run.json", "journal.jsonl"):
        assert (tmp_path / "run" / name).stat().st_size > 0
    head = json.loads((tmp_path / "run/run.json").read_text())
    assert head["state"] == "complete"
    assert head["bases"][0]["image_id"].startswith("sha256:")


class StopAfter(Silent):
    """Ends a run as Ctrl-C does, once a number of builds is on the disk."""

    def __init__(self, builds: int) -> None:
        self.left = builds

    def finished(self, record: BuildRecord) -> None:
        del record
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt


def test_an_interrupted_run_cleans_up_and_is_resumed_to_the_same_plan(
    engine_client: docker.DockerClient, default_busybox_image: str, tmp_path: Path
) -> None:
    scenario = small_scenario(tmp_path / "small", default_busybox_image)
    settings = make_settings(scenario, builders=BOTH, variants=["as-written"], rounds=2)
    before = inventory(engine_client)

    with pytest.raises(KeyboardInterrupt):
        run_scenario(
            scenario, settings, EngineSite(engine_client), tmp_path / "run", observer=StopAfter(15)
        )

    assert inventory(engine_client) == before
    first = list(read_journal(tmp_path / "run"))
    assert len(first) == 15
    result = resume_run(scenario, EngineSite(engine_client), tmp_path / "run")
    assert result.records[:15] == first
    whole = run_scenario(scenario, settings, EngineSite(engine_client), tmp_path / "whole")

    def outcomes(records: list[BuildRecord]) -> list[tuple[object, ...]]:
        return sorted(
            (one.build, one.phase, one.variant, one.builder, one.change, one.hits, one.misses)
            for one in records
            if one.build < len(whole.records)
        )

    assert outcomes(result.records) == outcomes(whole.records)
    assert result.broken == []
    assert inventory(engine_client) == before


def test_a_resumed_run_that_is_whole_builds_nothing(
    engine_client: docker.DockerClient, default_busybox_image: str, tmp_path: Path
) -> None:
    scenario = small_scenario(tmp_path / "small", default_busybox_image)
    settings = make_settings(
        scenario, builders=["buildkit"], changes=["touch"], variants=["as-written"], rounds=1
    )
    first = run_scenario(scenario, settings, EngineSite(engine_client), tmp_path / "run")

    again = resume_run(scenario, EngineSite(engine_client), tmp_path / "run")

    assert again.records == first.records


def test_a_variant_that_does_not_build_is_recorded_and_the_others_go_on(
    engine_client: docker.DockerClient, default_busybox_image: str, tmp_path: Path
) -> None:
    scenario = small_scenario(
        tmp_path / "small",
        default_busybox_image,
        more='[[variant]]\nname = "broken"\ndockerfile = "Dockerfile.broken"\n',
        extra={"Dockerfile.broken": DOCKERFILE.replace("> /out", "> /out; echo sorry; false", 1)},
    )
    settings = make_settings(scenario, builders=BOTH, changes=["edit-port"], rounds=1)

    result = run_scenario(scenario, settings, EngineSite(engine_client), tmp_path / "run")

    assert Counter(record.variant for record in result.failed) == {"broken": 2}
    for record in result.failed:
        assert record.outcome is BuildOutcome.FAILED
        assert "sorry" in record.log_tail
        failed = [step.text for step in record.steps if step.outcome is StepOutcome.FAILED]
        assert failed == ["RUN cat src/main.txt > /out; echo sorry; false"]
    assert len(result.excluded) == 2
    assert sum(record.phase == "change" for record in result.records) == 4


def test_a_build_that_takes_too_long_is_recorded_as_such(
    engine_client: docker.DockerClient, default_busybox_image: str, tmp_path: Path
) -> None:
    scenario = small_scenario(
        tmp_path / "small",
        default_busybox_image,
        dockerfile=DOCKERFILE.replace("> /out", "> /out; sleep 60", 1),
    )
    settings = make_settings(
        scenario,
        builders=BOTH,
        variants=["as-written"],
        changes=["edit-source"],
        rounds=1,
        timeout_seconds=3.0,
    )

    result = run_scenario(scenario, settings, EngineSite(engine_client), tmp_path / "run")

    assert [record.outcome for record in result.records] == [BuildOutcome.TIMEOUT] * 2
    assert all(record.wall_seconds < 10 for record in result.records)
    assert (
        engine_client.containers.list(all=True, ignore_removed=True, filters={"status": "running"})
        == []
    )


def test_a_change_that_changes_nothing_ends_the_run_before_it_builds(
    engine_client: docker.DockerClient, default_busybox_image: str, tmp_path: Path
) -> None:
    more = '[[change]]\nname = "nothing"\nsteps = [{ run = ["true"] }]\n'
    scenario = small_scenario(tmp_path / "small", default_busybox_image, more=more)

    with pytest.raises(ChangeError, match="nothing"):
        run_scenario(
            scenario,
            make_settings(scenario, builders=BOTH),
            EngineSite(engine_client),
            tmp_path / "run",
        )

    assert not (tmp_path / "run/journal.jsonl").exists()


def test_a_base_image_that_cannot_be_had_is_named(
    engine_client: docker.DockerClient, tmp_path: Path
) -> None:
    scenario = small_scenario(tmp_path / "small", "localhost:1/nobody/has-this:1")

    with pytest.raises(BaseImageError, match="has-this"):
        run_scenario(
            scenario,
            make_settings(scenario, builders=BOTH),
            EngineSite(engine_client),
            tmp_path / "run",
        )


def test_a_folder_that_holds_a_run_is_not_written_over(
    engine_client: docker.DockerClient, default_busybox_image: str, tmp_path: Path
) -> None:
    scenario = small_scenario(tmp_path / "small", default_busybox_image)
    (tmp_path / "run").mkdir()
    (tmp_path / "run/run.json").write_text("{}")

    with pytest.raises(UsageError, match="holds a run already"):
        run_scenario(
            scenario,
            make_settings(scenario, builders=BOTH),
            EngineSite(engine_client),
            tmp_path / "run",
        )


def test_a_scenario_that_changed_is_not_resumed(
    engine_client: docker.DockerClient, default_busybox_image: str, tmp_path: Path
) -> None:
    scenario = small_scenario(tmp_path / "small", default_busybox_image)
    settings = make_settings(
        scenario, builders=["buildkit"], changes=["touch"], variants=["as-written"], rounds=1
    )
    run_scenario(scenario, settings, EngineSite(engine_client), tmp_path / "run")
    path = tmp_path / "small/Dockerfile"
    path.write_text(path.read_text() + "LABEL a=b\n")

    with pytest.raises(UsageError, match="has changed since"):
        resume_run(scenario, EngineSite(engine_client), tmp_path / "run")


def test_the_user_s_source_tree_is_never_written(
    engine_client: docker.DockerClient, default_busybox_image: str, tmp_path: Path
) -> None:
    scenario = small_scenario(tmp_path / "small", default_busybox_image)
    files = sorted((tmp_path / "small").rglob("*"))
    before = [(path, path.stat().st_mtime_ns, path.stat().st_mode) for path in files]

    run_scenario(
        scenario,
        make_settings(scenario, builders=["buildkit"], variants=["as-written"], rounds=1),
        EngineSite(engine_client),
        tmp_path / "run",
    )

    assert sorted((tmp_path / "small").rglob("*")) == files
    assert [(path, path.stat().st_mtime_ns, path.stat().st_mode) for path in files] == before
