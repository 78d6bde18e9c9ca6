"""A change: a named, weighted list of operations on the source between two builds."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, StrictStr

from bench.changes.fields import Input, Name, fault
from bench.changes.operations import Operation  # noqa: TC001 - pydantic reads it at run time


def _not_empty(steps: tuple[Operation, ...]) -> tuple[Operation, ...]:
    if not steps:
        raise fault("is empty", "write steps = [{ none = true }] for a change of nothing")
    return steps


class Change(Input):
    """One change a developer makes, applied between two builds."""

    name: Name
    """Unique in the scenario; used in records and file names."""
    weight: Annotated[float, Field(strict=True, ge=0, allow_inf_nan=False)] = 1.0
    """How often it happens against the other changes; only the proportions count."""
    steps: Annotated[
        tuple[Operation, ...], AfterValidator(_not_empty), Field(json_schema_extra={"minItems": 1})
    ]
    """The operations, applied in this order."""
    title: StrictStr | None = None
    """What reports call it, in place of the name."""

    def makes_new_content(self) -> bool:
        """Tell whether each application leaves content that was never built before.

        Where it does not (a chmod, a touch, a delete, a fixed text), a second application in the
        same cache finds what the first one built.
        """
        return any(step.makes_new_content() for step in self.steps)
