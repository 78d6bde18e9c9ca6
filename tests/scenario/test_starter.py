"""A first scenario loads, its changes apply, and nothing of the project is touched."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from bench.changes import ChangeIds, SourceState, apply_change
from bench.changes.trees import fingerprint
from bench.errors import BenchError, DockerfileError, UsageError
from bench.scenario import dockerfile_place, dockerfile_text, load_scenario
from bench.scenario.starter import Started, start_scenario
from tests.scenario.starting import commit, git, write

SHIPPED = sorted((Path(__file__).parents[2] / "scenarios").glob("*/Dockerfile*"))
DOCKERFILE = """FROM a AS builder
WORKDIR /src
COPY package.json .
RUN npm install
COPY . .
FROM b
COPY --from=builder /src .
EXPOSE 80
CMD ["node", "server.js"]
"""
FILES = {
    "Dockerfile": DOCKERFILE,
    "package.json": '{\n  "version": "1.0.0"\n}\n',
    "server.js": "let a;\n",
    "README.md": "# Shop\n",
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return write(tmp_path / "shop", FILES)


def start(project: Path, folder: Path | None = None, dockerfile: Path | None = None) -> Started:
    return start_scenario(project, folder or project.parent / "scenario", dockerfile)


def applied(started: Started, scratch: Path) -> dict[str, set[str]]:
    """Apply every change in a scratch copy; return the paths that it altered."""
    scenario = started.scenario
    altered = {}
    for number, change in enumerate(scenario.changes):
        for variant in scenario.variants:
            root = scratch / change.name / variant.name
            shutil.copytree(scenario.context, root, symlinks=True)
            place = dockerfile_place(scenario, variant)
            (root / place).parent.mkdir(parents=True, exist_ok=True)
            (root / place).write_bytes(dockerfile_text(scenario, variant).encode())
            before = fingerprint(root)
            state = SourceState(root=root, dockerfile=place, source=scenario.context)
            apply_change(change, state, ChangeIds(f"{number:x}", 2000 + number, number, 1))
            after = fingerprint(root)
            altered[change.name] = {
                path for path, one in after.items() if not one.same(before[path])
            }
    return altered


@pytest.mark.parametrize(
    "dockerfile",
    SHIPPED,
    ids=lambda one: f"{one.parent.name}-{one.name.removeprefix('Dockerfile')}",
)
def test_every_application_that_we_ship_can_be_started_from(
    dockerfile: Path, tmp_path: Path
) -> None:
    project = tmp_path / "project"
    shutil.copytree(dockerfile.parent / "app", project)
    shutil.copy(dockerfile, project / "Dockerfile")
    before = fingerprint(project)
    started = start(project)
    assert load_scenario(started.file) == started.scenario
    assert started.scenario.context == project.resolve()
    assert started.scenario.expects == ()
    altered = applied(started, tmp_path / "scratch")
    assert altered.pop("none") == set()
    assert all(len(paths) == 1 for paths in altered.values())
    takes_files = re.search(r"^COPY (?!--from)", dockerfile.read_text(), re.MULTILINE)
    assert bool([name for name in altered if name != "edit-port"]) == bool(takes_files)
    assert fingerprint(project) == before


def test_what_is_written_is_what_the_project_says(project: Path) -> None:
    scenario = start(project).scenario
    assert [one.name for one in scenario.variants] == ["as-written", "metadata-first"]
    assert scenario.variants[0].dockerfile == "Dockerfile"
    assert {one.name: one.weight for one in scenario.changes} == {
        "edit-server-js": 10,
        "edit-package-json": 1,
        "edit-port": 1,
        "none": 0,
    }
    assert (scenario.baseline, scenario.network, scenario.title) == (
        "as-written",
        "default",
        "shop",
    )


def test_weights_are_the_history_of_a_real_repository(project: Path) -> None:
    git(project.parent, "init", "--quiet")
    commit(project, ["other.js"])
    for _ in range(4):
        commit(project, ["server.js"], "// more\n")
    commit(project, ["README.md", "server.js"])
    started = start(project)
    text = started.file.read_text()
    edits = {one.name: one.weight for one in started.scenario.changes if "edit" in one.name}
    assert edits == {
        "edit-server-js": 6,
        "edit-readme-md": 2,
        "edit-other-js": 1,
        "edit-package-json": 1,  # not among the first three, but of an instruction of its own
        "edit-port": 1,
    }
    assert "the last 6 of the project" in " ".join(text.replace("#", "").split())


def test_the_commented_expectations_hold_as_they_stand(project: Path) -> None:
    started = start(project)
    text = started.file.read_text()
    head, example = text.split("without the # in front:\n")
    started.file.write_text(head + "\n" + re.sub(r"^# ?", "", example, flags=re.MULTILINE))
    expects = load_scenario(started.file).expects
    assert [one.change for one in expects] == ["none", "edit-server-js"]
    assert expects[1].miss == ("builder:COPY . .",)


@pytest.mark.parametrize(
    "name", ["a b.js", "q\"'.js", "ü한.js", "line\nbreak.js", "$x`y`.js", "\\n.js", "a\x7f\x1b.js"]
)
@pytest.mark.parametrize("with_history", [True, False])
def test_hostile_file_names_are_edited_like_others(
    tmp_path: Path, name: str, with_history: bool
) -> None:
    project = write(tmp_path / "shop", {"Dockerfile": "FROM a\nCOPY . .\n", name: "let a;\n"})
    if with_history:
        git(project, "init", "--quiet")
        commit(project, [name])
    started = start(project)
    altered = applied(started, tmp_path / "scratch")
    assert {name} in altered.values()


@pytest.mark.parametrize("name", ["a b", "q\"'", "ü한", "line\nbreak", "{id}", "[red]", "-x"])
def test_hostile_folder_and_dockerfile_names_are_written_so_that_they_load(
    tmp_path: Path, name: str
) -> None:
    project = write(tmp_path / name, {f"{name}.Dockerfile": "FROM a\nCOPY . .\n", "a.js": "x\n"})
    started = start(project, tmp_path / f"{name}-out", project / f"{name}.Dockerfile")
    assert started.scenario.context == project.resolve()
    assert started.scenario.variants[0].dockerfile == f"{name}.Dockerfile"


def test_files_that_a_scenario_cannot_name_are_told_in_a_comment(tmp_path: Path) -> None:
    files = {
        "Dockerfile": "FROM a\nCOPY . .\n",
        "{id}.js": "x\n",
        "\udcff.js": "x\n",
        "z/z.js": "x\n",
    }
    started = start(write(tmp_path / "shop", files))
    assert [one.name for one in started.scenario.changes] == ["edit-z-js", "none"]
    text = started.file.read_text()
    assert '"{id}.js": its name reads as a placeholder' in text
    assert "udcff.js" in text


def test_ignored_files_and_the_dockerfile_itself_are_not_edited(tmp_path: Path) -> None:
    files = {
        "Dockerfile": "FROM a\nCOPY . .\n",
        ".dockerignore": "main.js\n",
        "main.js": "",
        "b.js": "",
    }
    started = start(write(tmp_path / "shop", files))
    assert [one.title for one in started.scenario.changes] == ["b.js", None]


def test_a_dockerfile_outside_of_the_project_is_named_from_the_scenario(tmp_path: Path) -> None:
    project = write(tmp_path / "shop", {"a.js": "x\n"})
    write(tmp_path, {"docker/Web": "FROM a\nCOPY . .\n"})
    scenario = start(project, tmp_path / "x" / "y", tmp_path / "docker" / "Web").scenario
    assert scenario.variants[0].dockerfile == "../../docker/Web"
    assert dockerfile_text(scenario, scenario.variants[0]) == "FROM a\nCOPY . .\n"


def test_a_dockerfile_of_the_same_name_in_the_scenario_folder_is_not_taken(project: Path) -> None:
    folder = write(project.parent / "out", {"Dockerfile": "FROM other\n"})
    scenario = start(project, folder).scenario
    assert dockerfile_text(scenario, scenario.variants[0]) == DOCKERFILE
    assert dockerfile_place(scenario, scenario.variants[0]) == "Dockerfile"


@pytest.mark.parametrize(
    "place", ["Dockerfile", "Containerfile", "docker/Dockerfile", "build/Dockerfile"]
)
def test_the_usual_places_are_looked_at(tmp_path: Path, place: str) -> None:
    project = write(tmp_path / "shop", {place: "FROM a\n"})
    assert start(project).scenario.variants[0].dockerfile == place


def test_a_relative_dockerfile_is_looked_for_here_and_in_the_project(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project.parent)
    (project / "Dockerfile").rename(project / "Web")
    for number, name in enumerate(("shop/Web", "Web")):
        scenario = start(Path("shop"), Path(f"out-{number}"), Path(name)).scenario
        assert scenario.variants[0].dockerfile == "Web"


def test_whether_the_scenario_is_part_of_the_context_is_told(project: Path) -> None:
    assert not start(project, project.parent / "beside").in_context
    assert start(project, project / "measure").in_context
    (project / ".dockerignore").write_text("ignored\n")
    assert not start(project, project / "ignored").in_context
    assert start(project, project).scenario.context == project.resolve()


def test_the_scenario_folder_itself_is_not_edited(tmp_path: Path) -> None:
    project = write(
        tmp_path / "shop", {"Dockerfile": "FROM a\nCOPY . .\n", "measure/main.js": "x\n"}
    )
    assert [one.name for one in start(project, project / "measure").scenario.changes] == ["none"]


def test_an_existing_scenario_is_never_overwritten(project: Path) -> None:
    target = write(project.parent / "scenario", {"scenario.toml": "mine"}) / "scenario.toml"
    with pytest.raises(UsageError, match=r"scenario\.toml is there already") as caught:
        start(project)
    assert "--out" in caught.value.remedy
    assert target.read_text() == "mine"
    target.unlink()
    target.symlink_to("nowhere")
    with pytest.raises(UsageError, match="is there already"):
        start(project)


def test_no_dockerfile_names_the_places_and_the_remedy(tmp_path: Path) -> None:
    project = write(tmp_path / "shop", {"web.Dockerfile": "FROM a\n"})
    with pytest.raises(UsageError, match="docker/Dockerfile") as caught:
        start(project)
    assert "--dockerfile web.Dockerfile" in caught.value.remedy
    with pytest.raises(UsageError, match=r"nope"):
        start(project, None, Path("nope"))
    assert not (tmp_path / "scenario").exists()


def test_a_missing_project_and_a_file_are_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="does not exist"):
        start(tmp_path / "nowhere")
    write(tmp_path, {"file": ""})
    with pytest.raises(UsageError, match="is no folder"):
        start(tmp_path / "file")


@pytest.mark.parametrize("content", [b"FRUM a\n", b"", b"RUN x\n", b"FROM \xff\n"])
def test_a_dockerfile_that_is_none_is_told_and_nothing_is_written(
    project: Path, content: bytes
) -> None:
    (project / "Dockerfile").write_bytes(content)
    with pytest.raises(DockerfileError, match="Dockerfile"):
        start(project)
    assert not (project.parent / "scenario").exists()


def test_a_folder_that_cannot_be_made_is_told(project: Path) -> None:
    write(project.parent, {"file": ""})
    for folder in ("file", "file/below", "x" * 300):
        with pytest.raises(BenchError) as caught:
            start(project, project.parent / folder)
        assert caught.value.remedy


def test_a_project_whose_name_is_not_utf8_is_told(tmp_path: Path) -> None:
    project = write(tmp_path / "\udcff", {"Dockerfile": "FROM a\n"})
    with pytest.raises(UsageError, match="is not UTF-8"):
        start(project)


def test_the_network_is_given_only_where_run_may_download(tmp_path: Path) -> None:
    for number, (line, network) in enumerate(
        {"RUN npm ci": "default", "RUN cat a": "none", "ENV X=npm": "none"}.items()
    ):
        project = write(tmp_path / f"{number}", {"Dockerfile": f"FROM a\n{line}\n"})
        assert start(project, tmp_path / f"s{number}").scenario.network == network


def test_an_argument_that_from_needs_is_asked_for(tmp_path: Path) -> None:
    project = write(tmp_path / "shop", {"Dockerfile": "ARG TAG\nFROM a:${TAG}\n"})
    started = start(project)
    text = started.file.read_text()
    assert '# build_args = { TAG = "..." }' in text
    started.file.write_text(text.replace("# build_args", "build_args"))
    assert load_scenario(started.file).variants[0].build_args == {"TAG": "..."}
