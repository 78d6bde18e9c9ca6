"""``--observe``: watch in a real build what the RUNs of a scenario's variant read and write."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.builders.buildkit import BuildKitBuilder
from bench.builders.classic import ClassicBuilder
from bench.cache_model.profiles import Family
from bench.dockerfile import parse
from bench.engine import connect, describe, engine_lock
from bench.engine.lost import engine_may_be_lost
from bench.runner.prepare import make_workspaces
from bench.scenario import dockerfile_text
from bench.tracing import Subject, observe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from bench.cache_model import StepPlace
    from bench.cache_model.profiles import Profile
    from bench.dockerfile import Dockerfile, Instruction
    from bench.scenario import Scenario
    from bench.tracing import Observation

_SHOWN = 6
"""So many paths of one RUN are shown; JSON holds all."""
_USUAL = ("/bin", "/etc", "/lib", "/sbin", "/selinux", "/usr")


def watch(
    scenario: Scenario, variant: str, profiles: Sequence[Profile], tell: Callable[[str], None]
) -> Observation:
    """Build a variant once and return what its RUNs read and wrote.

    It is built by BuildKit if that is one of the builders, since it knows all that a RUN may have.

    Raises:
        CannotObserveError: nothing can be watched here; the message names the remedy.
        WatchedBuildError: the variant does not build.
        BaseImageError: a base image cannot be had.
        NoEngineError: no engine answers.

    """
    families = {profile.family for profile in profiles}
    builder = BuildKitBuilder.name if Family.BUILDKIT in families else ClassicBuilder.name
    chosen = scenario.variant(variant)
    text = dockerfile_text(scenario, chosen)
    client = connect(progress=tell)
    try:
        with (
            tempfile.TemporaryDirectory(prefix="bench-observe-") as scratch,
            engine_may_be_lost(),
            engine_lock(describe(client).id, on_wait=tell),
        ):
            workspace = make_workspaces(scenario, {variant: text}, Path(scratch))[variant]
            subject = Subject(
                workspace=workspace,
                dockerfile=parse(text, f"{variant}/{workspace.dockerfile_path}"),
                build_args=dict(chosen.build_args),
                target=chosen.target,
                network=scenario.network,
                wishes=scenario.bases,
            )
            return observe(client, subject, builder=builder, progress=tell)
    finally:
        client.close()


def in_words(dockerfile: Dockerfile, observation: Observation) -> Iterator[str]:
    """Say what every RUN did, in the Dockerfile's order."""
    for place in sorted([*observation.accesses, *observation.unobserved]):
        run = _instruction(dockerfile, place)
        access = observation.accesses.get(place)
        if access is None:
            yield f"line {run.line}: {run.text}: not watched: {observation.unobserved[place]}"
            continue
        did = f"reads {_listed(access.reads)}; writes {_listed(access.writes)}"
        yield f"line {run.line}: {run.text}: {did}"


def as_rows(dockerfile: Dockerfile, observation: Observation) -> list[dict[str, Any]]:
    """Return the same for JSON, with every path."""
    rows: list[dict[str, Any]] = []
    for place in sorted([*observation.accesses, *observation.unobserved]):
        run = _instruction(dockerfile, place)
        access = observation.accesses.get(place)
        rows.append(
            {
                "stage_index": place.stage_index,
                "step": place.step,
                "line": run.line,
                "text": run.text,
                "reads": None if access is None else list(access.reads),
                "writes": None if access is None else list(access.writes),
                "why_not": observation.unobserved.get(place),
            }
        )
    return rows


def _instruction(dockerfile: Dockerfile, place: StepPlace) -> Instruction:
    return dockerfile.stages[place.stage_index].instructions[place.step - 1]


def _listed(paths: Sequence[str]) -> str:
    """Return the first paths in words, those that every program reads last."""
    if not paths:
        return "nothing"
    ordered = sorted(paths, key=lambda path: (path.startswith(_USUAL), path))
    more = len(paths) - _SHOWN
    return ", ".join(ordered[:_SHOWN]) + (f" and {more:,} more" if more > 0 else "")
