"""The summary: every step is counted once, in the right place, with its denominator."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from bench.cache_model import StepPlace
from tests.conformance.case import Case
from tests.conformance.harness import BuildResult, CaseResult, StepResult
from tests.conformance.summary import Summary, markdown, write
from tests.conformance.targets import Target

if TYPE_CHECKING:
    from pathlib import Path

TARGET = Target("debian-12", "20.10.24+dfsg1", "graphdriver", "buildkit")


def step(
    number: int,
    predicted: str,
    observed: str,
    *features: str,
    differs: bool = False,
    excluded: str | None = None,
) -> StepResult:
    place = StepPlace(0, number)
    return StepResult(f"step {number}", place, features, predicted, observed, differs, excluded)


def result(*builds: BuildResult) -> CaseResult:
    return CaseResult(Case("a-case", ()), builds)


def summary() -> Summary:
    first = BuildResult(
        "first build",
        (
            step(1, "base", "base", "FROM"),
            step(2, "miss", "miss", "COPY", "COPY --from"),
            step(3, "depends", "hit", "COPY"),
            step(4, "hit", "miss", "RUN", differs=True),
            step(5, "hit", "miss", "WORKDIR", excluded="a rule"),
            step(6, "unknown", "miss", "ADD"),
        ),
        1.5,
    )
    second = BuildResult("content + owner", (step(2, "merged", "merged", "COPY"),), 0.5)
    failed = BuildResult("mtime", (), 0.25, failure="no such\nfile localhost:1/x:1 there")
    counted = Summary(TARGET, seed=9)
    counted.take(result(first, second))
    counted.take(result(failed))
    return counted


def test_steps_are_counted_by_prediction_and_the_others_apart() -> None:
    counted = summary()
    assert (counted.cases, counted.builds, counted.steps) == (2, 3, 4)
    assert counted.compared == {"miss": 1, "depends": 1, "hit": 1, "merged": 1}
    assert (counted.others, counted.unknown) == (1, 1)
    assert counted.excluded == {"a rule": 1}


def test_failed_builds_are_counted_by_their_error_without_what_differs() -> None:
    assert summary().failed == {"file there": 1}


def test_every_feature_and_every_change_has_its_denominator() -> None:
    document = summary().document()
    assert document["by_feature"]["COPY"] == {"steps": 3, "disagreements": 0}
    assert document["by_feature"]["RUN"] == {"steps": 1, "disagreements": 1}
    assert "WORKDIR" not in document["by_feature"]
    assert document["by_change"] == {
        "content": {"steps": 1, "disagreements": 0},
        "first build": {"steps": 3, "disagreements": 1},
        "owner": {"steps": 1, "disagreements": 0},
    }


def test_a_disagreement_names_case_state_step_and_both_outcomes() -> None:
    assert summary().disagreements == [
        {"case": "a-case", "state": 0, "step": "step 4", "how": "predicted hit, seen miss"}
    ]


def test_an_error_of_the_model_is_a_disagreement() -> None:
    counted = Summary(TARGET, seed=1)
    counted.take(result(BuildResult("first build", (), 0.1, model_error="Traceback\nKeyError: 1")))
    assert len(counted.disagreements) == 1


def test_a_regression_adds_nothing_but_its_disagreements() -> None:
    counted = Summary(TARGET, seed=1)
    bad = BuildResult("first build", (step(2, "hit", "miss", "RUN", differs=True),), 0.1)
    counted.take_regression(result(bad))
    assert (counted.regressions, counted.cases, counted.steps) == (1, 0, 0)
    assert len(counted.disagreements) == 1


def test_the_table_is_made_of_all_files_in_the_folder(tmp_path: Path) -> None:
    write(tmp_path, [summary().document()])
    other = Summary(Target("x", "28.5.2+dfsg4", "containerd", "classic"), seed=2)
    write(tmp_path, [other.document()])
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "README.md",
        "buildkit-20.10.24-graphdriver.json",
        "classic-28.5.2-containerd.json",
    ]
    text = (tmp_path / "README.md").read_text()
    assert "| buildkit | 20.10.24 | graphdriver | 9 | 2 | 3 | 1 | 4 | 1 | 1 | 1 | 1 |" in text
    assert "| classic | 28.5.2 | containerd | 2 | 0 |" in text
    assert "| RUN | 0/1 |  |" in text
    documents = [json.loads(path.read_text()) for path in sorted(tmp_path.glob("*.json"))]
    assert text == markdown(documents)
