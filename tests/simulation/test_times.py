"""Step times of a recorded run: the most fitting description counts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from bench.builders.protocol import BuildOutcome, StepOutcome
from bench.dataset import read_run
from bench.errors import RecordsError
from bench.journal import read_journal
from bench.simulation import Moment, StepTimes, guessed_times, recorded_times
from bench.simulation.times import GUESSED_SECONDS, Source, times_of
from tests.report.factory import JAVA, java

REFERENCE = Path(__file__).parent.parent.parent / "results/reference/java-expose"
EDIT = Moment("as-written", "classic", "change", "edit-source")
HIT, MISS = StepOutcome.HIT, StepOutcome.MISS


@dataclass(frozen=True)
class Asked:
    """A step as far as its time goes."""

    stage: str
    step: int
    instruction: str
    text: str


PACKAGE = Asked("builder", 6, "RUN", "RUN mvn package")


@pytest.fixture
def times(tmp_path: Path) -> StepTimes:
    return recorded_times(java(noise=0.0).write(tmp_path / "run"))


def test_the_very_instruction_gives_its_median(times: StepTimes) -> None:
    assert times.seconds(EDIT, PACKAGE, MISS) == (2.5, Source.RECORDED)
    assert times.seconds(EDIT, PACKAGE, HIT) == (0.001, Source.RECORDED)


def test_a_variant_that_was_not_recorded_takes_another_one_s_time(times: StepTimes) -> None:
    unknown = replace(EDIT, variant="copy-all")

    assert times.seconds(unknown, PACKAGE, MISS) == (2.5, Source.RECORDED)


def test_an_instruction_never_seen_takes_as_long_as_others_of_its_kind(times: StepTimes) -> None:
    seconds, source = times.seconds(EDIT, Asked("x", 9, "RUN", "RUN something else"), MISS)

    assert source is Source.ESTIMATED
    assert 2.5 <= seconds <= 4.0  # between the two RUNs of the recorded run


def test_an_edited_instruction_takes_the_time_of_its_place(tmp_path: Path) -> None:
    """Every build of edit-port has another text; none of them is a median of one."""
    folder = java(noise=0.4).write(tmp_path / "run")
    times = recorded_times(folder)
    port = Moment("as-written", "classic", "change", "edit-port")
    edited = {
        step.text
        for record in read_journal(folder)
        for step in record.steps
        if step.text.startswith("EXPOSE 40")
    }
    assert len(edited) > 5
    found = {times.seconds(port, Asked("1", 4, "EXPOSE", text), MISS) for text in edited}

    assert len(found) == 1
    assert next(iter(found))[1] is Source.ESTIMATED


def test_without_a_recording_a_flat_guess_stands_per_instruction() -> None:
    times = guessed_times()

    assert times.seconds(EDIT, PACKAGE, MISS) == (GUESSED_SECONDS["RUN"], Source.GUESSED)
    assert times.seconds(EDIT, PACKAGE, HIT) == (0.0, Source.GUESSED)
    assert times.outside(EDIT) > 0
    assert not times.artefact_hits(EDIT, PACKAGE)


def test_a_guess_is_scaled_to_the_recorded_machine(tmp_path: Path) -> None:
    """ADD is in no recording; a machine on which COPY and WORKDIR take long takes long for it."""
    slow = tuple((stage, text, seconds * 10) for stage, text, seconds in JAVA)
    plain = recorded_times(java().write(tmp_path / "a"))
    slower = recorded_times(java(variants={"as-written": slow}).write(tmp_path / "b"))
    add = Asked("x", 2, "ADD", "ADD a b")

    assert plain.seconds(EDIT, add, MISS)[1] is Source.GUESSED
    assert slower.seconds(EDIT, add, MISS)[0] > 5 * plain.seconds(EDIT, add, MISS)[0]


def test_failed_builds_give_no_times(tmp_path: Path) -> None:
    folder = java(
        builders=("classic",), broken={("as-written", "edit-source"): BuildOutcome.FAILED}
    ).write(tmp_path / "run")
    whole = [one for one in read_journal(folder) if one.outcome is BuildOutcome.OK]

    assert recorded_times(folder) == times_of(read_run(folder), whole)


def test_the_reference_run_says_what_artefacts_did() -> None:
    times = recorded_times(REFERENCE)
    jar = "COPY --from=builder /usr/src/iotd/target/iotd-service-0.1.0.jar ."

    assert not times.artefact_hits(EDIT, Asked("1", 3, "COPY", jar))
    control = Moment("as-written", "classic", "control")
    assert times.artefact_hits(control, Asked("1", 3, "COPY", jar))


def test_a_folder_that_is_no_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(RecordsError, match=str(tmp_path)):
        recorded_times(tmp_path)
