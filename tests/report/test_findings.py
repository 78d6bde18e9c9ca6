"""Predictions that were wrong are findings, and every chain of misses has its reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.dataset import load_dataset
from bench.report.answer import answer
from bench.report.findings import predictions_section, reasons_section
from bench.report.reasons import root_causes
from bench.report.summary import as_document
from tests.report.factory import ENGINE, JAVA, java

if TYPE_CHECKING:
    from pathlib import Path

    from bench.dataset import Dataset

WRONG = {("as-written", "edit-source"): 4}
SETTINGS = {"rounds": 2, "builders": ("classic",), "predicted": True}


def dataset(folder: Path, **settings: object) -> Dataset:
    return load_dataset([java(**{**SETTINGS, **settings}).write(folder)])


def test_a_wrong_prediction_is_a_finding_of_the_answer(tmp_path: Path) -> None:
    found = answer(dataset(tmp_path, wrong=WRONG))

    remarks = [remark for remark in found.remarks if "Against the prediction" in remark]
    assert remarks == [
        "Against the prediction: as-written on classic (20.10.24 graphdriver), edit-source: "
        "step 5 of builder, COPY . . was predicted hit and observed miss, in 2 builds."
    ]
    [first, second] = as_document([found])["answers"][0]["disagreements"]
    assert (first["predicted"], first["observed"], first["step"]) == ("hit", "miss", 5)
    assert first["build"] != second["build"]


def test_the_document_counts_and_names_wrong_predictions(tmp_path: Path) -> None:
    text = predictions_section(dataset(tmp_path, wrong=WRONG))

    steps = len(JAVA) - 2  # FROM is not at stake
    builds = 2 * (1 + 2 * (1 + 4))
    assert f"{steps * builds - 2} of {steps * builds} agree" in text
    assert "**Finding:** 2 steps did other than the model had said" in text
    assert "step 5 of builder, `COPY . .`, was predicted **hit** and observed **miss**" in text


def test_without_a_wrong_prediction_there_is_no_finding(tmp_path: Path) -> None:
    made = dataset(tmp_path)

    assert "Finding" not in predictions_section(made)
    assert answer(made).remarks == ()
    assert answer(made).predictions is not None


def test_runs_of_older_versions_are_reported_without_a_word_on_predictions(tmp_path: Path) -> None:
    old = dataset(tmp_path, predicted=False)

    assert predictions_section(old) == ""
    assert reasons_section(old) == ""
    assert root_causes(old) == []
    assert answer(old).predictions is None


def test_runs_with_and_without_predictions_are_counted_apart(tmp_path: Path) -> None:
    """An older run beside a newer one adds nothing to the count."""
    newer = java(**SETTINGS).write(tmp_path / "a")
    older = java(**{**SETTINGS, "predicted": False, "run": "run-2"}).write(tmp_path / "b")

    alone = answer(load_dataset([newer]))
    assert answer(load_dataset([newer, older])).predictions == alone.predictions


def test_a_simulated_run_proves_nothing_of_the_model(tmp_path: Path) -> None:
    engine = {**ENGINE, "version": "simulated 20.10.24"}
    made = dataset(
        tmp_path,
        builders=("simulated-classic",),
        engine=engine,
        extra={"simulation": {"times_run": "run-0"}},
    )

    assert predictions_section(made) == ""
    assert answer(made).predictions is None
    assert reasons_section(made) != ""


def test_the_root_of_every_chain_of_misses_is_named_with_what_it_took_along(
    tmp_path: Path,
) -> None:
    made = dataset(tmp_path)

    causes = {(one.variant, one.change, one.stage): one for one in root_causes(made)}
    source = causes["as-written", "edit-source", "builder"]
    assert (source.step, source.text, source.reason) == (5, "COPY . .", "file-content")
    assert (source.detail, source.followers) == ("src/App.java changed", (1, 1))
    assert (source.builds, source.of) == (2, 2)
    assert causes["as-written", "edit-source", "1"].followers == (2, 2)
    assert ("as-written", "none", "builder") not in causes
    text = reasons_section(made)
    row = next(line for line in text.splitlines() if "edit-source" in line and "as-written" in line)
    assert "| builder, step 5: `COPY . .` | file-content: src/App.java changed | 1 | 2 |" in row
    assert "stage 1, step 3" in text
