"""``bench explain`` as a newcomer meets it: runs, working trees, logs, and wrong inputs."""

# ruff: noqa: RUF001 - between numbers people read a dash

from __future__ import annotations

import json
import os
import re
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import pytest

from bench.bases.isolation import Isolation
from bench.builders import BuildRequest, make_builder
from bench.cache_model import find_profile
from bench.cli import cli
from bench.dockerfile import parse
from bench.engine import describe
from bench.errors import BenchError, ExitCode
from bench.runner import EngineSite, make_settings, run_scenario
from bench.workspace import Workspace
from tests.explain.cases import CASES
from tests.explain.records import HITS, UNEXPLAINED, record, write_run
from tests.explain.repositories import FILES, commit, git, make_repository, write
from tests.runner.scenarios import small_scenario
from tests.support.command import bench

if TYPE_CHECKING:
    import docker

ROOT = Path(__file__).parent.parent.parent
FIXTURES = ROOT / "tests/explain/fixtures"
LOG = FIXTURES / "rawjson-buildx-0.29.1-engine-28.5.2-graphdriver-readme.jsonl"


def explain(*arguments: str | Path, status: int = ExitCode.OK) -> str:
    code, said = bench("explain", *map(str, arguments), environment={"COLUMNS": "80"})
    assert code == status, said
    assert "Traceback" not in said
    return said


def document(*arguments: str | Path) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(explain(*arguments, "--json"))
    return parsed


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    return make_repository(tmp_path / "shop")


@pytest.fixture
def run_folder(tmp_path: Path) -> Path:
    cold: dict[str, Any] = {"phase": "cold", "change": "", "round": -1}
    control: dict[str, Any] = {"phase": "control", "change": ""}
    builds = [
        record(0, **cold),
        record(1, HITS, **control),
        record(2),
        record(3, HITS, **control),
        record(4),
    ]
    return write_run(tmp_path / "run", builds)


def test_a_run_is_told_in_a_few_lines(run_folder: Path) -> None:
    assert explain(run_folder).splitlines() == [
        "shop on Engine 28.5.2 graphdriver: 5 builds, 6 misses",
        "as-written · buildkit",
        "  cold build (build 0): 1 of 3 steps hit",
        "    step 3 COPY . . missed: README.md changed (.dockerignore does not list it)",
        "    step 4 RUN make missed because step 3 did",
        "  edit-readme (2 builds: 2, 4): 1 of 3 steps hit",
        "    step 3 COPY . . missed: README.md changed (.dockerignore does not list it)",
        "    step 4 RUN make missed because step 3 did",
        "  every step hit: no change (2 builds: 1, 3)",
    ]


def test_the_json_of_a_run_holds_every_miss_of_every_build(run_folder: Path) -> None:
    found = document(run_folder)

    assert found["scenario"] == "shop"
    assert [build["build"] for build in found["builds"]] == [0, 1, 2, 3, 4]
    assert [len(build["steps"]) for build in found["builds"]] == [2, 0, 2, 0, 2]
    assert found["builds"][4]["steps"][0] == {
        "stage": "0",
        "stage_index": 0,
        "step": 3,
        "line": 3,
        "instruction": "COPY",
        "text": "COPY . .",
        "outcome": "miss",
        "predicted": "miss",
        "reason": "file-content",
        "detail": "README.md changed",
        "paths": ["README.md"],
        "names": [],
        "origin": None,
        "inferred": False,
        "disagrees": False,
    }
    assert found["builds"][4]["steps"][1]["origin"] == {"stage_index": 0, "step": 3}
    assert found["builds"][4]["sentences"][1]["text"] == "step 4 RUN make missed because step 3 did"


def test_a_run_can_be_narrowed_down(run_folder: Path) -> None:
    assert [one["build"] for one in document(run_folder, "--build", "2")["builds"]] == [2]
    narrowed = document(run_folder, "--change", "edit-readme", "--builder", "buildkit")
    assert [one["build"] for one in narrowed["builds"]] == [2, 4]


def test_old_records_and_missing_ones_end_with_their_own_status(tmp_path: Path) -> None:
    old = write_run(tmp_path / "old", [record(0, UNEXPLAINED)])

    assert "run it again: bench run scenarios/shop" in explain(old, status=ExitCode.RECORDS)
    assert "no such folder" in explain(tmp_path / "nowhere", status=ExitCode.RECORDS)
    assert "no run folder" in explain(tmp_path, status=ExitCode.RECORDS)
    told = explain(write_run(tmp_path / "both", [record(0, UNEXPLAINED), record(1)]))
    assert "1 build was recorded without reasons; run it again" in told


