"""The report of a replay: sums, root causes and commits in words, one chart per builder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bench.builders.names import SIMULATED_BUILDERS
from bench.dataset import Dataset, load_dataset
from bench.replaying import Wanted, replay, survey
from bench.report import replay_chart, write_report
from bench.report.charts import charts
from bench.report.replaying import summarise_replay
from bench.report.sheet import drawing
from bench.simulation import SimulatedSite, guessed_times
from tests.commits.repositories import Repo
from tests.report.factory import java
from tests.report.layout import problems

if TYPE_CHECKING:
    from pathlib import Path

DOCKERFILE = """\
FROM alpine AS build
COPY list .
RUN cat list > deps
COPY . .
RUN cat deps > out
FROM alpine
COPY --from=build /out /
EXPOSE 80
"""


def run_of(tmp_path: Path, edits: int, builders: tuple[str, ...] = SIMULATED_BUILDERS) -> Path:
    """Replay a repository with a merge, a commit that breaks, and ``edits`` edits of one file."""
    repo = Repo(tmp_path / "shop")
    repo.commit("Begin", {"Dockerfile": DOCKERFILE, "list": "1", "src/a": "1"})
    for number in range(edits):
        repo.commit(f"Edit *number* {number} | in many words, more than there is room for",
                    {"src/a": f"{number + 2}"})  # fmt: skip
    repo.commit("Broken", {"Dockerfile": "NONSENSE\n"})
    repo.commit("List", {"Dockerfile": DOCKERFILE, "list": "2"})
    better = tmp_path / "better.Dockerfile"
    better.write_text(DOCKERFILE.replace("COPY . .", "COPY src src"))
    wanted = Wanted(commits=edits + 3, dockerfiles=(repo.folder / "Dockerfile", better))
    folder = tmp_path / "run"
    source = survey(repo.folder, wanted)
    replay(source, SimulatedSite(guessed_times()), folder, builders=builders)
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return run_of(tmp_path, 4)


def figures_problems(dataset: Dataset) -> list[str]:
    with drawing():
        return [line for chart in charts(dataset, "A title") for line in problems(chart.figure)]


def test_a_step_that_takes_from_another_stage_counts_with_the_cause_there(folder: Path) -> None:
    summary = summarise_replay(load_dataset([folder]))
    assert summary is not None
    setup = summary.totals[0].setup
    assert "buildkit" in setup.builder
    own = [one for one in summary.causes if (one.setup, one.variant) == (setup, "dockerfile")]

    assert [(one.text, one.files, one.commits, one.misses) for one in own] == [
        ("COPY . .", (("src/a", 4),), 4, 4 * 3),
        ("COPY list .", (("list", 1),), 1, 5),
    ]


def test_every_miss_of_the_commits_summed_up_has_one_root(folder: Path) -> None:
    summary = summarise_replay(load_dataset([folder]))
    assert summary is not None
    for total in summary.totals:
        key = (total.setup, total.variant)
        causes = [one for one in summary.causes if (one.setup, one.variant) == key]
        assert sum(one.misses for one in causes) == total.scored - total.hits > 0
        assert total.commits == 5


def test_the_document_holds_sums_causes_commits_and_failures(folder: Path) -> None:
    paths = write_report([folder], folder / "report")
    text = paths.documents[0].read_text()

    assert text.startswith("# SIMULATED: Replay of shop: 7 commits")
    assert "5 rebuilds, " in text
    assert "Edit \\*number\\* 0 \\| in" in text
    assert "file-content: src/a (4)" in text
    assert "nor is a commit that some Dockerfile did not build" in text
    assert "| failed |" in text
    assert "2 builds failed or timed out" in text
    assert {path.name for path in paths.charts} == {
        f"replay-{builder}.{ending}" for builder in SIMULATED_BUILDERS for ending in ("png", "svg")
    }
    (answer,) = paths.answers
    assert answer.replay is not None
    assert answer.verdicts == ()


@pytest.mark.parametrize("edits", [0, 4, 33])
def test_nothing_on_the_chart_is_cut_or_overlaps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, edits: int
) -> None:
    monkeypatch.setattr(replay_chart, "_LABELS_SHOWN", 20)
    folder = run_of(tmp_path, edits, SIMULATED_BUILDERS[:1])

    assert figures_problems(load_dataset([folder])) == []


def test_a_run_of_a_scenario_is_reported_as_before(tmp_path: Path) -> None:
    dataset = load_dataset([java(rounds=1).write(tmp_path / "run")])

    assert summarise_replay(dataset) is None
