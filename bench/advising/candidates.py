"""A Dockerfile and others made from it as a scenario, so that they are built like any variant."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bench.errors import UsageError
from bench.scenario import Scenario, Variant

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

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


@dataclass(frozen=True)
class Subject:
    """What is advised on: a Dockerfile of one build context, and how it is built."""

    name: str
    context: Path
    build_args: Mapping[str, str] = field(default_factory=dict)
    target: str | None = None
    network: str = "none"


def as_scenario(
    subject: Subject, candidates: Sequence[Candidate], changes: Sequence[Change], folder: Path
) -> Scenario:
    """Write the candidates' files into ``folder`` and return the scenario that builds them.

    The first candidate is the baseline. Every Dockerfile stands at ``Dockerfile`` in the scratch
    copy of the context.

    Raises:
        UsageError: the folder cannot be written.

    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        variants = tuple(_variant(subject, one, folder) for one in candidates)
    except OSError as error:
        raise UsageError(
            f"{folder}: cannot be written: {error.strerror}", remedy="choose another --out"
        ) from error
    return Scenario(
        name=subject.name,
        directory=folder.resolve(),
        file=folder.resolve() / "scenario.toml",
        title=f"{subject.name}: instruction order",
        question="Does another order of instructions rebuild faster?",
        context=subject.context.resolve(),
        baseline=candidates[0].name,
        network=subject.network,
        variants=variants,
        changes=tuple(changes),
    )


def _variant(subject: Subject, candidate: Candidate, folder: Path) -> Variant:
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
        target=subject.target,
        build_args=dict(subject.build_args),
    )
