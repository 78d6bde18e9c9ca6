"""What a RUN reads and writes: as declared or observed, or by the table of known commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.cache_model.outcomes import StepPlace
from bench.orderings.access import AccessSource
from bench.orderings.rewrites.errors import UnprovableError
from bench.orderings.rewrites.tools import Project, Use, use_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.dockerfile import Stage
    from bench.orderings.rewrites.base import Facts

_WORDS = {AccessSource.DECLARED: "the scenario declares", AccessSource.OBSERVED: "was observed"}


def use_at(facts: Facts, place: StepPlace) -> Use:
    """Return what the RUN at ``place`` reads and writes.

    Raises:
        UnprovableError: nothing says so.

    """
    run = facts.flow.instruction(place)
    access = facts.access.get(place)
    if access is not None:
        said = f"`{run.text}` reads and writes nothing but what {_WORDS[access.source]}"
        return Use(access.reads, access.writes, (said,))
    scope = facts.flow.scope(place)
    project = Project(
        scope.working_dir,
        files_before(facts, place),
        facts.contents,
        facts.flow.set_variables(place),
    )
    try:
        return use_of(run, scope.shell, project)
    except UnprovableError as error:
        raise UnprovableError(f"`{_short(run.text)}`: {error}") from error


def files_before(facts: Facts, place: StepPlace) -> dict[str, str]:
    """Return the files of the context that lie in the image before a step.

    By path in the image their path in the context, as far as that is known: a file that is copied
    to what may be a folder is taken to land at the very path.
    """
    found: dict[str, str] = {}
    for earlier in _steps_before(facts, place):
        if facts.flow.instruction(earlier).keyword not in {"COPY", "ADD"}:
            continue
        try:
            found |= facts.flow.copied(earlier).files
        except UnprovableError:
            found |= facts.flow.single_file(earlier)
    return found


def _steps_before(facts: Facts, place: StepPlace) -> Iterator[StepPlace]:
    stages = [facts.dockerfile.stages[place.stage_index]]
    while (parent := facts.flow.parent(stages[0])) is not None:
        stages.insert(0, parent)
    for stage in stages:
        for step in range(2, _end(stage, place)):
            yield StepPlace(stage.index, step)


def _end(stage: Stage, place: StepPlace) -> int:
    return place.step if stage.index == place.stage_index else len(stage.instructions) + 1


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "..."
