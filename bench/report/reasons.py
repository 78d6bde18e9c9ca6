"""Why steps missed: the root causes of each change, with how many steps each took along."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.cache_model import ReasonKind
from bench.report.compare import Setup, changes_of, setups, variants_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from bench.dataset import Dataset

_CHAINED = ReasonKind.PARENT_MISSED.value


@dataclass(frozen=True)
class RootCause:
    """One step that missed for a reason of its own after one change.

    ``detail`` is the one of the first build that it missed in. ``followers`` are the steps below
    it that missed for no other reason, one number per build; ``builds`` of ``of`` rebuilds are
    those it missed in.
    """

    setup: Setup
    variant: str
    change: str
    stage: str
    step: int
    text: str
    reason: str
    detail: str
    followers: tuple[int, ...]
    builds: int
    of: int


def root_causes(dataset: Dataset) -> list[RootCause]:
    """Return the root cause of every miss in the builds that count, in the report's order.

    Empty where the runs hold no reasons: those of an older version.
    """
    steps = dataset.tables.steps
    if steps["reason"].isna().all():
        return []
    counting = dataset.scored[["run", "build"]]
    steps = steps.merge(counting, on=["run", "build"])
    found: list[RootCause] = []
    for setup in setups(dataset):
        own = steps[(steps["builder"] == setup.builder) & (steps["engine"] == setup.engine)]
        for variant in variants_of(dataset):
            for change in changes_of(dataset):
                cell = own[(own["variant"] == variant) & (own["change"] == change)]
                found += _of_cell(setup, variant, change, cell)
    return found


def _of_cell(setup: Setup, variant: str, change: str, cell: pd.DataFrame) -> list[RootCause]:
    builds = [build for _, build in cell.groupby(["run", "build"], sort=False)]
    seen: dict[tuple[str, int, str], list[tuple[str, str, int]]] = {}
    for build in builds:
        for stage, step, reason, text, detail, followers in _roots(build):
            seen.setdefault((stage, step, reason), []).append((text, detail, followers))
    return [
        RootCause(
            setup=setup,
            variant=variant,
            change=change,
            stage=stage,
            step=step,
            text=roots[0][0],
            reason=reason,
            detail=roots[0][1],
            followers=tuple(followers for _, _, followers in roots),
            builds=len(roots),
            of=len(builds),
        )
        for (stage, step, reason), roots in seen.items()
    ]


def _roots(build: pd.DataFrame) -> Iterator[tuple[str, int, str, str, str, int]]:
    """Yield the steps of one build that began a chain of misses, with the length of the rest."""
    current: tuple[str, int, str, str, str] | None = None
    followers = 0
    for row in build.itertuples():
        if row.outcome != "miss" or not isinstance(row.reason, str):
            continue
        stage = str(row.stage)
        if row.reason == _CHAINED and current is not None and current[0] == stage:
            followers += 1
            continue
        if current is not None:
            yield (*current, followers)
        detail = row.reason_detail if isinstance(row.reason_detail, str) else ""
        current = (stage, int(str(row.step)), row.reason, str(row.text), detail)
        followers = 0
    if current is not None:
        yield (*current, followers)
