"""The answer in words: what a variant gains, what it costs, and whether that is a reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.builders.names import is_simulated, rules_of
from bench.dataset import VerdictInfo
from bench.errors import UsageError
from bench.report.compare import (
    METRICS,
    Comparison,
    Expected,
    Metric,
    baseline_of,
    changes_of,
    comparisons,
    expected_seconds,
    paired_gains,
    setups,
    variants_of,
)
from bench.report.findings import total_predictions, wrong_remarks
from bench.report.names import (
    certainty,
    counted,
    listed,
    seconds,
    signed,
    signed_seconds,
    size,
    span,
)
from bench.report.replaying import ReplaySummary, summarise_replay
from bench.report.rows import edited_by, moved, rows_of, same_instructions
from bench.report.simulated import mark, simulated_remarks
from bench.report.worth import worth_of_hits, worth_sentence
from bench.stats import Finding, Summary, find, margin_of, share

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.dataset import Dataset, PredictionCounts, WrongPrediction
    from bench.report.compare import Setup

# Metrics that come out the same in every round; the sentence on hits says all about them.
_COUNTS = frozenset({"hits", "misses", "hit_ratio"})


@dataclass(frozen=True)
class Verdict:
    """One question put to the data of one setup, with the finding and a plain sentence.

    ``gain`` is in the unit of ``metric``, positive where the variant is better; ``margin`` is the
    smallest difference that matters, in the same unit. ``asked`` is false where the scenario did
    not ask and the heaviest change was taken.
    """

    ask: str
    asked: bool
    setup: Setup
    variant: str
    change: str
    metric: str
    margin: float
    finding: Finding
    gain: Summary | None
    comparison: Comparison
    price: tuple[Comparison, ...]
    sentence: str


@dataclass(frozen=True)
class Answer:
    """Everything a scenario's runs say about its question.

    ``predictions`` and ``disagreements`` say how often the cache model was right and where it was
    not; None and nothing where the runs predicted nothing.
    """

    scenario: str
    title: str
    question: str
    baseline: str
    variants: tuple[str, ...]
    changes: tuple[str, ...]
    setups: tuple[Setup, ...]
    comparisons: tuple[Comparison, ...]
    expected: tuple[Expected, ...]
    verdicts: tuple[Verdict, ...]
    remarks: tuple[str, ...]
    predictions: PredictionCounts | None = None
    disagreements: tuple[WrongPrediction, ...] = ()
    replay: ReplaySummary | None = None
    """What the commits of a replay did; of one there are no comparisons and no verdicts."""


def answer(dataset: Dataset) -> Answer:
    """Answer the question of the one scenario in ``dataset``.

    Raises:
        UsageError: a verdict asks for an unknown metric or names a margin that is none.

    """
    run = dataset.runs[0]
    replay = summarise_replay(dataset)
    if replay is not None:
        return _of_replay(dataset, replay)
    compared = comparisons(dataset)
    return Answer(
        scenario=run.scenario,
        title=run.title or run.scenario,
        question=run.question,
        baseline=baseline_of(dataset),
        variants=tuple(variants_of(dataset)),
        changes=tuple(changes_of(dataset)),
        setups=tuple(setups(dataset)),
        comparisons=tuple(compared),
        expected=tuple(expected_seconds(dataset)),
        verdicts=tuple(_verdicts(dataset)),
        remarks=tuple(_remarks(dataset, compared)),
        predictions=total_predictions(dataset),
        disagreements=dataset.disagreements,
    )


def _of_replay(dataset: Dataset, replay: ReplaySummary) -> Answer:
    run = dataset.runs[0]
    return Answer(
        scenario=run.scenario,
        title=run.title or run.scenario,
        question=run.question,
        baseline=replay.baseline,
        variants=tuple(variants_of(dataset)),
        changes=tuple(replay.commits),
        setups=tuple(setups(dataset)),
        comparisons=(),
        expected=(),
        verdicts=(),
        remarks=(*replay.notes, *wrong_remarks(dataset), *simulated_remarks(dataset)),
        predictions=total_predictions(dataset),
        disagreements=dataset.disagreements,
        replay=replay,
    )


def _verdicts(dataset: Dataset) -> list[Verdict]:
    asked = list(dict.fromkeys(verdict for run in dataset.runs for verdict in run.verdicts))
    questions = [*asked, *_default_verdicts(dataset, {verdict.variant for verdict in asked})]
    found = []
    for question in questions:
        compared = comparisons(dataset, question.against)
        for comparison in compared:
            if question.builder not in {None, rules_of(comparison.setup.builder)}:
                continue
            if (comparison.variant, comparison.change) == (question.variant, question.change):
                found.append(_verdict(dataset, question, comparison, compared))
    return found


def _default_verdicts(dataset: Dataset, named: set[str]) -> list[VerdictInfo]:
    """Ask about every variant nobody asked about, on the change that comes most often."""
    weights = {change.name: change.weight for run in dataset.runs for change in run.changes}
    changes = changes_of(dataset)
    if not changes:
        return []
    heaviest = max(changes, key=lambda change: weights.get(change, 0.0))
    baseline = baseline_of(dataset)
    return [
        VerdictInfo(variant=variant, change=heaviest)
        for variant in variants_of(dataset)
        if variant not in named | {baseline}
    ]


def _verdict(
    dataset: Dataset,
    question: VerdictInfo,
    comparison: Comparison,
    compared: Sequence[Comparison],
) -> Verdict:
    metric = _metric(question.metric)
    before, gain = paired_gains(dataset, comparison, metric)
    margin = margin_of(question.margin, before.median if before else 0.0)
    others = [
        other
        for other in compared
        if (other.setup, other.variant) == (comparison.setup, comparison.variant)
        and other.change != comparison.change
    ]
    price = _price(dataset, comparison, others)
    measured = metric.name in _COUNTS or not is_simulated(comparison.setup.builder)
    finding = find(gain, margin) if measured else Finding.UNCLEAR
    judged = _Judged(metric, finding, margin, gain, before)
    sentences = [
        _gains_sentence(comparison, judged),
        *filter(None, [worth_sentence(worth_of_hits(dataset, comparison))]),
        _conclusion(comparison, judged, others, _act(dataset, comparison)),
        *_price_sentences(price),
    ]
    return Verdict(
        ask=question.ask
        or f"{comparison.variant} against {comparison.baseline}, on {comparison.change}",
        asked=bool(question.ask),
        setup=comparison.setup,
        variant=comparison.variant,
        change=comparison.change,
        metric=metric.name,
        margin=margin,
        finding=judged.finding,
        gain=gain,
        comparison=comparison,
        price=tuple(price),
        sentence=" ".join(sentences),
    )


@dataclass(frozen=True)
class _Judged:
    """What was measured for a verdict: the gains, the baseline's values, and the finding."""

    metric: Metric
    finding: Finding
    margin: float
    gain: Summary | None
    before: Summary | None

    def write(self, value: float) -> str:
        """Write a difference in the metric's unit, with its sign."""
        if self.metric.unit == "s":
            return signed_seconds(value)
        if self.metric.unit == "B":
            return signed(0) if value == 0 else f"{signed(value)[0]}{size(abs(value))}"
        return signed(round(value, 3))

    @property
    def pairs(self) -> int:
        """Number of pairs behind the gain."""
        return 0 if self.gain is None else self.gain.n

    @property
    def sure(self) -> bool:
        """Whether there were pairs enough for 95 %."""
        return self.gain is not None and self.gain.sure

    @property
    def weight(self) -> str:
        """What few pairs can only be: so few fall on one side of zero by chance as well."""
        return "" if self.sure else "too few for 95 %, so a hint and not yet "

    @property
    def limit(self) -> str:
        """The margin in words."""
        if self.metric.unit == "B":
            return size(self.margin)
        if self.metric.unit == "s":
            return seconds(self.margin)
        number = f"{self.margin:.2g}"
        return number if self.metric.name == "hit_ratio" else f"{number} {self.metric.name}"


