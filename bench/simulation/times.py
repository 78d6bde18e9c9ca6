"""How long steps take and what artefacts do, by a recorded run, else by a flat guess."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from enum import StrEnum
from statistics import median
from typing import TYPE_CHECKING, Protocol

from bench.builders.protocol import BuildOutcome, StepOutcome
from bench.dataset import read_run
from bench.journal import read_journal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from bench.builders.protocol import Step
    from bench.dataset import RunInfo
    from bench.journal import BuildRecord

GUESSED_SECONDS: Mapping[str, float] = {
    "RUN": 2.0,
    "COPY": 0.05,
    "ADD": 0.05,
    "WORKDIR": 0.03,
    "FROM": 0.01,
}
"""Flat guesses of what an instruction takes that misses, in seconds; rounded from the reference
runs, in which a RUN takes anything between 0.2 s and a minute."""
GUESSED_CONFIG_SECONDS = 0.03
"""The same for ENV, EXPOSE and such, which the classic builder makes a layer for."""
GUESSED_OUTSIDE_SECONDS = 0.1
"""What a build takes beside its steps: sending the context, exporting the image."""
GUESSED_ENGINE = ("28.5.2", "graphdriver")
"""The rules that are followed where no recorded run names an engine."""

_Key = tuple[str, ...]


class Source(StrEnum):
    """Where the time of a simulated step comes from."""

    RECORDED = "recorded"
    """The recorded run has this very instruction, on the same builder."""
    ESTIMATED = "estimated"
    """It has others like it: at the same place, on another builder, or with the same keyword."""
    GUESSED = "guessed"


@dataclass(frozen=True)
class Moment:
    """Which builds of a recorded run a simulated one is like. ``builder`` is a real one."""

    variant: str
    builder: str
    phase: str
    change: str = ""


class Timed(Protocol):
    """The part of a recorded step, or of a prediction, by which its time is looked up."""

    @property
    def stage(self) -> str:
        """The stage's name, or its index where it has none."""

    @property
    def step(self) -> int:
        """The place in the stage, from 1."""

    @property
    def instruction(self) -> str:
        """The keyword."""

    @property
    def text(self) -> str:
        """The instruction as its author wrote it."""


@dataclass(frozen=True)
class StepTimes:
    """Step times by ever less fitting descriptions of a step, most fitting first.

    ``run`` and ``folder`` name the recorded run (empty: there is none, all is guessed),
    ``engine_version`` and ``image_store`` the engine it was made on, ``machine`` its processor.
    """

    run: str = ""
    folder: str = ""
    engine_version: str = GUESSED_ENGINE[0]
    image_store: str = GUESSED_ENGINE[1]
    machine: str = ""
    cpus: int = 0
    _seconds: Mapping[_Key, float] = field(default_factory=dict, repr=False)
    _outside: Mapping[_Key, float] = field(default_factory=dict, repr=False)
    _hits: Mapping[_Key, float] = field(default_factory=dict, repr=False)
    _scale: float = 1.0

    def seconds(self, moment: Moment, step: Timed, outcome: StepOutcome) -> tuple[float, Source]:
        """Return how long a step takes that ends with ``outcome``, and how well that is known."""
        for key, source in _descriptions(moment, step, outcome.value):
            found = self._seconds.get(key)
            if found is not None:
                return found, source
        if outcome is StepOutcome.HIT:
            return 0.0, Source.GUESSED
        guess = GUESSED_SECONDS.get(step.instruction, GUESSED_CONFIG_SECONDS)
        return guess * self._scale, Source.GUESSED

    def outside(self, moment: Moment) -> float:
        """Return what a build takes beside its steps."""
        for key in ((moment.builder, moment.phase), (moment.builder,), ()):
            if key in self._outside:
                return self._outside[key]
        return GUESSED_OUTSIDE_SECONDS

    def artefact_hits(self, moment: Moment, step: Timed) -> bool:
        """Tell whether a step that an artefact decides hit in the recorded builds like this.

        Where the run does not tell, an artefact of a RUN that ran again counts as changed.
        """
        where = (moment.builder, moment.variant, moment.phase, moment.change)
        key = (*where, step.stage, step.text)
        return self._hits.get(key, 0.0) > 0.5


