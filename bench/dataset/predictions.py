"""How often the cache model was right, counted over the builds of a run."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from bench.builders.protocol import StepOutcome

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bench.builders.protocol import Step
    from bench.journal import BuildRecord

# Outcomes that could have been others. FROM, config and unreached steps follow from the text.
_AT_STAKE = frozenset({"hit", "miss", "merged", "depends"})
_NOT_MADE = frozenset({StepOutcome.FAILED, StepOutcome.NOT_RUN})
_LONGEST = 60
UNKNOWN = "unknown"
DEPENDS = "depends"


@dataclass(frozen=True)
class PredictionCounts:
    """Steps whose outcome was at stake, by what the model had said before.

    ``agreed`` did as was said for certain, or as one of the two that were left open where an
    artefact decides (``depended``). ``unknown`` are steps of which the model said nothing; they are
    not in ``compared``. Steps that a failed build broke off at or never came to are in
    neither number.
    """

    compared: int = 0
    agreed: int = 0
    depended: int = 0
    unknown: int = 0

    def __add__(self, other: PredictionCounts) -> PredictionCounts:
        return PredictionCounts(
            self.compared + other.compared,
            self.agreed + other.agreed,
            self.depended + other.depended,
            self.unknown + other.unknown,
        )

    @property
    def sentence(self) -> str:
        """The counts in words: ``412 of 412 agree, 3 depended on an artefact``."""
        parts = [f"{self.agreed} of {self.compared} agree"]
        if self.depended:
            parts.append(f"{self.depended} depended on an artefact")
        if self.unknown:
            parts.append(f"{self.unknown} not predicted")
        return ", ".join(parts)


def count_predictions(records: Iterable[BuildRecord]) -> PredictionCounts | None:
    """Count the predictions of a run; None where no step has one (a run of an older version)."""
    total = PredictionCounts()
    any_predicted = False
    for record in records:
        wrong = {(one.stage_index, one.step) for one in record.disagreements}
        for step in record.steps:
            any_predicted |= step.predicted is not None
            total += _of_step(step, wrong=(step.stage_index, step.step) in wrong)
    return total if any_predicted else None


def _of_step(step: Step, *, wrong: bool) -> PredictionCounts:
    if step.outcome in _NOT_MADE:
        return PredictionCounts()
    if step.predicted is None:
        return PredictionCounts(unknown=int(step.outcome.value in _AT_STAKE))
    if step.predicted == UNKNOWN:
        return PredictionCounts(unknown=1)
    if not wrong and not {step.predicted, step.outcome.value} & _AT_STAKE:
        return PredictionCounts()
    return PredictionCounts(
        compared=1, agreed=0 if wrong else 1, depended=int(step.predicted == DEPENDS)
    )


@dataclass(frozen=True)
class WrongPrediction:
    """A disagreement with the build it was in; ``engine`` is the name that the tables carry."""

    run: str
    build: int
    engine: str
    variant: str
    builder: str
    phase: str
    change: str
    stage: str
    stage_index: int
    step: int
    text: str
    predicted: str
    observed: str
    detail: str = ""

    @property
    def moment(self) -> str:
        """After which change, or in which other kind of build."""
        return self.change or self.phase

    @property
    def sentence(self) -> str:
        """All that it takes to find the step, on one line."""
        text = self.text if len(self.text) <= _LONGEST else self.text[: _LONGEST - 1] + "…"
        return (
            f"{self.variant} · {self.builder} · {self.moment} (build {self.build}): "
            f"{self.stage}:{text} was predicted {self.predicted}, observed {self.observed}"
        )


def wrong_predictions(
    records: Iterable[BuildRecord], engine: str = ""
) -> tuple[WrongPrediction, ...]:
    """Return every step of ``records`` that did other than the model had said for certain."""
    return tuple(
        WrongPrediction(
            run=record.run,
            build=record.build,
            engine=engine,
            variant=record.variant,
            builder=record.builder,
            phase=record.phase,
            change=record.change,
            **asdict(one),
        )
        for record in records
        for one in record.disagreements
    )
