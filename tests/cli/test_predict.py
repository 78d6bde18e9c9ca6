"""``bench predict`` as a newcomer meets it: tables, JSON, wrong inputs; never an engine."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from bench.cache_model import PROFILES, find_profile
from bench.errors import ExitCode
from tests.scenario.starting import write
from tests.scenarios.shipped import FOLDER, NAMES
from tests.support.command import MAIN, bench_here
from tests.test_readme import README, commands_of

if TYPE_CHECKING:
    from pathlib import Path

CLASSIC = find_profile("classic").name
DOCKERFILE = (
    "FROM alpine AS build\nWORKDIR /src\nCOPY go.mod .\nRUN fetch\nCOPY . .\nRUN make\n"
    "FROM alpine\nCOPY --from=build /src/out /out\nEXPOSE 80\n"
)
FILES = {"Dockerfile": DOCKERFILE, "go.mod": "m", "src/a.go": "a", "src/b.go": "b"}
KEYS = {
    "variant",
    "builder",
    "change",
    "stage",
    "step",
    "instruction",
    "outcome",
    "reason",
    "detail",
}


def table(*arguments: str | os.PathLike[str], columns: int = 80, folder: Path | None = None) -> str:
    shown = bench_here("predict", *arguments, columns=columns, folder=folder)
    assert shown.returncode == ExitCode.OK, shown.stderr
    assert shown.stderr == ""
    return shown.stdout


def rows(*arguments: str | os.PathLike[str], folder: Path | None = None) -> list[dict[str, Any]]:
    shown = bench_here("predict", *arguments, "--json", folder=folder)
    assert shown.returncode == ExitCode.OK, shown.stderr
    found: list[dict[str, Any]] = json.loads(shown.stdout)
    return found


def outcomes(found: list[dict[str, Any]], change: str, builder: str) -> list[str]:
    return [one["outcome"] for one in found if (one["change"], one["builder"]) == (change, builder)]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return write(tmp_path / "project", FILES)


def test_the_commands_of_the_readme_work_as_they_are_written_without_an_engine(
    tmp_path: Path,
) -> None:
    commands = commands_of("`bench predict PATH…`")

    assert len(commands) == 2
    for command in commands:
        shown = subprocess.run(
            [sys.executable, "-c", MAIN, *shlex.split(command)[1:]],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            cwd=FOLDER.parent,
            env={**os.environ, "DOCKER_HOST": "unix:///nowhere", "TMPDIR": str(tmp_path)},
        )
        assert shown.returncode == ExitCode.OK, shown.stderr
        assert "edit-port" in shown.stdout
    assert list(tmp_path.iterdir()) == [], "a scratch copy was left behind"


@pytest.mark.parametrize("name", PROFILES)
def test_every_profile_is_in_the_readme(name: str) -> None:
    assert f"`{name}`" in README


@pytest.mark.parametrize("columns", [80, 120])
@pytest.mark.parametrize("name", NAMES)
def test_every_scenario_is_legible_at_any_width_without_colours(name: str, columns: int) -> None:
    shown = table(FOLDER / name, columns=columns)

    assert "\x1b" not in shown
    for line in shown.splitlines():
        if not line.startswith(("note: ", "dep. ", "-  ", "No engine")):
            assert len(line) <= columns, line


def test_a_matrix_says_which_step_misses_and_why() -> None:
    shown = table(FOLDER / "java-iotd", "--variant", "as-written", "--builder", "buildkit")

    assert re.search(
        r"^  5 COPY \. \. +miss +miss +miss +miss +miss +hit +miss +hit *$", shown, re.M
    )
    assert re.search(r"^  3 COPY --from=builder \S+… +dep\. ", shown, re.M)
    assert re.search(r"^  4 EXPOSE 80 +- ", shown, re.M)
    assert re.search(
        r"^3  edit-pom +2.3 of 7 +builder:3 COPY pom.xml .: pom.xml changed", shown, re.M
    )
    assert re.search(r"^6  touch-only +7 of 7 +none", shown, re.M)
    assert "No engine was asked" in shown


def test_wide_terminals_get_the_names_of_the_changes_as_heads() -> None:
    names = ("--variant", "as-written", "--builder", "buildkit")
    assert "source  comment  pom" in table(FOLDER / "java-iotd", *names, columns=120)
    assert "source  comment  pom" not in table(FOLDER / "java-iotd", *names, columns=80)


def test_variants_stand_side_by_side_at_the_end() -> None:
    shown = table(FOLDER / "java-iotd", "--builder", "classic")

    end = shown[shown.index(f"java-iotd · hits after each change · {CLASSIC}") :]
    assert re.search(r"^change +as-written +metadata-first +copy-all +reproducible-jar", end, re.M)
    assert re.search(r"^edit-source +4.7 of 9 +6.7 of 9 +2.5 of 8 +4.7 of 9", end, re.M)


def test_json_has_a_row_for_every_step_of_every_build() -> None:
    found = rows(FOLDER / "java-iotd", "--variant", "as-written", "--change", "edit-source")

    assert len(found) == 2 * 11
    assert all(set(one) >= KEYS for one in found)
    missed = next(one for one in found if one["outcome"] == "miss")
    assert missed == {
        "scenario": "java-iotd",
        "variant": "as-written",
        "builder": "classic",
        "profile": CLASSIC,
        "change": "edit-source",
        "stage": "builder",
        "stage_index": 0,
        "step": 5,
        "line": 7,
        "instruction": "COPY",
        "text": "COPY . .",
        "outcome": "miss",
        "reason": "file-content",
        "detail": "src/main/java/iotd/App.java changed",
    }
    after = found[found.index(missed) + 1]
    assert (after["reason"], after["detail"]) == (
        "parent-missed",
        "builder:5 COPY . . comes before it",
    )
    assert next(one for one in found if one["outcome"] == "hit")["reason"] is None


def test_the_cold_build_is_shown_if_asked_for() -> None:
    chosen = (FOLDER / "hello-stages", "--change", "none", "--builder", "classic")

    assert {one["change"] for one in rows(*chosen)} == {"none"}
    with_cold = rows(*chosen, "--cold")
    assert {one["change"] for one in with_cold} == {"", "none"}
    assert {one["reason"] for one in with_cold if one["outcome"] == "miss"} >= {"first-build"}
    assert "cold build" in table(*chosen, "--cold")


@pytest.mark.parametrize("name", PROFILES)
def test_every_profile_can_be_asked_for_by_its_name(name: str, project: Path) -> None:
    found = rows(project / "Dockerfile", "--builder", name)

    assert {one["profile"] for one in found} == {name}
    assert {one["builder"] for one in found} == {name.partition("-")[0]}


def test_a_bare_dockerfile_shows_what_an_edit_of_each_file_rebuilds(project: Path) -> None:
    (project / "notes.txt").write_text("")
    (project / ".dockerignore").write_text("notes.txt\n.dockerignore\nDockerfile\n")

    found = rows(project / "Dockerfile")
    assert set(dict.fromkeys(one["change"] for one in found)) == {
        "no change",
        "edit go.mod",
        "edit src/ (2 files)",
    }
    assert outcomes(found, "no change", "buildkit").count("miss") == 0
    assert outcomes(found, "edit go.mod", "buildkit") == [
        *("base", "hit", "miss", "miss", "miss", "miss"),
        *("base", "depends", "config"),
    ]
    assert outcomes(found, "edit src/ (2 files)", "classic") == [
        *("base", "hit", "hit", "hit", "miss", "miss"),
        *("base", "depends", "depends"),
    ]
    assert "note: the context is the Dockerfile's folder" in table(project / "Dockerfile")


def test_files_that_no_step_takes_are_counted(project: Path) -> None:
    (project / "Dockerfile").write_text("FROM scratch\nCOPY go.mod /\n")

    assert "note: 3 more files of the context are taken in by no step" in table(
        project / "Dockerfile"
    )


def test_several_dockerfiles_are_compared_on_the_same_edits(project: Path) -> None:
    (project / "Other").write_text("FROM alpine\nCOPY . .\nRUN make\n")

    shown = table("Dockerfile", "Other", "--builder", "buildkit", folder=project)

    assert re.search(r"^change +Dockerfile +Other", shown, re.M)
    assert re.search(r"^edit go.mod +1.2 of 6 +0 of 2", shown, re.M)


@pytest.mark.usefixtures("project")
def test_later_states_are_built_one_after_the_other(tmp_path: Path) -> None:
    """A, B, then A again: everything of A was built before."""
    write(tmp_path / "later", {**FILES, "src/a.go": "changed"})

    found = rows("project/Dockerfile", "--then", "later", "--then", "project", folder=tmp_path)

    assert "miss" in outcomes(found, "later", "buildkit")
    for builder in ("classic", "buildkit"):
        assert set(outcomes(found, "project", builder)) <= {"hit", "base", "config"}
    reasons = {one["detail"] for one in found if one["reason"] == "file-content"}
    assert reasons == {"src/a.go changed"}


def test_a_later_dockerfile_and_a_later_build_argument(project: Path, tmp_path: Path) -> None:
    (project / "Dockerfile").write_text("FROM a\nARG V=1\nRUN x\nRUN y\n")
    (tmp_path / "D2").write_text("FROM a\nARG V=1\nRUN x\nRUN z\n")
    place = project / "Dockerfile"

    changed = rows(place, "--then-dockerfile", tmp_path / "D2", "--builder", "buildkit")
    assert [one["outcome"] for one in changed] == ["base", "config", "hit", "miss"]
    assert changed[-1]["reason"] == "instruction-text"

    argued = rows(place, "--then-build-arg", "V=2", "--builder", "buildkit")
    assert {one["change"] for one in argued} == {"V=2"}
    assert [one["outcome"] for one in argued] == ["base", "config", "miss", "miss"]
    assert (argued[2]["reason"], "from 1 to 2" in argued[2]["detail"]) == ("build-arg", True)


@pytest.mark.usefixtures("project")
def test_another_shape_of_dockerfile_gets_a_table_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "D2").write_text(DOCKERFILE.replace("RUN make", "RUN lint\nRUN make"))

    shown = table(
        "project/Dockerfile",
        *("--then", "project", "--then", "project", "--builder", "buildkit"),
        *("--then-dockerfile", "project/Dockerfile", "--then-dockerfile", "D2"),
        folder=tmp_path,
    )

    assert shown.count("build: FROM alpine AS build") == 2
    assert re.search(r"^  6 RUN lint +miss", shown, re.M)
    assert "build:6 RUN lint" in shown


def test_a_stage_that_is_not_needed_is_one_line(project: Path) -> None:
    shown = table(project / "Dockerfile", "--target", "build", "--builder", "buildkit")

    assert "1: FROM alpine (not needed)" in shown
    assert "/src/out" not in shown


def test_what_is_not_understood_is_unknown_with_its_line(project: Path) -> None:
    (project / "Dockerfile").write_text("FROM a\nRUN x\nCOPY --strange go.mod /\nRUN y\n")
    command = ("predict", project / "Dockerfile", "--builder", "buildkit", "--context", project)

    shown = bench_here(*command)
    assert shown.returncode == ExitCode.OK
    assert (
        "?    line 3: 0:3 COPY --strange go.mod /: the flag --strange is not known" in shown.stdout
    )
    assert re.search(r"^  4 RUN y +\? *$", shown.stdout, re.M)
    assert re.search(r"^1  no change +1 of 1, 2 unknown", shown.stdout, re.M)

    told = bench_here(*command, "--json")
    assert told.returncode == ExitCode.OK
    assert "line 3: COPY --strange go.mod /: the flag --strange is not known" in told.stderr
    unknown = [one for one in json.loads(told.stdout) if one["outcome"] == "unknown"]
    assert {one["reason"] for one in unknown} == {"unknown"}
    assert all("the flag --strange" in one["detail"] for one in unknown)


def test_assumptions_are_told_where_they_matter(project: Path) -> None:
    (project / "Dockerfile").write_text("FROM a\nCOPY $HERE/go.mod x\nWORKDIR /w\nCOPY . .\n")

    told = bench_here("predict", project / "Dockerfile", "--json", "--build-arg", "NOBODY=1")

    assert "line 2: a relative path" in told.stderr
    assert "line 2: $HERE is taken as not set" in told.stderr
    assert "line 4" not in told.stderr
    assert "build argument NOBODY is taken by no ARG" in told.stderr
    json.loads(told.stdout)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nowhere"], "nowhere: there is no such file"),
        (["nowhere.toml"], "nowhere.toml"),
        (["EMPTY"], "there is no scenario.toml"),
        (["PROJECT"], "bench predict PROJECT/Dockerfile"),
        (["BROKEN"], "BROKEN:3: unknown instruction RUM; did you mean RUN?"),
        (["BINARY"], "BINARY:2: is not UTF-8"),
        (["NOFROM"], "there is no FROM"),
        (["PROJECT/Dockerfile", "--context", "nowhere"], "nowhere: the build context does not"),
        (["PROJECT/Dockerfile", "--context", "BROKEN"], "BROKEN: the build context is not a"),
        (["PROJECT/Dockerfile", "--then", "EMPTY"], "EMPTY/Dockerfile: there is no such file"),
        (["PROJECT/Dockerfile", "--then", "nowhere"], "nowhere"),
        (["PROJECT/Dockerfile", "--then-dockerfile", "BROKEN"], "BROKEN:3"),
        (["PROJECT/Dockerfile", "--target", "tset"], "no stage 'tset'"),
        (["PROJECT/Dockerfile", "--build-arg", "=1"], "write it like VERSION=2"),
        (["PROJECT/Dockerfile", "--builder", "kaniko"], "buildkit-28-containerd"),
        (["PROJECT/Dockerfile", "--variant", "x"], "takes no --variant"),
        (["PROJECT/Dockerfile", "SCENARIO"], "is a scenario"),
        (["PROJECT/Dockerfile", "BROKEN", "--then-dockerfile", "x"], "single Dockerfile"),
        (["SCENARIO", "--target", "x", "--then", "y"], "takes no --then, --target"),
        (["SCENARIO", "--variant", "x"], "as-written"),
        (["SCENARIO", "--change", "x"], "edit-build"),
        ([], "PATH"),
    ],
)
def test_wrong_input_gets_one_clear_message(
    arguments: list[str], says: str, tmp_path: Path
) -> None:
    write(tmp_path / "PROJECT", FILES)
    (tmp_path / "EMPTY").mkdir()
    (tmp_path / "BROKEN").write_text("FROM a\n\nRUM x\n")
    (tmp_path / "BINARY").write_bytes(b"FROM a\n\xff\n")
    (tmp_path / "NOFROM").write_text("ARG X\n")
    (tmp_path / "SCENARIO").symlink_to(FOLDER / "hello-stages")

    shown = bench_here("predict", *arguments, folder=tmp_path)

    assert shown.returncode == ExitCode.USAGE, shown.stdout
    assert says in shown.stderr
    assert "Traceback" not in shown.stderr
    assert shown.stdout == ""


@pytest.mark.parametrize("name", [b"\xff.txt", b"a\x1b[31m", b"a\nb", "\ud55c\uae00".encode()])
def test_any_file_name_is_shown_and_obeyed_by_no_terminal(name: bytes, tmp_path: Path) -> None:
    write(tmp_path, {"Dockerfile": "FROM a\nCOPY . /\n", ".dockerignore": "Dockerfile\n.*\n"})
    (tmp_path / os.fsdecode(name)).write_text("x")

    shown = table(tmp_path / "Dockerfile")
    shown.encode("utf-8")
    assert "\x1b" not in shown
    assert shown.count("miss ") == 2
    (change,) = {one["change"] for one in rows(tmp_path / "Dockerfile")} - {"no change"}
    assert os.fsencode(change.removeprefix("edit ")) == name


def test_neither_the_project_nor_the_scenario_is_written(project: Path, tmp_path: Path) -> None:
    before = {path: path.lstat().st_mtime_ns for path in tmp_path.rglob("*")}

    table(project / "Dockerfile", "--then", project)

    assert {path: path.lstat().st_mtime_ns for path in tmp_path.rglob("*")} == before