def test_a_working_tree_since_a_revision(shop: Path) -> None:
    write(shop, {"README.md": "# Other\n", "notes.txt": "mine"})
    short = git(shop, "rev-parse", "--short", "HEAD")

    said = explain("--context", shop, "--since", "HEAD", "--untracked", "kept")
    assert said.splitlines()[:8] == [
        f"since HEAD ({short}): README.md changed",
        f"4 of 8 steps will hit, 2 depend on what RUN makes ({find_profile('buildkit').title})",
        "  build",
        "    steps 2–4 will hit",
        "    step 5 COPY . . will miss: README.md changed (.dockerignore does not list it)",
        "    step 6 RUN cat src/App.java > /app.jar will miss because step 5 does",
        "  stage 1",
        "    step 3 RUN echo $VERSION > /version will hit",
    ]
    assert "note: git does not track .env, notes.txt, target/old.jar: taken to have been" in said
    assert "notes.txt was added" in explain("--context", shop, "--since", "HEAD")


def test_the_example_of_the_readme_is_what_is_printed(tmp_path: Path) -> None:
    text = (ROOT / "README.md").read_text()
    shown = re.search(r"^    bench explain --since HEAD\n\n```\n(.*?)^```", text, re.M | re.S)
    assert shown is not None
    instructions = (
        *("FROM maven AS build", "WORKDIR /src", "COPY pom.xml .", "RUN mvn dependency:go-offline"),
        *("COPY . .", "RUN mvn package", "FROM openjdk", "ARG VERSION=1"),
        *("RUN echo $VERSION > /version", "EXPOSE 80", "COPY --from=build /app.jar /app/"),
        "RUN java -version",
    )
    files = {**FILES, "Dockerfile": "\n".join(instructions) + "\n"}
    shop = make_repository(tmp_path / "shop", files)
    write(shop, {"README.md": "# Other\n"})

    said = explain("--context", shop, "--since", "HEAD").splitlines()
    expected = shown[1].splitlines()
    assert said[0].partition("): ")[2] == expected[0].partition("): ")[2]
    assert said[1 : len(expected)] == expected[1:]


def test_the_steps_of_a_chain_are_listed(shop: Path) -> None:
    write(shop, {"pom.xml": "<other/>"})

    assert explain("--context", shop, "--since", "one").splitlines()[5:9] == [
        "    steps 4–6 will miss because step 3 does",
        "      4  RUN cat pom.xml > /deps",
        "      5  COPY . .",
        "      6  RUN cat src/App.java > /app.jar",
    ]


