"""Medians with intervals that hold for any distribution, and verdicts that say when they cannot.

Rebuild times are few and skewed, so nothing here assumes a shape. The interval of a median is
made of two order statistics; how sure it is follows from the binomial distribution alone (the
sign test turned round) and is always part of the answer. With fewer than six values no interval
reaches 95 %: then the full range stands, with the confidence it really has.
"""

from __future__ import annotations

import math
import re
import statistics
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from bench.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

CONFIDENCE = 0.95
_MARGIN = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(%|ms|s|)\s*")


@dataclass(frozen=True)
class Summary:
    """A sample in short: its size, its median, and an interval for the median.

    The median of what was sampled lies from ``low`` to ``high`` with ``confidence`` (0-1; 0 for a
    single value).
    """

    n: int
    median: float
    low: float
    high: float
    confidence: float

    @property
    def sure(self) -> bool:
        """Whether there were values enough for the usual 95 %."""
        return self.confidence >= CONFIDENCE

    @property
    def excludes_zero(self) -> bool:
        """Whether the usual 95 % are reached and every value they allow has the same sign."""
        return self.sure and (self.low > 0 or self.high < 0)


class Finding(StrEnum):
    """What a sample of paired gains says against a margin."""

    GAIN = "gain"
    LOSS = "loss"
    SAME = "same"
    """Any difference is smaller than the margin."""
    UNCLEAR = "unclear"
    """The interval reaches over the margin: these rounds cannot tell."""


def summarise(values: Sequence[float]) -> Summary | None:
    """Return the median of ``values`` with its interval; None where there is no value."""
    if not values:
        return None
    ordered = sorted(values)
    n = len(ordered)
    rank = _rank(n)
    return Summary(
        n=n,
        median=statistics.median(ordered),
        low=ordered[rank - 1],
        high=ordered[n - rank],
        confidence=_confidence(n, rank),
    )


def _confidence(n: int, rank: int) -> float:
    """Chance that the median lies between the ``rank``-th smallest and the ``rank``-th largest."""
    outside = sum(math.comb(n, below) for below in range(rank))
    return max(0.0, 1 - 2 * outside / float(2**n))


def _rank(n: int) -> int:
    """Return the largest rank whose interval still reaches the usual confidence, else 1."""
    rank = 1
    while rank < n // 2 and _confidence(n, rank + 1) >= CONFIDENCE:
        rank += 1
    return rank


def find(gains: Summary | None, margin: float) -> Finding:
    """Judge paired gains (positive is better) against the smallest difference that matters.

    One pair shows no spread and so is never more than unclear, whatever its size.
    """
    if gains is None or gains.n < 2:
        return Finding.UNCLEAR
    if gains.low > 0 and gains.low >= margin:
        return Finding.GAIN
    if gains.high < 0 and -gains.high >= margin:
        return Finding.LOSS
    if -margin <= gains.low and gains.high <= margin:
        return Finding.SAME
    return Finding.UNCLEAR


def share(gains: Summary | None, baseline: Summary | None) -> float | None:
    """Return the median gain as a share of the baseline's median.

    None where the data cannot carry a ratio: too few pairs for 95 %, an interval of the gain that
    holds zero, or a baseline that is not above zero.
    """
    if gains is None or baseline is None or not gains.excludes_zero or baseline.low <= 0:
        return None
    return gains.median / baseline.median


def margin_of(text: str | float, baseline: float) -> float:
    """Turn a margin (``5%`` of ``baseline``, ``0.5s``, ``200ms``, ``2``) into the metric's unit.

    Raises:
        UsageError: the text is no such margin.

    """
    match = _MARGIN.fullmatch(str(text))
    if match is None:
        raise UsageError(
            f"margin {text!r}: not a margin",
            remedy='write it like "5%", "0.5s", "200ms" or a number in the unit of the metric',
        )
    value = float(match[1])
    return {"%": value / 100 * abs(baseline), "ms": value / 1000}.get(match[2], value)
