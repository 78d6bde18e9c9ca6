"""What an advice saved, measured: weighted rebuild seconds, paired by round."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.builders.protocol import BuildOutcome
from bench.runner.plan import Phase
from bench.stats import Finding, Summary, find, summarise

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bench.journal import BuildRecord


@dataclass(frozen=True)
class Saving:
    """How many seconds a commit's rebuild takes on one builder, before and after.

    ``before`` and ``after`` are the weighted means over the changes, one value a round, in
    summaries; ``gain`` is of their differences round by round (positive: faster). ``hits`` and
    ``scored`` are weighted means of steps, before and after.
    """

    builder: str
    before: Summary
    after: Summary
    gain: Summary
    hits_before: float
    hits_after: float
    margin: float

    @property
    def finding(self) -> Finding:
        """What the gains say against the margin, in seconds."""
        return find(self.gain, self.margin)

    @property
    def share(self) -> float:
        """The median gain as a share of the median before."""
        return self.gain.median / self.before.median if self.before.median else 0.0


def measured_saving(
    records: Iterable[BuildRecord],
    weights: Mapping[str, float],
    builder: str,
    *,
    before: str,
    after: str,
    margin_share: float,
) -> Saving | None:
    """Return the saving of variant ``after`` over ``before``, or None: no round is whole.

    A round counts if both variants were built well after every change that has weight.

    Args:
        records: of one run.
        weights: how often each change happens, by name; only the proportions count.
        builder: the builder to look at.
        before: the variant's name that is the baseline.
        after: the variant's name that is advised.
        margin_share: a smaller share of ``before`` is no practical difference.

    """
    seconds: dict[tuple[str, int], dict[str, float]] = defaultdict(dict)
    hits: dict[tuple[str, int], dict[str, float]] = defaultdict(dict)
    for one in records:
        if one.builder == builder and one.phase == Phase.CHANGE and one.outcome is BuildOutcome.OK:
            seconds[one.variant, one.round][one.change] = one.wall_seconds
            hits[one.variant, one.round][one.change] = float(one.hits)
    wanted = {name: weight for name, weight in weights.items() if weight > 0}
    rounds = [
        number
        for number in sorted({number for _, number in seconds})
        if all(wanted.keys() <= seconds[variant, number].keys() for variant in (before, after))
    ]
    olds = [_mean(seconds[before, number], wanted) for number in rounds]
    news = [_mean(seconds[after, number], wanted) for number in rounds]
    old, new = summarise(olds), summarise(news)
    gain = summarise([one - other for one, other in zip(olds, news, strict=True)])
    if old is None or new is None or gain is None:
        return None
    return Saving(
        builder=builder,
        before=old,
        after=new,
        gain=gain,
        hits_before=_over_rounds(hits, before, rounds, wanted),
        hits_after=_over_rounds(hits, after, rounds, wanted),
        margin=margin_share * old.median,
    )


def _mean(values: Mapping[str, float], weights: Mapping[str, float]) -> float:
    return sum(values[name] * weight for name, weight in weights.items()) / sum(weights.values())


def _over_rounds(
    hits: Mapping[tuple[str, int], Mapping[str, float]],
    variant: str,
    rounds: Sequence[int],
    weights: Mapping[str, float],
) -> float:
    return sum(_mean(hits[variant, number], weights) for number in rounds) / len(rounds)
