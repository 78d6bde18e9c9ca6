"""A replay from end to end: its builds, its records, how it goes on after an interruption."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bench.builders.names import SIMULATED_BUILDERS
from bench.builders.protocol import BuildOutcome, StepOutcome
from bench.dataset import load_dataset, read_run
from bench.errors import UsageError
from bench.explain.recorded import Chosen, explain_run
from bench.journal import JOURNAL_NAME, read_journal
from bench.replaying import Wanted, read_replay, replay, resume_replay, survey
from bench.report.replaying import summarise_replay
from bench.runner import EngineSite, Silent, read_head
from bench.simulation import SimulatedSite, guessed_times
from tests.replaying.conftest import make_six

if TYPE_CHECKING:
    from pathlib import Path

    import docker

    from bench.journal import BuildRecord
    from bench.report.replaying import ReplaySummary
    from bench.runner import RunResult
    from bench.runner.plan import PlannedBuild
    from tests.commits.repositories import Repo

MISSES = {
    "Write": [],
    "Edit a": ["COPY src/ src/", "RUN cat src/* > out"],
    "Merge side": ["COPY list.txt .", "RUN cat list.txt > deps", "COPY src/ src/", "RUN cat src/"],
    "Other command": ["RUN cat src/* > end"],
    "Back to the beginning": [],
}
"""The steps that miss after each commit, on either builder; all that was built before hits."""
CAUSES = {
    ("COPY src/ src/", "file-content", ("src/a",), 1, 2),
    ("COPY list.txt .", "file-content", ("list.txt",), 1, 4),
    ("RUN cat src/* > end", "instruction-text", (), 1, 1),
}
"""Step, reason, files, commits, and steps missed because of it."""


def simulate(source_repo: Repo, folder: Path, **options: object) -> RunResult:
    source = survey(source_repo.folder, Wanted(**options))  # type: ignore[arg-type]  # shorthand
    return replay(source, SimulatedSite(guessed_times()), folder, builders=SIMULATED_BUILDERS)


def missed(record: BuildRecord) -> list[str]:
    return [step.text for step in record.steps if step.outcome is StepOutcome.MISS]


def titles(folder: Path) -> dict[str, str]:
    """Return the subject of each commit by its name in the records."""
    info = read_run(folder).replay
    assert info is not None
    return {one.change: one.title.partition(" ")[2] for one in info.commits}


def summary_of(folder: Path) -> ReplaySummary:
    summary = summarise_replay(load_dataset([folder]))
    assert summary is not None
    return summary


def check_six(folder: Path, builders: tuple[str, ...]) -> None:
    """Hold a replay of the six commits against what is spelled out above."""
    subjects = titles(folder)
    records = list(read_journal(folder))
    assert len(records) == 6 * len(builders)
    for record in records:
        subject = subjects[record.change]
        assert record.outcome is BuildOutcome.OK
        if subject == "Begin":
            assert (record.phase, record.hits) == ("cold", 0)
            continue
        assert record.phase == "change"
        expected = MISSES[subject]
        assert len(missed(record)) == len(expected), (subject, record.builder)
        for text, wanted in zip(missed(record), expected, strict=True):
            assert text.startswith(wanted)
        assert record.hits + record.misses == 5
    summary = summary_of(folder)
    for total in summary.totals:
        assert (total.commits, total.hits, total.scored, total.failed) == (5, 18, 25, 0)
        causes = {
            (one.text, one.reason, tuple(path for path, _ in one.files), one.commits, one.misses)
            for one in summary.causes
            if one.setup == total.setup
        }
        assert causes == CAUSES
    by_subject = {subjects[record.change]: record.changed_paths for record in records}
    assert by_subject["Begin"] == ()
    assert by_subject["Write"] == ("README",)
    assert by_subject["Merge side"] == ("list.txt", "src/b")


def test_a_simulated_replay_does_what_is_spelled_out(six: Repo, tmp_path: Path) -> None:
    result = simulate(six, tmp_path / "out")

    assert result.complete
    check_six(tmp_path / "out", SIMULATED_BUILDERS)


@pytest.mark.engine
def test_a_real_replay_does_what_is_spelled_out(
    engine_client: docker.DockerClient, default_busybox_image: str, tmp_path: Path
) -> None:
    repo = make_six(tmp_path / "shop", default_busybox_image)
    source = survey(repo.folder, Wanted(commits=6))
    images = {image.id for image in engine_client.images.list()}
    out = tmp_path / "out"
    result = replay(source, EngineSite(engine_client), out, builders=("classic", "buildkit"))

    check_six(out, ("classic", "buildkit"))
    assert result.disagreements == ()
    assert result.predictions is not None
    assert result.predictions.agreed == result.predictions.compared > 50
    assert result.left_behind == []
    assert {image.id for image in engine_client.images.list()} == images
    assert repo.git("status", "--porcelain") == ""


def test_a_commit_that_does_not_build_is_a_failed_record_and_the_rest_goes_on(
    six: Repo, tmp_path: Path
) -> None:
    good = (six.folder / "Dockerfile").read_text()
    six.commit("Broken", {"Dockerfile": "FROM alpine\nNONSENSE x\n"})
    (six.folder / "Dockerfile").unlink()
    six.commit("Gone")
    six.commit("Mended", {"Dockerfile": good, "src/a": "9\n"})
    result = simulate(six, tmp_path / "out", commits=4)
    subjects = titles(tmp_path / "out")
    found = {subjects[one.change]: one for one in read_journal(tmp_path / "out")}

    assert [subjects[one.change] for one in result.failed] == ["Broken", "Broken", "Gone", "Gone"]
    assert "NONSENSE" in found["Broken"].error or "unknown instruction" in found["Broken"].error
    assert found["Gone"].error == "Dockerfile is not in this commit"
    assert missed(found["Mended"]) == ["COPY src/ src/", "RUN cat src/* > out"]
    totals = summary_of(tmp_path / "out").totals
    assert [(one.commits, one.failed) for one in totals] == [(1, 2), (1, 2)]


def test_builds_are_cold_until_one_commit_was_built(six: Repo, tmp_path: Path) -> None:
    good = (six.folder / "Dockerfile").read_text()
    six.commit("Broken", {"Dockerfile": "NONSENSE\n"})
    six.commit("Mended", {"Dockerfile": good})
    six.commit("Edit", {"src/a": "9\n"})
    simulate(six, tmp_path / "out", commits=3)
    records = [one for one in read_journal(tmp_path / "out") if "buildkit" in one.builder]

    assert [one.phase for one in records] == ["cold", "cold", "change"]


@pytest.mark.engine
def test_an_image_that_is_nowhere_fails_only_the_commits_that_need_it(
    engine_client: docker.DockerClient, default_busybox_image: str, tmp_path: Path
) -> None:
    repo = make_six(tmp_path / "shop", default_busybox_image)
    repo.commit("Lost base", {"Dockerfile": "FROM localhost:1/nowhere:1\nCOPY . .\n"})
    source = survey(repo.folder, Wanted(commits=2))
    out = tmp_path / "out"
    result = replay(source, EngineSite(engine_client), out, builders=("buildkit",))

    (failed,) = result.failed
    assert "localhost:1/nowhere:1" in failed.error
    assert len(result.records) == 2


class _Stopping(Silent):
    """Interrupts a replay when its tenth build is to begin, as Ctrl-C does."""

    def starting(self, planned: PlannedBuild, done: int, total: int) -> None:
        del planned, total
        if done == 9:
            raise KeyboardInterrupt


def test_a_resumed_replay_builds_what_is_missing_on_caches_filled_again(
    six: Repo, tmp_path: Path
) -> None:
    source = survey(six.folder, Wanted())
    site = SimulatedSite(guessed_times())
    out = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        replay(source, site, out, builders=SIMULATED_BUILDERS, observer=_Stopping())
    assert read_head(out)["state"] == "interrupted"
    assert len(list(read_journal(out))) == 9
    six.commit("Later", {"src/a": "99\n"})
    result = resume_replay(SimulatedSite(guessed_times()), out)

    assert result.complete
    records = list(read_journal(out))
    subjects = titles(out)
    warmups = [subjects[one.change] for one in records if one.phase == "warmup"]
    # Commits that hit everywhere had put nothing into the cache.
    assert "Write" not in warmups
    assert warmups.count("Begin") == 2
    measured = [one for one in records if one.phase != "warmup"]
    assert len(measured) == 12
    for record in measured:
        expected = MISSES.get(subjects[record.change])
        if expected is not None:
            assert len(missed(record)) == len(expected)


def test_a_run_of_a_scenario_is_no_replay(six: Repo, tmp_path: Path) -> None:
    simulate(six, tmp_path / "out")
    head = (tmp_path / "out/run.json").read_text()
    (tmp_path / "out/run.json").write_text(head.replace('"replay": {', '"other": {'))

    with pytest.raises(UsageError, match="bench run --resume"):
        read_replay(tmp_path / "out")


def test_lost_commits_and_a_lost_repository_are_told(six: Repo, tmp_path: Path) -> None:
    simulate(six, tmp_path / "out")
    (tmp_path / "out" / JOURNAL_NAME).unlink()
    six.folder.rename(tmp_path / "moved")
    with pytest.raises(UsageError, match="put it back where it was"):
        read_replay(tmp_path / "out")


def test_two_dockerfiles_are_compared_on_the_commits_that_both_built(
    six: Repo, tmp_path: Path
) -> None:
    better = tmp_path / "better.Dockerfile"
    better.write_text("FROM alpine\nWORKDIR /src\nCOPY src/ src/\nRUN cat src/* > out\n")
    dockerfiles = (six.folder / "Dockerfile", better)
    simulate(six, tmp_path / "out", dockerfiles=dockerfiles)
    totals = summary_of(tmp_path / "out").totals

    assert [(one.setup.builder, one.variant) for one in totals[:2]] == [
        (totals[0].setup.builder, "dockerfile"),
        (totals[0].setup.builder, "better-dockerfile"),
    ]
    baseline, other = totals[:2]
    assert baseline.saved_seconds is None
    assert other.saved_seconds == pytest.approx(baseline.seconds - other.seconds)
    assert (other.hits, other.scored) == (11, 15)


def test_the_records_are_explained_as_those_of_any_run(six: Repo, tmp_path: Path) -> None:
    simulate(six, tmp_path / "out")
    explanation = explain_run(tmp_path / "out", Chosen())

    said = {sentence.text for build in explanation.builds for sentence in build.sentences()}
    assert any("src/a changed" in text for text in said)
