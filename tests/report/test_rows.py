"""Steps stay on the row of their instruction, whatever a change does to the Dockerfile."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bench.builders.protocol import Step, StepOutcome
from bench.dataset import load_dataset
from bench.journal import Journal
from bench.report.compare import Setup
from bench.report.rows import edited_by, moved, outcomes, rows_of, same_instructions
from tests.report.factory import JAVA, java

if TYPE_CHECKING:
    from pathlib import Path

CLASSIC = Setup("classic", "20.10.24 graphdriver")


def test_rows_come_in_the_order_of_each_dockerfile(tmp_path: Path) -> None:
    rows = rows_of(load_dataset([java().write(tmp_path)]), CLASSIC)
    assert [row.text for row in rows["as-written"]] == [text for _, text, _ in JAVA]
    assert rows["metadata-first"][7].text == "EXPOSE 80"
    assert rows["metadata-first"][7].step == 2


def test_a_line_with_another_text_is_the_same_row(tmp_path: Path) -> None:
    cells = outcomes(load_dataset([java().write(tmp_path)]), CLASSIC)
    port = cells[(cells["change"] == "edit-port") & (cells["variant"] == "as-written")]
    assert len(port) == len(JAVA)
    assert port.set_index("row")["counts"][9] == {"miss": 3}
    assert port.set_index("row")["seconds"][9] == pytest.approx(0.1, rel=0.1)


def test_a_line_that_a_change_puts_in_between_shifts_no_row(tmp_path: Path) -> None:
    maker = java(rounds=1, builders=("classic",))
    folder = tmp_path / "run"
    records = maker.records()
    maker.write(folder)
    (folder / "journal.jsonl").unlink()
    journal = Journal(folder)
    for record in records:
        if (record.variant, record.change) == ("as-written", "edit-port"):
            label = Step("1", 1, 2, 9, "LABEL", "LABEL a=b", StepOutcome.MISS, 0.1, 0.1)
            record = type(record)(
                **{**record.__dict__, "steps": (*record.steps[:7], label, *record.steps[7:])}
            )
        journal.append(record)
    cells = outcomes(load_dataset([folder]), CLASSIC)
    port = cells[(cells["change"] == "edit-port") & (cells["variant"] == "as-written")]

    expected = ["base", *["hit"] * 5, "base", "hit", "hit", "miss", "miss"]
    assert list(port["row"]) == list(range(len(JAVA)))
    assert list(port["counts"]) == [{outcome: 1} for outcome in expected]


def test_outcomes_that_change_from_round_to_round_are_all_counted(tmp_path: Path) -> None:
    one = java(rounds=2).write(tmp_path / "a")
    two = java(run="run-2", rounds=1, misses={}).write(tmp_path / "b")
    cells = outcomes(load_dataset([one, two]), CLASSIC)
    source = cells[(cells["change"] == "edit-source") & (cells["variant"] == "as-written")]
    assert source.set_index("row")["counts"][5] == {"miss": 2, "hit": 1}
    assert source.set_index("row")["n"][5] == 3


def test_moved_instructions_are_those_whose_order_turned(tmp_path: Path) -> None:
    rows = rows_of(load_dataset([java().write(tmp_path)]), CLASSIC)
    baseline, variant = rows["as-written"], rows["metadata-first"]
    assert moved(baseline, variant) == {text for _, text, _ in JAVA[7:]}
    assert moved(baseline, baseline) == set()
    assert same_instructions(baseline, variant)
    assert not same_instructions(baseline, variant[:-1])


def test_a_change_that_edits_the_dockerfile_is_told_by_the_lines_it_replaces(
    tmp_path: Path,
) -> None:
    dataset = load_dataset([java().write(tmp_path)])
    assert edited_by(dataset, CLASSIC, "as-written") == {"edit-port": {"EXPOSE 80"}}