def guessed_times() -> StepTimes:
    """Return times for where nothing was ever recorded: one flat guess per instruction."""
    return StepTimes()


def recorded_times(folder: Path) -> StepTimes:
    """Return the medians of a recorded run.

    Raises:
        RecordsError: the folder is no run, or its journal cannot be read.

    """
    info = read_run(folder)
    records = [one for one in read_journal(folder) if one.outcome is BuildOutcome.OK]
    return times_of(info, records)


def times_of(info: RunInfo, records: Sequence[BuildRecord]) -> StepTimes:
    """Return the medians over the builds of one run that ended well."""
    seconds: dict[_Key, list[float]] = defaultdict(list)
    outside: dict[_Key, list[float]] = defaultdict(list)
    hits: dict[_Key, list[float]] = defaultdict(list)
    unedited = _unedited_texts(records)
    for record in records:
        moment = Moment(record.variant, record.builder, record.phase, record.change)
        rest = record.wall_seconds - sum(stage.critical_seconds for stage in record.stages)
        for outside_key in ((moment.builder, moment.phase), (moment.builder,), ()):
            outside[outside_key].append(max(0.0, rest))
        for step in record.steps:
            texts = unedited.get(record.variant)
            _take(seconds, moment, step, edited=texts is not None and step.text not in texts)
            if step.outcome in {StepOutcome.HIT, StepOutcome.MISS}:
                key = (moment.builder, moment.variant, moment.phase, moment.change)
                hit = float(step.outcome is StepOutcome.HIT)
                hits[(*key, step.stage, step.text)].append(hit)
    medians = {key: median(values) for key, values in seconds.items()}
    return StepTimes(
        run=info.run,
        folder=str(info.folder),
        engine_version=info.engine.version,
        image_store=info.engine.image_store or GUESSED_ENGINE[1],
        machine=info.engine.cpu_model,
        cpus=info.engine.cpus,
        _seconds=medians,
        _outside={key: median(values) for key, values in outside.items()},
        _hits={key: sum(values) / len(values) for key, values in hits.items()},
        _scale=_scale(medians),
    )


def _unedited_texts(records: Iterable[BuildRecord]) -> dict[str, set[str]]:
    """Return the instructions of each variant as no change has edited them."""
    texts: dict[str, set[str]] = {}
    for record in records:
        if not record.change:
            texts.setdefault(record.variant, set()).update(step.text for step in record.steps)
    return texts


def _take(seconds: dict[_Key, list[float]], moment: Moment, step: Step, *, edited: bool) -> None:
    """Take in one time; that of an edited instruction only for its place and its keyword.

    Its text has a number in it that no other build has, and would be a median of one.
    """
    if step.seconds is None:
        return
    for key, source in _descriptions(moment, step, step.outcome.value):
        if source is Source.ESTIMATED or not edited:
            seconds[key].append(step.seconds)


def _descriptions(moment: Moment, step: Timed, outcome: str) -> Iterator[tuple[_Key, Source]]:
    """Yield keys for a step, the most fitting first."""
    builder, stage, text, keyword = moment.builder, step.stage, step.text, step.instruction
    yield ("variant", outcome, builder, moment.variant, stage, text), Source.RECORDED
    yield ("stage", outcome, builder, stage, text), Source.RECORDED
    yield ("text", outcome, builder, text), Source.RECORDED
    place = (stage, str(step.step), keyword)
    yield ("place", outcome, builder, moment.variant, *place), Source.ESTIMATED
    yield ("other builder", outcome, text), Source.ESTIMATED
    yield ("keyword", outcome, builder, keyword), Source.ESTIMATED
    yield ("keyword anywhere", outcome, keyword), Source.ESTIMATED


def _scale(medians: Mapping[_Key, float]) -> float:
    """Return by how much the recorded machine is slower than the flat guesses say."""
    ratios = [
        medians[key] / guess
        for instruction, guess in GUESSED_SECONDS.items()
        if (key := ("keyword anywhere", StepOutcome.MISS.value, instruction)) in medians
    ]
    return median(ratios) if ratios else 1.0
