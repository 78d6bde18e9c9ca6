"""The misses of a recorded run: which builds, in which groups, with which words."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bench.builders.protocol import BuildOutcome, StepOutcome
from bench.errors import ExitCode, RecordsError, UsageError
from bench.explain.recorded import Chosen, explain_run, grouped
from bench.journal import Disagreement
from tests.explain.records import EDITED, HITS, UNEXPLAINED, made, record, write_run

if TYPE_CHECKING:
    from pathlib import Path

    from bench.explain.recorded import Group
    from bench.journal import BuildRecord

ALL = Chosen()


def groups(folder: Path, *records: BuildRecord) -> dict[str, list[Group]]:
    return grouped(explain_run(write_run(folder / "run", records), ALL).builds)


def test_every_miss_is_told_with_its_cause(tmp_path: Path) -> None:
    found = explain_run(write_run(tmp_path, [record()]), ALL)

    (build,) = found.builds
    assert [sentence.text for sentence in build.sentences()] == [
        "step 3 COPY . . missed: README.md changed (.dockerignore does not list it)",
        "step 4 RUN make missed because step 3 did",
    ]
    assert found.info.scenario == "shop"


def test_rounds_with_one_story_are_one_group(tmp_path: Path) -> None:
    found = groups(
        tmp_path, record(0), record(1, HITS), record(2), record(3, builder="classic"), record(4)
    )

    assert list(found) == ["as-written · buildkit", "as-written · classic"]
    told = [[one.record.build for one in group.builds] for group in found["as-written · buildkit"]]
    assert told == [[0, 2, 4], [1]]
    assert [group.is_exact for group in found["as-written · buildkit"]] == [True, True]
    assert [group.is_quiet for group in found["as-written · buildkit"]] == [False, True]


def test_rounds_that_differ_in_values_alone_are_one_group_and_say_so(tmp_path: Path) -> None:
    other = tuple(
        replace(step, reason_detail="NOTES.md changed") if step.step == 3 else step
        for step in EDITED
    )

    (group,) = groups(tmp_path, record(0), record(1, other))["as-written · buildkit"]
    assert len(group.builds) == 2
    assert not group.is_exact


def test_other_steps_other_reasons_and_failures_are_groups_of_their_own(tmp_path: Path) -> None:
    moved = tuple(
        replace(step, reason="file-mode", reason_detail="the mode changed")
        if step.step == 3
        else step
        for step in EDITED
    )
    failed = (*EDITED[:3], replace(EDITED[3], outcome=StepOutcome.FAILED, reason=None))

    found = groups(
        tmp_path,
        record(0),
        record(1, moved),
        record(2, failed, outcome=BuildOutcome.FAILED, error="no such file"),
        record(3, phase="cold", change="", round=-1),
    )["as-written · buildkit"]
    titles = [group.title for group in found]
    assert titles == ["edit-readme", "edit-readme", "edit-readme", "cold build"]
    assert found[2].first.sentences()[-1].text == "step 4 RUN make failed"


def test_equal_steps_of_two_stages_are_no_trouble_and_wrong_predictions_are(tmp_path: Path) -> None:
    merged = made(0, 2, "RUN a", "merged", predicted="merged")
    hit = made(0, 3, "RUN b", "hit", predicted="miss")
    wrong = Disagreement("0", 0, 3, "RUN b", "miss", "hit")

    fine, odd = groups(
        tmp_path, record(0, (merged,)), record(1, (merged, hit), disagreements=(wrong,))
    )["as-written · buildkit"]
    assert fine.is_quiet
    assert [sentence.text for sentence in odd.first.sentences()] == [
        "step 3 RUN b hit, though the model expected a miss"
    ]


def test_the_dockerfile_over_a_tar_has_a_hint_of_its_own(tmp_path: Path) -> None:
    step = made(0, 3, "COPY . .", "miss", reason="file-content", reason_detail="Dockerfile changed")

    def said(builder: str) -> str:
        one = record(0, (step,), builder=builder, changed_paths=("Dockerfile",))
        (build,) = explain_run(write_run(tmp_path / builder, [one]), ALL).builds
        return build.sentences()[0].text

    assert said("buildkit").endswith("docker buildx leaves it out if .dockerignore lists it)")
    assert said("classic").endswith("(the Dockerfile itself: list it in .dockerignore)")


@pytest.mark.parametrize(
    ("chosen", "builds"),
    [
        (Chosen(builder="classic"), [1]),
        (Chosen(change="edit-readme"), [0, 1]),
        (Chosen(variant="other"), [2]),
        (Chosen(build=2), [2]),
        (Chosen(change="edit-readme", builder="buildkit"), [0]),
    ],
)
def test_builds_are_chosen(tmp_path: Path, chosen: Chosen, builds: list[int]) -> None:
    records = [
        record(0),
        record(1, builder="classic"),
        record(2, variant="other", change="edit-port"),
    ]

    found = explain_run(write_run(tmp_path, records), chosen).builds
    assert [build.record.build for build in found] == builds


@pytest.mark.parametrize(
    ("chosen", "says", "remedy"),
    [
        (Chosen(variant="x"), "has no variant 'x'", "it has as-written"),
        (Chosen(change="x"), "has no change 'x'", "it has edit-readme"),
        (Chosen(builder="x"), "has no builder 'x'", "buildkit, classic"),
        (Chosen(build=9), "has no build 9", "numbered from 0 to 1"),
        (Chosen(build=0, builder="classic"), "no build of the run is of all", "leave one of"),
    ],
)
def test_what_the_run_does_not_have_is_named(
    tmp_path: Path, chosen: Chosen, says: str, remedy: str
) -> None:
    folder = write_run(tmp_path, [record(0), record(1, builder="classic")])

    with pytest.raises(UsageError, match=says) as caught:
        explain_run(folder, chosen)
    assert remedy in caught.value.remedy


def test_a_run_without_reasons_is_told_with_the_remedy(tmp_path: Path) -> None:
    folder = write_run(tmp_path, [record(0, UNEXPLAINED)])

    with pytest.raises(RecordsError, match="recorded without reasons") as caught:
        explain_run(folder, ALL)
    assert caught.value.remedy == "run it again: bench run scenarios/shop"
    assert caught.value.exit_code == ExitCode.RECORDS


def test_a_run_that_was_resumed_by_a_later_version_is_told_as_far_as_it_goes(
    tmp_path: Path,
) -> None:
    found = explain_run(write_run(tmp_path, [record(0, UNEXPLAINED), record(1)]), ALL)

    assert found.unexplained == 1
    assert [one.text for one in found.builds[0].sentences()] == [
        "steps 3–4 missed: no reason was recorded"  # noqa: RUF001 - people read a dash
    ]


def test_a_run_without_misses_needs_no_reasons(tmp_path: Path) -> None:
    hits = tuple(replace(step, predicted=None) for step in HITS)

    assert explain_run(write_run(tmp_path, [record(0, hits)]), ALL).unexplained == 0


def test_a_run_without_builds_is_told(tmp_path: Path) -> None:
    folder = write_run(tmp_path, [])
    (folder / "journal.jsonl").touch()

    with pytest.raises(RecordsError, match="has no builds yet"):
        explain_run(folder, ALL)
