"""Whatever is made of simulated builds says so, and no conclusion is drawn from their seconds."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from click.testing import CliRunner

from bench.builders.names import SIMULATED_BUILDERS
from bench.cli.report import report
from bench.dataset import load_dataset
from bench.report.answer import answer
from bench.report.charts import charts
from bench.report.document import document
from bench.report.sheet import drawing
from bench.runner import make_settings, run_scenario
from bench.simulation import SimulatedSite, recorded_times
from bench.stats import Finding
from tests.report.factory import java
from tests.runner.scenarios import small_scenario

if TYPE_CHECKING:
    from pathlib import Path


def simulated_run(folder: Path) -> Path:
    """Run the small scenario on a simulated engine with the times of a synthetic run."""
    times = recorded_times(java(rounds=1).write(folder / "recorded"))
    scenario = small_scenario(folder / "small", "alpine")
    settings = make_settings(
        scenario, builders=SIMULATED_BUILDERS, changes=["edit-source", "edit-port"], rounds=2
    )
    run_scenario(scenario, settings, SimulatedSite(times), folder / "run")
    return folder / "run"


def test_every_chart_says_simulated_in_title_and_footer(tmp_path: Path) -> None:
    dataset = load_dataset([simulated_run(tmp_path)])
    with drawing():
        made = list(charts(dataset, "A title"))

    assert len(made) >= 6
    for chart in made:
        assert chart.title.startswith("SIMULATED: simulated-")
        assert "simulated-" in chart.stem
        written = " ".join(text.get_text() for text in chart.figure.axes[0].texts)
        assert written.startswith("SIMULATED: A title")
        assert "builder simulated-" in written
        assert "Docker Engine simulated 20.10.24" in written
        assert "simulated, not built" in written
        assert "medians of the recorded run run-1" in written


def test_the_document_is_marked_and_its_answers_conclude_nothing_from_seconds(
    tmp_path: Path,
) -> None:
    dataset = load_dataset([simulated_run(tmp_path)])
    found = answer(dataset)

    for verdict in found.verdicts:
        assert verdict.sentence.startswith("SIMULATED: On simulated-")
        assert verdict.finding is Finding.UNCLEAR
        assert "only real ones tell" in verdict.sentence
    text = document(dataset, found, [])
    assert text.startswith("# SIMULATED: A small one")
    assert "### SIMULATED: simulated-classic" in text
    assert "no build was made" in text
    assert "The interval of a median" not in text
    assert "**not used**: the run is simulated" in text
    assert not re.search(r"\d+% interval", text)


def test_real_and_simulated_runs_stand_side_by_side_and_are_told_apart(tmp_path: Path) -> None:
    real = java(rounds=2).write(tmp_path / "real")
    engine = {"version": "simulated 20.10.24", "image_store": "graphdriver"}
    simulated = java(
        rounds=2,
        run="run-2",
        engine=engine,
        builders=SIMULATED_BUILDERS,
        extra={"simulation": {"times_run": "run-1"}},
    ).write(tmp_path / "simulated")

    alone = answer(load_dataset([real]))
    both = answer(load_dataset([real, simulated]))

    measured = [one for one in both.comparisons if one.setup in alone.setups]
    assert tuple(measured) == alone.comparisons
    assert len(both.comparisons) == 2 * len(measured)
    assert "never put into one figure" in " ".join(both.remarks)
    text = document(load_dataset([real, simulated]), both, [])
    assert text.startswith("# Java")
    assert "The interval of a median" in text
    assert "Figures of simulated builders were not measured" in text


def test_bench_report_prints_that_it_is_simulated(tmp_path: Path) -> None:
    made = CliRunner().invoke(report, [str(simulated_run(tmp_path))], catch_exceptions=False)

    said = " ".join(made.stdout.split())
    assert "SIMULATED: metadata-first against as-written: simulated-classic" in said
    assert "! SIMULATED: no build was made" in said
    assert "predictions:" not in said
