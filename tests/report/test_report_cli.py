"""``bench report``: a table for people, JSON for scripts, one clear message when it cannot."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from bench.cli.report import report
from bench.errors import RecordsError, UsageError
from tests.report.factory import ENGINE, java

if TYPE_CHECKING:
    from pathlib import Path


def run(*arguments: object) -> str:
    result = CliRunner().invoke(
        report, [str(argument) for argument in arguments], catch_exceptions=False
    )
    assert result.exit_code == 0
    return result.stdout


def small(folder: Path, **settings: object) -> Path:
    """Write a run of one builder: each chart takes its time."""
    return java(**{"rounds": 2, "builders": ("classic",), **settings}).write(folder)


def test_the_answer_is_printed_with_the_folder_of_charts(tmp_path: Path) -> None:
    printed = run(small(tmp_path / "run"))
    assert "metadata-first against as-written: classic (engine 20.10.24 graphdriver)" in printed
    assert "gains 2 hits on edit-source" in " ".join(printed.split())
    assert f"charts: {tmp_path}/run/report/charts" in printed.replace("\n", "")
    assert (tmp_path / "run/report/report.md").is_file()


def test_json_holds_the_answer_and_the_paths_and_nothing_else(tmp_path: Path) -> None:
    document = json.loads(run(small(tmp_path / "run"), "--json", "--out", tmp_path / "out"))
    assert document["answers"][0]["comparisons"][0]["hits_gained"] == [2, 2]
    assert document["documents"] == [str(tmp_path / "out/report.md")]
    assert not (tmp_path / "run/report").exists()


def test_quiet_prints_only_the_report(tmp_path: Path) -> None:
    printed = run(small(tmp_path / "run"), "--quiet")
    assert printed == f"{tmp_path}/run/report/report.md\n"


def test_two_engines_are_reported_side_by_side_and_apart(tmp_path: Path) -> None:
    modern = {**ENGINE, "version": "28.5.1", "image_store": "containerd"}
    one = small(tmp_path / "a")
    two = small(tmp_path / "b", run="run-2", engine=modern)
    printed = run(one, two, "--out", tmp_path / "out")
    assert "classic (engine 20.10.24 graphdriver)" in printed
    assert "classic (engine 28.5.1 containerd)" in printed
    assert {path.name for path in (tmp_path / "out/charts").glob("heatmap*.png")} == {
        "heatmap-classic-20.10.24-graphdriver.png",
        "heatmap-classic-28.5.1-containerd.png",
    }
    with pytest.raises(UsageError, match="--out"):
        run(one, two)


def test_names_are_never_read_as_markup(tmp_path: Path) -> None:
    printed = run(small(tmp_path / "run", title="[bold]x[/bold] [/nope]"))
    assert "[bold]x[/bold] [/nope]" in printed


def test_a_folder_that_is_no_run_is_one_clear_message(tmp_path: Path) -> None:
    with pytest.raises(RecordsError, match=r"it has no run\.json"):
        run(tmp_path)
    folder = small(tmp_path / "run")
    (folder / "journal.jsonl").write_text("")
    with pytest.raises(RecordsError, match="no builds yet"):
        run(folder)
    assert not (folder / "report").exists()
