"""Colours that colour-blind readers can tell apart (Okabe and Ito), doubled by marks and hatches.

Nothing is said by colour alone: every outcome has its mark, every stage its hatch, so that a
chart survives a grey printer.
"""

from __future__ import annotations

from dataclasses import dataclass

INK = "#222222"
FAINT = "#6B6B6B"
GRID = "#DDDDDD"
PAPER = "#FFFFFF"


@dataclass(frozen=True)
class Look:
    """How a value is drawn: fill, hatch, the mark inside, the colour of the mark, its meaning."""

    fill: str
    hatch: str = ""
    mark: str = ""
    ink: str = INK
    meaning: str = ""


OUTCOMES: dict[str, Look] = {
    "hit": Look("#8CCBF0", mark="✓", meaning="hit"),
    "miss": Look("#D55E00", mark="✗", ink=PAPER, meaning="miss (median seconds)"),
    "base": Look("#E4E4E4", mark="·", meaning="base image, not looked up"),
    "config": Look("#F4F4F4", mark="c", ink=FAINT, meaning="config only, no cache entry"),
    "merged": Look("#009E73", mark="=", ink=PAPER, meaning="merged with an equal step"),
    "unreached": Look(PAPER, hatch="....", mark="", meaning="stage not needed"),
    "failed": Look("#000000", mark="!", ink=PAPER, meaning="failed"),
    "not-run": Look(PAPER, hatch="////", mark="", meaning="build ended before"),
}

_STAGE_FILLS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442")
_STAGE_HATCHES = ("", "///", "...", "xxx", "\\\\\\", "+++", "ooo", "---")
OUTSIDE = Look("#BDBDBD", meaning="outside steps")


def stage_look(place: int, meaning: str) -> Look:
    """Return the look of the stage at ``place``; colour and hatch change at unlike periods."""
    return Look(
        fill=_STAGE_FILLS[place % len(_STAGE_FILLS)],
        hatch=_STAGE_HATCHES[place % len(_STAGE_HATCHES)],
        meaning=meaning,
    )
