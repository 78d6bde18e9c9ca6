"""``bench advise`` as a newcomer meets it: the diff, the reasons, the proof, wrong inputs."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest

from bench.errors import ExitCode
from tests.advising.projects import edits, make_project
from tests.support.command import bench, bench_here

if TYPE_CHECKING:
    from pathlib import Path

TIMES = "results/reference/java-expose"
TEXT = "FROM scratch\nCOPY often /often/\nCOPY seldom /seldom/\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    sources = {"often/a": "a", "seldom/c": "c", "Dockerfile": TEXT}
    return make_project(tmp_path / "project", sources, edits("often/a", 4))


def test_the_diff_the_seconds_and_the_reasons_are_shown(project: Path) -> None:
    shown = bench_here("advise", str(project / "Dockerfile"), "--times", TIMES)

    assert shown.returncode == ExitCode.OK, shown.stderr
    lines = [line.rstrip() for line in shown.stdout.splitlines()]
    at = lines.index("+COPY seldom /seldom/")
    assert lines[at : at + 3] == [
        "+COPY seldom /seldom/",
        " COPY often /often/",
        "-COPY seldom /seldom/",
    ]
    assert "5 commits of the history are 2 kinds of rebuild" in shown.stdout
    assert "expected seconds per commit on buildkit: " in shown.stdout
    assert "COPY seldom /seldom/ now stands before COPY often /often/" in shown.stdout
    assert (project / "Dockerfile").read_text() == TEXT


def test_a_patch_tool_takes_the_diff_and_write_writes_the_same(
    project: Path, tmp_path: Path
) -> None:
    written = tmp_path / "Better"
    shown = bench_here(
        "advise", str(project / "Dockerfile"), "--times", TIMES, "--json", "--write", str(written)
    )
    assert shown.returncode == ExitCode.OK, shown.stderr
    document = json.loads(shown.stdout)

    subprocess.run(
        ["patch", "--quiet", str(project / "Dockerfile")],
        input=document["diff"],
        text=True,
        check=True,
    )

    assert (project / "Dockerfile").read_text() == written.read_text()
    assert written.read_text() == document["dockerfile_text"]
    seconds = document["expected_seconds"]
    assert seconds["advised"] < seconds["written"]
    assert [one["weight"] for one in document["changes"]] == [0.8, 0.2]


def test_nothing_better_has_a_status_of_its_own(tmp_path: Path) -> None:
    text = "FROM scratch\nCOPY a /a\n"
    folder = make_project(tmp_path / "p", {"a": "a", "Dockerfile": text}, edits("a", 2))
    shown = bench_here("advise", str(folder / "Dockerfile"), "--times", TIMES)
    assert shown.returncode == ExitCode.NOTHING_BETTER
    assert "nothing better was found" in shown.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nosuch"], "there is no such file"),
        (["DOCKERFILE", "--history", "/proc"], "repository"),
        (["DOCKERFILE", "--rewrite", "split-coppy", "--times", TIMES], "split-copy"),
        (["DOCKERFILE", "--times", TIMES, "--verify"], "leave one out"),
        (["DOCKERFILE", "--no-rewrites", "--rewrite", "split-copy"], "leave one out"),
        (["DOCKERFILE", "--times", "/nowhere"], "/nowhere"),
        (["DOCKERFILE", "--target", "nosuch", "--times", TIMES], "nosuch"),
        (["DOCKERFILE", "--build-arg", "=1", "--times", TIMES], "build argument"),
    ],
)
def test_wrong_inputs_are_named_with_the_remedy(
    project: Path, arguments: list[str], words: str
) -> None:
    given = [str(project / "Dockerfile") if one == "DOCKERFILE" else one for one in arguments]
    shown = bench_here("advise", *given)
    assert shown.returncode in {ExitCode.USAGE, ExitCode.RECORDS}, shown.stderr
    assert words in shown.stderr
    assert "Traceback" not in shown.stderr


@pytest.mark.engine
def test_a_watched_run_is_crossed_and_the_saving_is_measured(
    tmp_path: Path, default_busybox_image: str
) -> None:
    """What only an observation frees: the RUN does not read what changes often."""
    text = (
        f"FROM {default_busybox_image}\nCOPY often /often/\nCOPY seldom /seldom/\n"
        "RUN sleep 1; cat /seldom/c > /made\n"
    )
    sources = {"often/a": "a", "seldom/c": "c", "Dockerfile": text}
    folder = make_project(tmp_path / "project", sources, edits("often/a", 9))
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}

    code, said = bench(
        *("advise", str(folder / "Dockerfile"), "--observe", "--verify", "--rounds", "2"),
        *("--json", "--out", str(tmp_path / "out")),
    )

    assert code == ExitCode.OK, said
    document = json.loads(said[said.index("{") :])
    assert document["dockerfile_text"].splitlines()[1:] == [
        "COPY seldom /seldom/",
        "RUN sleep 1; cat /seldom/c > /made",
        "COPY often /often/",
    ]
    assert any("seen in a real build" in one for one in document["obligations"])
    verified = document["verification"]
    assert verified["equal"]
    assert verified["saving"]["finding"] == "gain"
    assert 0.5 < verified["saving"]["gain"]["median"] < 1.5
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before
