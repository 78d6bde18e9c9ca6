"""A Dockerfile and others made from it as a scenario, so that they are built like any variant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.errors import UsageError
from bench.scenario import Scenario, Variant

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bench.advising.project import Project
    from bench.changes import Change

WRITTEN = "as-written"
ADVISED = "advised"


@dataclass(frozen=True)
class Candidate:
    """One Dockerfile to build; ``dockerignore`` takes the place of the context's own, if given."""

    name: str
    text: str
    title: str = ""
    dockerignore: str | None = None


def as_scenario(
    project: Project, candidates: Sequence[Candidate], changes: Sequence[Change], folder: Path
) -> Scenario:
    """Write the candidates' files into ``folder`` and return the scenario that builds them.

    The first candidate is the baseline. Every Dockerfile stands at ``Dockerfile`` in the scratch
    copy of the context.

    Raises:
        UsageError: the folder cannot be written.

    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        variants = tuple(_variant(project, one, folder) for one in candidates)
    except OSError as error:
        raise UsageError(
            f"{folder}: cannot be written: {error.strerror}", remedy="choose another --out"
        ) from error
    return Scenario(
        name=project.name,
        directory=folder.resolve(),
        file=folder.resolve() / "scenario.toml",
        title=f"{project.name}: instruction order",
        question="Does another order of instructions rebuild faster?",
        context=project.context.resolve(),
        baseline=candidates[0].name,
        network=project.network,
        variants=variants,
        changes=tuple(changes),
    )


def _variant(project: Project, candidate: Candidate, folder: Path) -> Variant:
    dockerfile = f"Dockerfile.{candidate.name}"
    (folder / dockerfile).write_text(candidate.text, encoding="utf-8", newline="")
    ignore = None
    if candidate.dockerignore is not None:
        ignore = f"{dockerfile}.dockerignore"
        (folder / ignore).write_text(candidate.dockerignore, encoding="utf-8", newline="")
    return Variant(
        name=candidate.name,
        title=candidate.title or None,
        dockerfile=dockerfile,
        dockerignore=ignore,
        target=project.target,
        build_args=dict(project.build_args),
    )