def test_the_context_is_the_folder_of_the_dockerfile_or_the_current_one(
    shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    assert "8 of 8 steps will hit" in explain("--dockerfile", shop / "Dockerfile", "--since", "one")
    monkeypatch.chdir(shop)
    assert "8 of 8 steps will hit" in explain("--since", "one")


def test_the_json_of_a_working_tree(shop: Path) -> None:
    write(shop, {"README.md": "# Other\n", "new.txt": "x"})

    found = document("--context", shop, "--since", "one", "--builder", "classic")
    assert found["after"] == "the working tree"
    assert found["before"].startswith("one (")
    assert found["builder"] == find_profile("classic").name
    assert found["changed"] == {
        "added": ["new.txt"],
        "removed": [],
        "content_changed": ["README.md"],
        "mode_changed": [],
        "owner_changed": [],
        "type_changed": [],
        "link_changed": [],
    }
    assert found["dockerfile_changed"] is False
    assert found["build"] is None
    assert len(found["steps"]) == 12
    copied = found["steps"][4]
    assert (copied["text"], copied["outcome"], copied["reason"]) == (
        "COPY . .",
        "miss",
        "file-content",
    )
    assert copied["paths"] == ["README.md", "new.txt"]
    assert found["sentences"][1]["text"].startswith("step 5 COPY . . will miss: README.md changed;")
    assert found["notes"]
    assert found["not_understood"] == found["disagreements"] == []


def test_a_log_and_two_folders(tmp_path: Path) -> None:
    before, after = CASES["readme"]
    old, new = before.write(tmp_path / "old"), after.write(tmp_path / "new")

    said = explain("--rawjson", LOG, "--context", new, "--since-context", old)
    assert said.splitlines()[0] == f"since {old}: README.md changed"
    assert "    step 5 COPY . . missed: README.md changed (.dockerignore does not list it)" in said
    found = document("--rawjson", LOG, "--context", new, "--since-context", old)
    assert found["build"] == {"outcome": "ok", "error": ""}
    assert found["steps"][4]["predicted"] == "miss"


def test_build_arguments_are_told_with_their_values(
    shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VERSION", "3")
    now = ("--context", shop, "--since", "one", "--build-arg", "VERSION")

    said = explain(*now, "--since-build-arg", "VERSION=2")
    assert "the build argument VERSION changed from 2 to 3" in said
    monkeypatch.delenv("VERSION")
    said = explain(*now[:-1], "VERSION=3", "--since-build-arg", "VERSION")
    assert "the build argument VERSION changed from 1 to 3" in said
    assert "8 of 8 steps will hit" in explain(*now[:-1], "VERSION=3")


def test_names_that_are_no_text_can_be_printed(shop: Path) -> None:
    write(shop, {os.fsdecode(b"odd-\xff.txt"): "x", "한글.txt": "y"})

    said = explain("--context", shop, "--since", "one")
    assert "한글.txt" in said
    assert "odd-\udcff.txt" in document("--context", shop, "--since", "one")["changed"]["added"]


def test_nothing_is_written_to_the_tree(shop: Path) -> None:
    write(shop, {"README.md": "# Other\n"})
    before = {path: path.lstat().st_mtime_ns for path in shop.rglob("*")}

    explain("--context", shop, "--since", "one")
    assert {path: path.lstat().st_mtime_ns for path in shop.rglob("*")} == before


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "say what to explain"),
        (["--context", "SHOP"], "say what to explain"),
        (["--since", "one", "--since-context", "SHOP"], "both name the earlier state"),
        (["RUN", "--since", "one"], "--since goes with a working tree, not with a run"),
        (["RUN", "--target", "x"], "--target goes with a working tree"),
        (["--context", "SHOP", "--since", "one", "--variant", "x"], "--variant chooses from a run"),
        (["--context", "SHOP", "--since", "one", "--build", "0"], "--build chooses from a run"),
        (["--context", "SHOP", "--since", "nope"], "there is no revision 'nope'"),
        (["--context", "PLAIN", "--since", "HEAD"], "git finds no repository here"),
        (["--context", "NOWHERE", "--since", "one"], "the build context is not a folder"),
        (["--context", "EMPTY", "--since", "one"], "there is no such Dockerfile"),
        (["--context", "SHOP", "--since", "one", "--builder", "x"], "no builder profile 'x'"),
        (["--context", "SHOP", "--since", "one", "--target", "x"], "there is no stage 'x'"),
        (["--context", "SHOP", "--since", "one", "--build-arg", "=1"], "is no build argument"),
        (["--context", "SHOP", "--since", "one", "--untracked", "x"], "'x' is not one of"),
        (["--context", "BROKEN", "--since-context", "SHOP"], "did you mean FROM?"),
        (["--context", "ODD", "--since-context", "ODD", "--rawjson", "LOG"], "another Dockerfile"),
    ],
)
def test_wrong_input_gets_one_clear_message(
    shop: Path, tmp_path: Path, run_folder: Path, arguments: list[str], says: str
) -> None:
    write(tmp_path / "PLAIN", FILES)
    write(tmp_path / "BROKEN", {"Dockerfile": "FRUM a\n"})
    write(tmp_path / "ODD", {"Dockerfile": "FROM a\nRUN b\n"})
    (tmp_path / "EMPTY").mkdir()
    known = {"SHOP": shop, "RUN": run_folder, "LOG": LOG}
    known |= {name: tmp_path / name for name in ("PLAIN", "BROKEN", "ODD", "EMPTY", "NOWHERE")}

    words = [str(known.get(one, one)) for one in arguments]
    with pytest.raises((BenchError, click.UsageError)) as caught:
        cli.main(["explain", *words], standalone_mode=False)
    error: Any = caught.value
    assert says in str(error)
    assert error.exit_code == ExitCode.USAGE


