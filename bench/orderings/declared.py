"""What a scenario declares of the files that steps read and write (``[[access]]``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.cache_model import StepPlace
from bench.dockerfile import matches
from bench.orderings.access import Access, AccessSource

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from bench.dockerfile import Dockerfile
    from bench.scenario import AccessSpec

_WITH_FILES = frozenset({"RUN", "COPY", "ADD"})


def access_of(
    dockerfile: Dockerfile, declarations: Iterable[AccessSpec], variant: str | None = None
) -> dict[StepPlace, Access]:
    """Return what is declared of each step of a Dockerfile.

    Declarations for other variants than ``variant`` are passed over, as are those whose step is
    not in this Dockerfile. Of several for one step each adds to the others.
    """
    found: dict[StepPlace, Access] = {}
    for declaration in declarations:
        if declaration.variant is not None and declaration.variant != variant:
            continue
        for place in _places(dockerfile, declaration.step):
            known = found.get(place, Access((), (), AccessSource.DECLARED))
            found[place] = Access(
                (*known.reads, *(declaration.reads or ())),
                (*known.writes, *(declaration.writes or ())),
                AccessSource.DECLARED,
            )
    return found


def with_observed(
    declared: Mapping[StepPlace, Access], observed: Mapping[StepPlace, Access]
) -> dict[StepPlace, Access]:
    """Return both together: what is declared of a step adds to what was seen of it."""
    found = {**declared, **observed}
    for place in declared.keys() & observed.keys():
        one, other = declared[place], observed[place]
        found[place] = Access(
            tuple(dict.fromkeys((*one.reads, *other.reads))),
            tuple(dict.fromkeys((*one.writes, *other.writes))),
            AccessSource.OBSERVED,
        )
    return found


def _places(dockerfile: Dockerfile, reference: str) -> Iterator[StepPlace]:
    """Yield the steps that ``STAGE:TEXT`` means and that touch files."""
    label, _, text = reference.partition(":")
    stage = dockerfile.find_stage(label.strip())
    if stage is None:
        return
    for step, instruction in enumerate(stage.instructions[1:], start=2):
        if instruction.keyword in _WITH_FILES and matches(instruction, text):
            yield StepPlace(stage.index, step)
