"""Build two Dockerfiles for real, each on an empty cache, and compare their images."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from bench.builders.names import rules_of
from bench.builders.protocol import BuildOutcome
from bench.cache_model import profile_of
from bench.equality import SECONDS_APART, compare_images
from bench.errors import BenchError, ExitCode
from bench.runner.plan import NO_ROUND, Phase, PlannedBuild
from bench.runner.prepare import make_workspaces
from bench.runner.run import new_run_id
from bench.runner.trial import Trial
from bench.scenario import dockerfile_text

if TYPE_CHECKING:
    from docker import DockerClient

    from bench.equality import ImageComparison
    from bench.runner import EngineSite, Observer
    from bench.scenario import Scenario


class VerificationError(BenchError):
    """An image that has to be compared cannot be built."""

    exit_code = ExitCode.BUILD_FAILED


def compare_variants(
    client: DockerClient,
    site: EngineSite,
    scenario: Scenario,
    builder: str,
    observer: Observer,
    *,
    timeout_seconds: float,
) -> ImageComparison:
    """Build the two variants of ``scenario`` on one builder and compare their images.

    The first is built twice, each time on a cache of its own: what differs between those two is
    not deterministic, and no difference between the variants. The images are removed afterwards.

    Raises:
        VerificationError: a variant does not build.
        BaseImageError: a base image cannot be had.
        EngineLostError: the engine went away.

    """
    first, second = (one.name for one in scenario.variants)
    dockerfiles = {one.name: dockerfile_text(scenario, one) for one in scenario.variants}
    run = new_run_id()
    with (
        site.held(observer.note),
        tempfile.TemporaryDirectory(prefix="cachebench-") as scratch,
    ):
        workspaces = make_workspaces(scenario, dockerfiles, Path(scratch))
        workbench = site.workbench(run, scenario, dockerfiles, observer)
        engine = site.engine
        try:
            trials = {
                name: Trial(
                    run=run,
                    scenario=scenario,
                    variant=scenario.variant(name),
                    builder=builder,
                    workbench=workbench,
                    workspace=workspaces[name],
                    profile=profile_of(rules_of(builder), engine.version, engine.image_store),
                    timeout_seconds=timeout_seconds,
                    note=observer.note,
                )
                for name in dockerfiles
            }
            images = []
            for number, name in enumerate((first, second, first)):
                planned = PlannedBuild(
                    number, Phase.COLD, NO_ROUND, number, name, builder, "", fresh=True
                )
                images.append(_image(trials[name], planned, observer))
                if number == 1:  # what holds a time must not hold the first build's by chance
                    time.sleep(SECONDS_APART)
            observer.note("comparing the images")
            return compare_images(client, *images)
        finally:
            workbench.clean()


def _image(trial: Trial, planned: PlannedBuild, observer: Observer) -> str:
    observer.starting(planned, planned.number, 3)
    record = trial.build(planned)
    observer.finished(record)
    if record.outcome is not BuildOutcome.OK or record.image_id is None:
        said = "\n".join(["", *record.log_tail[-15:]])
        raise VerificationError(
            f"{planned.variant} does not build on {planned.builder}: {record.error}{said}",
            remedy="see what the build says; a base image or the network may be missing",
        )
    return record.image_id