def _metric(name: str) -> Metric:
    if name not in METRICS:
        raise UsageError(
            f"verdict metric {name!r}: unknown", remedy=f"use one of {', '.join(METRICS)}"
        )
    return METRICS[name]


def hits_text(comparison: Comparison) -> str:
    """Write the exact hits of both sides over the steps that were looked up."""
    if not comparison.pairs:
        return "not measured on both"
    return (
        f"{hit_share(comparison.hits_variant, comparison.scored_variant)} steps hit, against "
        f"{hit_share(comparison.hits_baseline, comparison.scored_baseline)} "
        f"in {comparison.baseline}"
    )


def hit_share(hits: Sequence[int], scored: Sequence[int]) -> str:
    """Write hits over their denominator, hits + misses."""
    return f"{span(hits)} of {span(scored)}" if hits else "no build"


def _gains_sentence(comparison: Comparison, judged: _Judged) -> str:
    where = f"{mark(comparison.setup)}On {comparison.setup.label}, {comparison.variant}"
    gain, metric = judged.gain, judged.metric
    if gain is None or not comparison.pairs:
        return (
            f"{where} and {comparison.baseline} have no pair of builds that count on "
            f"{comparison.change}."
        )
    hits = f"{where} {hits_gained(comparison)} on {comparison.change} ({hits_text(comparison)}"
    if metric.name in _COUNTS:
        return f"{hits}; n={comparison.pairs})."
    what = {
        "rebuild_seconds": "Seconds gained per rebuild",
        "cold_seconds": "Seconds gained per cold build",
    }.get(metric.name, f"Gained in {metric.name}")
    part = share(gain, judged.before)
    relative = "" if part is None else f"{abs(part):.0%} {'better' if part > 0 else 'worse'}; "
    if is_simulated(comparison.setup.builder):
        spread = "simulated, so without scatter"
    elif gain.n == 1:
        spread = "a single pair, so no interval"
    else:
        spread = f"{judged.write(gain.low)} to {judged.write(gain.high)}; {certainty(gain)}"
    return f"{hits}). {what}: {judged.write(gain.median)} ({relative}{spread})."


