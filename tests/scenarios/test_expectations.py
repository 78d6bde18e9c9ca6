"""The hits and misses that the shipped scenarios declare happen on both builders."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bench.runner import EngineSite, make_settings, run_scenario
from tests.scenarios.shipped import shipped

if TYPE_CHECKING:
    from pathlib import Path

    import docker

# Whole scenarios take minutes; of the long ones, what surprises most (bench run does the rest).
CHOSEN: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "hello-stages": ((), ()),
    "go-gallery": ((), ("edit-html", "edit-env")),
    "java-iotd": (("metadata-first", "reproducible-jar"), ("edit-comment",)),
    "node-access-log": (("copy-all", "test-aside"), ("edit-test",)),
    "dev-and-deploy": (("deploy", "one-file"), ("edit-test", "edit-readme")),
}


@pytest.mark.engine
@pytest.mark.slow
@pytest.mark.parametrize("name", CHOSEN)
def test_every_expectation_is_met(
    name: str, engine_client: docker.DockerClient, tmp_path: Path
) -> None:
    scenario = shipped(name)
    variants, changes = CHOSEN[name]
    settings = make_settings(
        scenario,
        builders=("classic", "buildkit"),
        variants=variants,
        changes=changes,
        rounds=2 if name == "hello-stages" else 1,
    )
    result = run_scenario(scenario, settings, EngineSite(engine_client), tmp_path / "run")
    assert not result.failed
    assert not result.unstable
    assert [(one.variant, one.change, one.builder, one.problems) for one in result.broken] == []
    chosen = len(settings.variants) * len(settings.changes) * len(settings.builders)
    assert len(result.expectations) == chosen
