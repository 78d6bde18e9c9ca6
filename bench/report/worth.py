"""What the hits that a variant gains or loses are worth: the seconds of those very steps.

The wall time of a rebuild holds the scatter of its longest RUN; the steps that hit in one variant
and miss in the other have times of their own, which are not drowned in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.report.names import counted, seconds
from bench.report.rows import outcomes, rows_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench.dataset import Dataset
    from bench.report.compare import Comparison

_Instruction = tuple[str, str]


@dataclass(frozen=True)
class Worth:
    """Steps with one outcome in every round on each side, and another on the other side.

    ``gained`` hit in the variant and missed in the baseline, ``lost`` the other way round; the
    seconds are sums of the medians that those steps took where they missed.
    """

    gained: int
    gained_seconds: float
    lost: int
    lost_seconds: float


def worth_of_hits(dataset: Dataset, comparison: Comparison) -> Worth:
    """Return what the difference in hits between the two variants is worth under one change.

    Instructions are matched by stage and text, wherever the variant puts them; one that stands
    more than once in a stage, or whose rounds disagree, is left out.
    """
    baseline = _settled(dataset, comparison, comparison.baseline)
    variant = _settled(dataset, comparison, comparison.variant)
    shared = [one for one in baseline if one in variant]
    gained = [
        baseline[one][1] for one in shared if (baseline[one][0], variant[one][0]) == ("miss", "hit")
    ]
    lost = [
        variant[one][1] for one in shared if (baseline[one][0], variant[one][0]) == ("hit", "miss")
    ]
    return Worth(len(gained), sum(gained), len(lost), sum(lost))


def worth_sentence(worth: Worth) -> str:
    """Say it in a sentence; nothing where no step changed sides."""
    parts = []
    if worth.gained:
        takes = "takes" if worth.gained == 1 else "take"
        parts.append(
            f"{counted(worth.gained, 'step')} that hit instead {takes} "
            f"{seconds(worth.gained_seconds)} when run"
        )
    if worth.lost:
        parts.append(
            f"{counted(worth.lost, 'step')} run instead of hitting, "
            f"for {seconds(worth.lost_seconds)}"
        )
    return f"By the steps' own times: {'; '.join(parts)}." if parts else ""


def _settled(
    dataset: Dataset, comparison: Comparison, variant: str
) -> Mapping[_Instruction, tuple[str, float]]:
    """Return outcome and median seconds of each instruction that did the same in every round."""
    rows = rows_of(dataset, comparison.setup).get(variant, [])
    table = outcomes(dataset, comparison.setup)
    own = table[
        (table["variant"] == variant)
        & (table["phase"] == "change")
        & (table["change"] == comparison.change)
    ]
    found: dict[_Instruction, tuple[str, float]] = {}
    twice: set[_Instruction] = set()
    for cell in own.to_dict("records"):
        row = rows[int(cell["row"])]
        key = (row.stage, row.text)
        if key in found:
            twice.add(key)
        if len(cell["counts"]) == 1:
            found[key] = (next(iter(cell["counts"])), float(cell["seconds"]))
    return {key: value for key, value in found.items() if key not in twice}
