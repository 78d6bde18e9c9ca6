"""From the intervals of steps to the timings of stages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.builders.protocol import StageTiming, Step, StepOutcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bench.dockerfile import Dockerfile

Interval = tuple[float, float]


def union(intervals: Iterable[Interval]) -> list[Interval]:
    """Merge overlapping intervals into disjoint ones, in order."""
    merged: list[Interval] = []
    for start, end in sorted(intervals):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def busy(intervals: Iterable[Interval]) -> float:
    """Return the seconds that at least one of the intervals covers."""
    return sum((end - start for start, end in union(intervals)), start=0.0)


def stage_timings(
    dockerfile: Dockerfile,
    steps: Sequence[Step],
    intervals: Mapping[int, Sequence[Interval]],
    critical: Mapping[int, float],
) -> tuple[StageTiming, ...]:
    """Return one timing per stage of the Dockerfile, in file order.

    ``intervals`` and ``critical`` (seconds on the critical path) are keyed by stage index; a
    stage without an entry kept the builder busy for no time.
    """
    timings = []
    for stage in dockerfile.stages:
        spans = intervals.get(stage.index, ())
        own = [step for step in steps if step.stage_index == stage.index]
        timings.append(
            StageTiming(
                stage=stage.label,
                stage_index=stage.index,
                busy_seconds=busy(spans),
                span_seconds=_span(spans),
                critical_seconds=critical.get(stage.index, 0.0),
                hits=sum(step.outcome is StepOutcome.HIT for step in own),
                misses=sum(step.outcome is StepOutcome.MISS for step in own),
            )
        )
    return tuple(timings)


def _span(intervals: Sequence[Interval]) -> float:
    if not intervals:
        return 0.0
    return max(end for _, end in intervals) - min(start for start, _ in intervals)
