"""What can go wrong during a run: nothing measured is lost, and the message says what to do."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from bench.bases.isolation import leftover_runs
from bench.engine import EngineSpec, client_of, start, stop
from bench.errors import EngineLostError, ExitCode, RecordsError
from bench.journal import read_journal
from bench.runner import EngineSite, Silent, make_settings, resume_run, run_scenario
from tests.runner.scenarios import small_scenario
from tests.support.busybox import import_busybox

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import docker

    from bench.journal import BuildRecord

pytestmark = pytest.mark.engine
ENGINE = EngineSpec("doomed")


class Doom(Silent):
    """Stops the engine once a number of builds is on the disk."""

    def __init__(self, builds: int) -> None:
        self.left = builds

    def finished(self, record: BuildRecord) -> None:
        del record
        self.left -= 1
        if self.left == 0:
            stop(ENGINE.name)


@pytest.fixture
def doomed_engine() -> Iterator[docker.DockerClient]:
    client = client_of(start(ENGINE).endpoint)
    yield client
    client.close()
    stop(ENGINE.name, purge=True)


def test_an_engine_that_goes_away_ends_the_run_and_a_resumed_one_completes_it(
    doomed_engine: docker.DockerClient, tmp_path: Path
) -> None:
    scenario = small_scenario(tmp_path / "small", import_busybox(doomed_engine))
    settings = make_settings(
        scenario, builders=["classic", "buildkit"], variants=["as-written"], rounds=1
    )

    with pytest.raises(EngineLostError) as lost:
        run_scenario(
            scenario, settings, EngineSite(doomed_engine), tmp_path / "run", observer=Doom(7)
        )

    assert lost.value.exit_code == ExitCode.NO_ENGINE
    assert "--resume" in lost.value.remedy
    kept = list(read_journal(tmp_path / "run"))
    assert len(kept) == 7
    again = client_of(start(ENGINE).endpoint)
    result = resume_run(scenario, EngineSite(again), tmp_path / "run")
    again.close()
    assert result.records[:7] == kept
    assert result.complete
    assert result.broken == []


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on a file system of 128 KiB."""
    folder = tmp_path / "full"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", folder], check=True)
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_a_full_disk_ends_the_run_and_keeps_every_record_made_before(
    engine_client: docker.DockerClient,
    default_busybox_image: str,
    full_disk: Path,
    tmp_path: Path,
) -> None:
    scenario = small_scenario(tmp_path / "small", default_busybox_image)
    settings = make_settings(
        scenario, builders=["classic"], variants=["as-written"], changes=["touch"], rounds=40
    )

    with pytest.raises(RecordsError, match=r"No space left on device") as failure:
        run_scenario(scenario, settings, EngineSite(engine_client), full_disk / "run")

    assert failure.value.exit_code == ExitCode.RECORDS
    assert "--resume" in failure.value.remedy
    records = list(read_journal(full_disk / "run"))
    assert len(records) > 10
    assert [record.build for record in records] == list(range(len(records)))


class Removal(Silent):
    """Somebody removes the run's images behind its back."""

    def __init__(self, client: docker.DockerClient) -> None:
        self.client = client

    def finished(self, record: BuildRecord) -> None:
        if record.build == 4:
            for tags in leftover_runs(self.client).values():
                for tag in tags:
                    self.client.images.remove(tag, force=True)


def test_an_image_removed_under_the_run_ends_it_with_a_clear_message(
    engine_client: docker.DockerClient, default_busybox_image: str, tmp_path: Path
) -> None:
    scenario = small_scenario(tmp_path / "small", default_busybox_image)
    settings = make_settings(scenario, builders=["classic"], changes=["touch"], rounds=2)

    with pytest.raises(EngineLostError, match="No such image") as lost:
        run_scenario(
            scenario,
            settings,
            EngineSite(engine_client),
            tmp_path / "run",
            observer=Removal(engine_client),
        )

    assert "--resume" in lost.value.remedy
    result = resume_run(scenario, EngineSite(engine_client), tmp_path / "run")
    assert result.complete
    assert result.broken == []
