"""The journal: whole records, each on the disk before the next build."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from bench.builders.protocol import BuildOutcome, StageTiming, Step, StepOutcome
from bench.errors import RecordsError
from bench.journal import BuildRecord, Disagreement, Journal, read_journal
from bench.noise import Noise

if TYPE_CHECKING:
    from pathlib import Path


def record(number: int = 0) -> BuildRecord:
    return BuildRecord(
        run="r",
        build=number,
        scenario="s",
        variant="v",
        builder="buildkit",
        round=0,
        position=1,
        phase="change",
        change="edit",
        outcome=BuildOutcome.OK,
        wall_seconds=1.25,
        context_seconds=0.5,
        context_bytes=10,
        hits=1,
        misses=0,
        image_id="sha256:0",
        image_bytes=5,
        new_layer_bytes=None,
        started_at="2026-01-01T00:00:00.000+00:00",
        steps=(Step("b", 0, 2, 3, "RUN", "RUN echo '한\n글'", StepOutcome.HIT, 0.5, 0.0),),
        stages=(StageTiming("b", 0, 0.5, 0.5, 0.5, 1, 0),),
        noise=Noise(load_1m=0.5),
        changed_paths=("src/a b.txt", "bad-\udcff-name"),
        log_tail=("one",),
        disagreements=(Disagreement("b", 0, 2, "RUN x", "hit", "miss", "why"),),
    )


def test_a_record_comes_back_as_it_was(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append(record(0))
    journal.append(record(1))

    assert list(read_journal(tmp_path)) == [record(0), record(1)]


def test_a_record_of_a_version_that_predicted_nothing_still_loads(tmp_path: Path) -> None:
    old = json.loads(record(0).to_json())
    del old["disagreements"]
    for name in ("predicted", "reason", "reason_detail"):
        del old["steps"][0][name]
    (tmp_path / "journal.jsonl").write_text(json.dumps(old) + "\n")

    [read] = read_journal(tmp_path)

    assert read.disagreements == ()
    step = read.steps[0]
    assert (step.predicted, step.reason, step.reason_detail) == (None, None, None)


def test_a_torn_last_line_is_dropped_and_cut_off_before_the_next_record(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append(record(0))
    whole = journal.path.read_bytes()
    journal.path.write_bytes(whole + whole[:20])

    assert list(read_journal(tmp_path)) == [record(0)]
    Journal(tmp_path).append(record(1))
    assert list(read_journal(tmp_path)) == [record(0), record(1)]


def test_a_corrupted_line_in_the_middle_is_named(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append(record(0))
    journal.path.write_bytes(b'{"build": 1}\n' + journal.path.read_bytes())

    with pytest.raises(RecordsError, match=r"journal\.jsonl:1: this line is not a build record"):
        list(read_journal(tmp_path))


def test_a_folder_without_a_journal_is_named(tmp_path: Path) -> None:
    with pytest.raises(RecordsError, match="cannot read the journal"):
        list(read_journal(tmp_path))


def test_a_journal_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.path.mkdir()

    with pytest.raises(RecordsError, match="cannot write the record of build 0"):
        journal.append(record())