def test_a_log_that_is_none_is_named_with_its_line(shop: Path) -> None:
    since = ("--context", shop, "--since", "one", "--rawjson")

    said = explain(*since, shop / "Dockerfile", status=ExitCode.RECORDS)
    assert "Dockerfile:1: holds no message of --progress=rawjson" in said
    explain(*since, shop / "nowhere.jsonl", status=ExitCode.RECORDS)


@pytest.mark.engine
def test_a_run_on_an_engine_is_explained(
    engine_client: docker.DockerClient, default_busybox_image: str, tmp_path: Path
) -> None:
    scenario = small_scenario(tmp_path / "small", default_busybox_image)
    settings = make_settings(
        scenario, builders=("classic", "buildkit"), variants=("as-written",), rounds=1
    )
    run_scenario(scenario, settings, EngineSite(engine_client), tmp_path / "run")

    said = explain(tmp_path / "run", "--change", "edit-source", "--builder", "buildkit")
    assert "step 5 COPY src/ src/ missed: src/main.txt changed" in said
    assert "step 6 RUN cat src/main.txt > /out missed because step 5 did" in said
    found = document(tmp_path / "run")
    for build in found["builds"]:
        missed = [step for step in build["steps"] if step["outcome"] == "miss"]
        assert len(missed) == build["misses"]
        assert all(step["reason"] and step["detail"] for step in missed)
        assert not any(step["disagrees"] for step in build["steps"])


@pytest.mark.engine
@pytest.mark.parametrize("builder", ["buildkit", "classic"])
def test_a_working_tree_is_rebuilt_as_was_said(
    engine_client: docker.DockerClient, default_busybox_image: str, tmp_path: Path, builder: str
) -> None:
    """Built at a revision with all that git does not keep, edited, explained, built again."""
    dockerfile = FILES["Dockerfile"].replace("busybox", default_busybox_image)
    old = {"src/Old.java": "old", "docs/index.md": "docs"}
    shop = make_repository(tmp_path / "shop", {**FILES, **old, "Dockerfile": dockerfile})
    for path in (shop / "README.md", shop / "src", shop / "src/App.java"):
        path.chmod(path.stat().st_mode | 0o020)
    (shop / "empty").mkdir()
    scratch = iter(range(100))
    isolation = Isolation(
        engine_client, f"explain{secrets.token_hex(4)}", describe(engine_client).image_store, {}
    )
    salt = secrets.token_hex(8)

    def built() -> dict[tuple[int, int], str]:
        text = (shop / "Dockerfile").read_text()
        workspace = Workspace.create(
            shop,
            tmp_path / f"scratch-{next(scratch)}",
            dockerfile_text=text,
            dockerfile_path="Dockerfile",
        )
        salted = isolation.salted(parse(text), salt, {}, {})
        content = salted.dockerfile.text.encode()
        request = BuildRequest(
            context=workspace.pack(replace={"Dockerfile": content}),
            dockerfile=salted.dockerfile,
            dockerfile_path="Dockerfile",
            tag=isolation.built_tag(salt, "shop", builder),
            base_images=salted.base_images,
        )
        with isolation.building():
            build = make_builder(builder, engine_client).build(request)
        assert build.error == ""
        return {(step.stage_index, step.step): step.outcome.value for step in build.steps}

    def told() -> dict[tuple[int, int], str]:
        found = document("--context", shop, "--since", "one", "--builder", builder)
        return {(one["stage_index"], one["step"]): one["outcome"] for one in found["steps"]}

    try:
        built()
        assert told() == built()  # nothing has changed: every step hits
        write(shop, {"src/New.java": "new", "docs/more.md": "more"})
        (shop / "src/Old.java").unlink()
        (shop / "run.sh").chmod(0o644)
        commit(shop, "two")
        write(shop, {"README.md": "# Other\n", "target/old.jar": "other"})
        write(shop, {"target/old.jar": "jar"})
        said, seen = told(), built()
    finally:
        isolation.clean()
    open_steps = {place for place, outcome in said.items() if outcome == "depends"}
    assert said.keys() == seen.keys()
    assert {place: said[place] for place in said.keys() - open_steps} == {
        place: seen[place] for place in said.keys() - open_steps
    }
    assert said[0, 5] == said[0, 6] == "miss"
    assert said[0, 4] == "hit"
