"""Predictions as flat rows, one for every step of every build: what ``--json`` prints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.predicting.outlook import Outlook

Row = dict[str, Any]


def rows_of(outlook: Outlook, *, cold: bool) -> Iterator[Row]:
    """Yield a row for every step of every rebuild; the cold build has the change ``""``.

    Args:
        outlook: what was predicted.
        cold: whether the cold build is among them.

    """
    for rebuild in (outlook.cold, *outlook.rebuilds) if cold else outlook.rebuilds:
        for one in rebuild.prediction.decisions:
            yield {
                "scenario": outlook.scenario,
                "variant": outlook.variant,
                "builder": outlook.profile.family.value,
                "profile": outlook.profile.name,
                "change": rebuild.change,
                "stage": one.stage,
                "stage_index": one.stage_index,
                "step": one.step,
                "line": one.line,
                "instruction": one.instruction,
                "text": one.text,
                "outcome": one.outcome.value,
                "reason": one.reason.kind.value if one.reason else None,
                "detail": rebuild.detail(one) or None,
            }
