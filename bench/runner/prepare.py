"""What a run needs before its first build: scratch copies and sound changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.dockerfile import external_images, parse
from bench.runner.plan import NO_ROUND, Phase, PlannedBuild
from bench.runner.trial import changed_state
from bench.scenario import dockerfile_place, dockerignore_text
from bench.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from bench.scenario import Scenario


def make_workspaces(
    scenario: Scenario, dockerfiles: Mapping[str, str], scratch: Path
) -> dict[str, Workspace]:
    """Copy the scenario's context once for every variant, with the variant's Dockerfile in it."""
    return {
        name: Workspace.create(
            scenario.context,
            scratch / name,
            dockerfile_text=text,
            dockerfile_path=dockerfile_place(scenario, scenario.variant(name)),
            dockerignore_text=dockerignore_text(scenario, scenario.variant(name)),
        )
        for name, text in dockerfiles.items()
    }


def rehearse(
    scenario: Scenario, changes: Iterable[str], workspaces: Mapping[str, Workspace], run: str
) -> None:
    """Apply every change to every variant once, so that none fails an hour into the run.

    Raises:
        ChangeError: a change cannot be applied, changes nothing, or breaks the Dockerfile.

    """
    for name, workspace in workspaces.items():
        for number, change in enumerate(changes):
            planned = PlannedBuild(number, Phase.CHANGE, NO_ROUND, 0, name, "", change)
            try:
                changed_state(scenario, workspace, planned, run)
            finally:
                workspace.reset()


def images_of(scenario: Scenario, dockerfiles: Mapping[str, str]) -> list[str]:
    """Return every image that some variant takes from outside, ``scratch`` included, each once."""
    images: dict[str, None] = {}
    for name, text in dockerfiles.items():
        for use in external_images(parse(text, name), scenario.variant(name).build_args):
            images.setdefault(use.image)
    return list(images)
