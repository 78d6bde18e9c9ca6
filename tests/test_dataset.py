"""Run folders become tidy tables, whole and with the columns the records promise."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from bench.builders.protocol import BuildOutcome
from bench.dataset import (
    BUILD_COLUMNS,
    NOISE_COLUMNS,
    STAGE_COLUMNS,
    STEP_COLUMNS,
    load_dataset,
    read_run,
    read_tables,
    write_tables,
)
from bench.dataset.predictions import count_predictions
from bench.errors import RecordsError, UsageError
from tests.report.factory import ENGINE, JAVA, java

if TYPE_CHECKING:
    from pathlib import Path

DESIGNED_BUILDS = (
    "run, scenario, variant, builder, round, position, phase, change, outcome, wall_seconds, "
    "context_seconds, context_bytes, hits, misses, image_id, image_bytes, new_layer_bytes, "
    "started_at"
)
DESIGNED_STEPS = (
    "run, build, scenario, variant, builder, round, phase, change, stage, stage_index, step, line, "
    "instruction, text, outcome, seconds, offset_seconds, reason, reason_detail, predicted"
)
DESIGNED_STAGES = (
    "run, build, scenario, variant, builder, round, phase, change, stage, stage_index, "
    "busy_seconds, span_seconds, critical_seconds, hits, misses"
)


def test_the_columns_are_those_of_the_design_then_noise_and_what_joins_and_merges() -> None:
    assert ", ".join(BUILD_COLUMNS) == ", ".join([DESIGNED_BUILDS, *NOISE_COLUMNS, "build, engine"])
    assert ", ".join(STEP_COLUMNS) == f"{DESIGNED_STEPS}, engine"
    assert ", ".join(STAGE_COLUMNS) == f"{DESIGNED_STAGES}, engine"


def test_every_build_step_and_stage_is_one_row(tmp_path: Path) -> None:
    maker = java()
    records = maker.records()
    tables = load_dataset([maker.write(tmp_path)]).tables

    assert len(tables.builds) == len(records)
    assert len(tables.steps) == sum(len(record.steps) for record in records)
    assert len(tables.stages) == sum(len(record.stages) for record in records)
    first = tables.steps.iloc[3]
    assert (first["stage"], first["step"], first["text"]) == ("builder", 4, JAVA[3][1])
    assert tables.steps["predicted"].isna().all()
    assert set(tables.builds["engine"]) == {"20.10.24 graphdriver"}


def test_tables_read_back_equal_what_was_written(tmp_path: Path) -> None:
    """Names that look like missing values, quotes, line ends and Korean text all survive."""
    names = ["NA", "None", 'say "hi", $x\nnext', "자바", "tab\tand\rreturn"]
    maker = java(
        variants={name: (("", f"ARG {name}", 0.0), *JAVA) for name in names},
        broken={("None", "edit-source"): BuildOutcome.FAILED},
        extra={},
    )
    tables = load_dataset([maker.write(tmp_path / "run")]).tables
    written = write_tables(tables, tmp_path / "out")
    again = read_tables(tmp_path / "out")

    assert [path.name for path in written] == ["builds.csv", "steps.csv", "stages.csv"]
    for (_, before), (_, after) in zip(tables.named(), again.named(), strict=True):
        pd.testing.assert_frame_equal(before, after)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(
        path.name for path in written
    )


def test_only_whole_rebuilds_after_a_change_are_scored(tmp_path: Path) -> None:
    maker = java(
        broken={("as-written", "edit-pom"): BuildOutcome.FAILED},
        extra={"excluded": [{"build": 6, "reason": "the change did not arrive"}, "a remark"]},
    )
    excluded = maker.records()[6]
    dataset = load_dataset([maker.write(tmp_path)])

    scored = dataset.scored
    assert set(scored["phase"]) == {"change"}
    assert set(scored["outcome"]) == {"ok"}
    assert excluded.phase == "change"
    assert 6 not in set(scored["build"])
    assert {failure.change for failure in dataset.failures} == {"edit-pom"}
    assert dataset.failures[0].error == "RUN mvn package: exit code 1"


def test_runs_of_unlike_engines_are_kept_apart(tmp_path: Path) -> None:
    modern = {**ENGINE, "version": "28.5.1", "image_store": "containerd"}
    slower = {**ENGINE, "cpus": 1}
    dataset = load_dataset(
        [
            java().write(tmp_path / "a"),
            java(run="run-2", engine=modern).write(tmp_path / "b"),
            java(run="run-3", engine=slower).write(tmp_path / "c"),
        ]
    )

    assert dataset.engines == {
        "run-1": "20.10.24 graphdriver (cpus 2)",
        "run-2": "28.5.1 containerd",
        "run-3": "20.10.24 graphdriver (cpus 1)",
    }
    assert set(dataset.of_scenario("java-iotd").tables.builds["engine"]) == set(
        dataset.engines.values()
    )


def test_one_variant_name_for_two_dockerfiles_is_refused(tmp_path: Path) -> None:
    one = java().write(tmp_path / "a")
    two = java(run="run-2", variants={"as-written": JAVA[:-1]}, extra={}).write(tmp_path / "b")
    with pytest.raises(UsageError, match="as-written of java-iotd has another Dockerfile"):
        load_dataset([one, two])
    with pytest.raises(UsageError, match="already read"):
        load_dataset([one, one])


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda run: (run / "run.json").unlink(), "it has no run.json"),
        (lambda run: (run / "run.json").write_text("{"), "not the head of a run"),
        (lambda run: (run / "run.json").write_text('{"run": "x"}'), "baseline: Field required"),
        (lambda run: (run / "journal.jsonl").unlink(), "cannot read the journal"),
        (lambda run: (run / "journal.jsonl").write_text(""), "no builds yet"),
        (lambda run: (run / "journal.jsonl").write_text("{}\n"), "not a build record"),
    ],
)
def test_a_folder_that_is_no_whole_run_is_named_with_a_remedy(
    tmp_path: Path, spoil: object, message: str
) -> None:
    folder = java().write(tmp_path / "run")
    spoil(folder)  # type: ignore[operator]
    with pytest.raises(RecordsError, match=re.escape(message)) as caught:
        load_dataset([folder])
    assert str(folder) in caught.value.message
    assert caught.value.remedy


def test_a_missing_folder_and_a_later_format_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordsError, match="no such folder"):
        read_run(tmp_path / "nowhere")
    folder = java().write(tmp_path / "run")
    head = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps({**head, "format": 2, "new key": 1}))
    with pytest.raises(RecordsError, match="format 2"):
        read_run(folder)


def test_a_folder_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    tables = load_dataset([java().write(tmp_path / "run")]).tables
    (tmp_path / "file").write_text("")
    with pytest.raises(RecordsError, match="cannot write"):
        write_tables(tables, tmp_path / "file" / "out")


def test_a_torn_last_line_is_dropped(tmp_path: Path) -> None:
    folder = java().write(tmp_path)
    journal = folder / "journal.jsonl"
    whole = len(load_dataset([folder]).tables.builds)
    journal.write_bytes(journal.read_bytes()[:-20])
    assert len(load_dataset([folder]).tables.builds) == whole - 1


def test_predictions_are_counted_per_run_and_wrong_ones_kept_with_their_engine(
    tmp_path: Path,
) -> None:
    wrong = {("as-written", "edit-source"): 4}
    new = java(predicted=True, wrong=wrong, rounds=1).write(tmp_path / "new")
    old = java(run="run-2", rounds=1).write(tmp_path / "old")
    dataset = load_dataset([new, old])

    assert set(dataset.predictions) == {"run-1"}
    counts = dataset.predictions["run-1"]
    assert counts.compared - counts.agreed == len(dataset.disagreements) == 2
    assert {(one.run, one.engine, one.builder) for one in dataset.disagreements} == {
        ("run-1", "20.10.24 graphdriver", "classic"),
        ("run-1", "20.10.24 graphdriver", "buildkit"),
    }
    steps = dataset.tables.steps
    assert steps.loc[steps["run"] == "run-1", "predicted"].notna().all()
    assert steps.loc[steps["run"] == "run-2", "predicted"].isna().all()
    assert dataset.of_scenario("another").predictions == {}


def test_steps_that_a_failed_build_never_came_to_are_not_compared() -> None:
    whole = java(predicted=True, rounds=1, builders=("classic",))
    broken = java(
        predicted=True,
        rounds=1,
        builders=("classic",),
        broken={("as-written", "edit-source"): BuildOutcome.FAILED},
    )

    all_steps = count_predictions(whole.records())
    fewer = count_predictions(broken.records())

    assert all_steps is not None
    assert fewer is not None
    assert all_steps.compared - fewer.compared == 5  # half of the Dockerfile, FROM left out
    assert fewer.agreed == fewer.compared


def test_a_step_of_which_nothing_was_said_is_not_predicted() -> None:
    """A run of an older version that was resumed holds both kinds of builds."""
    [first, *rest] = java(predicted=True, rounds=1, builders=("classic",)).records()
    silent = replace(first, steps=tuple(replace(step, predicted=None) for step in first.steps))

    counts = count_predictions([silent, *rest])

    assert counts is not None
    assert counts.unknown == 9
    assert count_predictions([silent]) is None
