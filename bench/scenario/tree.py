"""What the changes of a scenario do to its context, followed without touching it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.changes.paths import resolve_inside
from bench.errors import ChangeError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench.dockerfile import Dockerfile
    from bench.scenario.draft import Draft


def check_changes(
    draft: Draft,
    dockerfiles: Mapping[str, Dockerfile],
    *,
    context_is_there: bool,
) -> None:
    """Report operations that would fail, as far as the context and Dockerfiles tell."""
    if not context_is_there:
        return
    for step in (step for steps in draft.steps for step in steps):
        for path in (*step.value.needs(), *step.value.makes()):
            try:
                resolve_inside(draft.context, path)
            except ChangeError as error:
                draft.report(step.location, path, error.message, error.remedy)