def hits_gained(comparison: Comparison) -> str:
    """Say what hits are won, exactly: one count where every round agrees, else the range."""
    gained = comparison.hits_gained
    if not gained:
        return "has no pair of builds"
    if len(set(gained)) > 1:
        return f"gains {span(gained, with_sign=True)} hits"
    return f"{'loses' if gained[0] < 0 else 'gains'} {counted(abs(gained[0]), 'hit')}"


def _conclusion(
    comparison: Comparison, judged: _Judged, others: Sequence[Comparison], act: str
) -> str:
    gained, limit = comparison.hits_gained, judged.limit
    if judged.metric.name in _COUNTS:
        return _count_conclusion(judged, limit, act)
    if is_simulated(comparison.setup.builder):
        return "Simulated builds do not scatter: only real ones tell whether that is chance."
    rounds = "" if judged.sure else f" in each of {judged.pairs} rounds"
    if judged.finding is Finding.GAIN:
        losers = [other.change for other in others if _loses(other)]
        but = f", at the price of {listed(losers)}" if losers else ""
        return f"More than the margin of {limit}{rounds}: {judged.weight}a reason to {act}{but}."
    if judged.finding is Finding.LOSS:
        worse = f"Worse by more than the margin of {limit}{rounds}"
        return f"{worse}: {judged.weight}a reason not to {act}."
    if judged.finding is Finding.SAME:
        little = "little" if gained and min(gained) > 0 else "no"
        return f"Within the margin of {limit}{rounds}: {little} reason to {act}."
    if comparison.pairs < 2:
        return "Too few pairs to tell a gain from chance: measure more rounds."
    if gained and max(gained) <= 0:
        return (
            f"No hit is gained, and the rounds scatter over the margin of {limit}: "
            f"no reason to {act} shows."
        )
    return f"The rounds scatter over the margin of {limit}: not distinguishable, measure more."


def _count_conclusion(judged: _Judged, limit: str, act: str) -> str:
    """Conclude from counts, which are exact: hits are a means, seconds the end."""
    return {
        Finding.GAIN: f"Better by more than the margin of {limit}; the seconds say whether that "
        f"is a reason to {act}.",
        Finding.LOSS: f"Worse by more than the margin of {limit}: a reason not to {act}.",
        Finding.SAME: f"Within the margin of {limit}: no reason to {act}.",
        Finding.UNCLEAR: "The rounds do not settle it: measure more.",
    }[judged.finding]


def _act(dataset: Dataset, comparison: Comparison) -> str:
    """Say "move" where the variant only orders the lines anew, else "change"."""
    rows = rows_of(dataset, comparison.setup)
    baseline, variant = rows.get(comparison.baseline, []), rows.get(comparison.variant, [])
    return "move" if same_instructions(baseline, variant) else "change"


def _loses(comparison: Comparison) -> bool:
    gain = comparison.seconds_gained
    fewer = bool(comparison.hits_gained) and max(comparison.hits_gained) < 0
    return fewer or (gain is not None and gain.excludes_zero and gain.high < 0)


def _price(
    dataset: Dataset, comparison: Comparison, others: Sequence[Comparison]
) -> list[Comparison]:
    """Return the changes that edit a moved instruction: the price of its new place."""
    rows = rows_of(dataset, comparison.setup)
    baseline = rows.get(comparison.baseline, [])
    shifted = moved(baseline, rows.get(comparison.variant, []))
    edited = edited_by(dataset, comparison.setup, comparison.baseline)
    return [other for other in others if edited.get(other.change, set()) & shifted]


def _price_sentences(price: Sequence[Comparison]) -> list[str]:
    return [
        f"The price: {other.change} edits a moved instruction and takes "
        f"{_median(other.seconds_variant)}, against {_median(other.seconds_baseline)} in "
        f"{other.baseline} ({hits_text(other)}; {_difference(other)})."
        for other in price
        if other.pairs
    ]


def _median(summary: Summary | None) -> str:
    return "no build" if summary is None else seconds(summary.median)


def _difference(comparison: Comparison) -> str:
    gain = comparison.seconds_gained
    if gain is None:
        return "no pair"
    if is_simulated(comparison.setup.builder):
        return f"{signed_seconds(-gain.median)}, simulated"
    if gain.n == 1:
        return f"{signed_seconds(-gain.median)} in a single pair"
    if not gain.sure:
        return f"{signed_seconds(-gain.median)} in {gain.n} paired rounds, too few for 95 %"
    if not gain.excludes_zero:
        return f"not distinguishable from zero, n={gain.n}"
    more = "more" if gain.median < 0 else "less"
    return f"{seconds(abs(gain.median))} {more}, median of {gain.n} paired rounds"


def _remarks(dataset: Dataset, compared: Sequence[Comparison]) -> list[str]:
    """Say what limits the answer: unstable Dockerfiles, missing builds, simulated figures."""
    remarks = []
    if baseline_of(dataset) not in variants_of(dataset):
        remarks.append(f"The baseline {baseline_of(dataset)} was not measured: nothing to compare.")
    controls = dataset.controls
    for variant in variants_of(dataset):
        own = controls[controls["variant"] == variant]
        missed = own[own["misses"] > 0]
        if len(missed):
            remarks.append(
                f"{variant} is unstable: {len(missed)} of {len(own)} rebuilds without any change "
                "missed the cache, so its other numbers hold chance as well."
            )
    without = {
        (comparison.variant, comparison.setup.builder)
        for comparison in compared
        if not comparison.hits_variant
    }
    remarks += [
        f"{variant} has changes without a build that counts on {builder}; see the failed builds."
        for variant, builder in sorted(without)
    ]
    return [*remarks, *wrong_remarks(dataset), *simulated_remarks(dataset)]
