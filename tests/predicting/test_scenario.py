"""The states of a scenario: as `bench run` would build them, from a scratch copy alone."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from bench.errors import ChangeError, ScenarioError
from bench.predicting import scenario_states
from bench.scenario import load_scenario
from bench.workspace import ClientRule
from tests.scenario.starting import write

if TYPE_CHECKING:
    from pathlib import Path

    from bench.scenario import Scenario

SCENARIO = """
context = "app"
[[variant]]
name = "only"
dockerfile = "Dockerfile"
target = "t"
build_args = { V = "1" }
[[change]]
name = "edit"
steps = [{ append = "a", text = "{id} {n} {round}" }]
[[change]]
name = "port"
steps = [{ dockerfile = "EXPOSE 80", with = "EXPOSE {port}" }]
[[change]]
name = "arg"
steps = [{ build_arg = "V", value = "2" }]
[[change]]
name = "base"
steps = [{ base = "alpine" }]
[[change]]
name = "break"
steps = [{ dockerfile = "RUN x", with = "RUM x" }]
[[change]]
name = "nothing"
steps = [{ run = ["true"] }]
"""
FILES = {
    "scenario.toml": SCENARIO,
    "Dockerfile": "FROM alpine AS t\nARG V\nRUN x\nEXPOSE 80\nCOPY . .\n",
    "app/a": "a",
}
GOOD = ("edit", "port", "arg", "base")


@pytest.fixture
def scenario(tmp_path: Path) -> Scenario:
    return load_scenario(write(tmp_path / "scenario", FILES))


def test_every_change_is_made_to_the_pristine_tree(scenario: Scenario, tmp_path: Path) -> None:
    first, *later = scenario_states(scenario, "only", GOOD, ClientRule, tmp_path / "scratch")
    by_name = {state.change: state for state in later}

    assert (first.change, first.target, first.network) == ("", "t", "none")
    assert first.build_args == {"V": "1"}
    manifest = first.manifests[ClientRule.BUILDKIT]
    assert list(manifest) == ["Dockerfile", "a"]
    assert manifest.diff(by_name["edit"].manifests[ClientRule.BUILDKIT]).content_changed == ("a",)
    for name in ("arg", "base"):
        assert manifest.diff(by_name[name].manifests[ClientRule.CLASSIC]).is_empty
    assert "EXPOSE 10" in by_name["port"].dockerfile.text
    assert "EXPOSE 80" in by_name["arg"].dockerfile.text
    assert by_name["arg"].build_args == {"V": "2"}
    assert list(by_name["base"].base_layers) == ["alpine"]


def test_the_users_tree_is_not_written(scenario: Scenario, tmp_path: Path) -> None:
    folder = scenario.directory
    before = {path: os.lstat(path).st_mtime_ns for path in folder.rglob("*")}

    list(scenario_states(scenario, "only", GOOD, ClientRule, tmp_path / "scratch"))

    assert {path: os.lstat(path).st_mtime_ns for path in folder.rglob("*")} == before


def test_the_same_scenario_gives_the_same_states(scenario: Scenario, tmp_path: Path) -> None:
    one, two = (
        [
            [entry.sha256 for entry in state.manifests[ClientRule.BUILDKIT].values()]
            for state in scenario_states(scenario, "only", GOOD, ClientRule, tmp_path / name)
        ]
        for name in ("one", "two")
    )

    assert one == two


@pytest.mark.parametrize(
    ("change", "says"),
    [("break", r"'break' breaks the Dockerfile.*RUM"), ("nothing", "'nothing'.*every file")],
)
def test_a_change_that_cannot_be_made_is_named(
    scenario: Scenario, tmp_path: Path, change: str, says: str
) -> None:
    with pytest.raises(ChangeError, match=says):
        list(scenario_states(scenario, "only", [change], ClientRule, tmp_path / "scratch"))


def test_a_variant_may_have_an_ignore_file_of_its_own(tmp_path: Path) -> None:
    variant = '[[variant]]\nname = "ignoring"\ndockerfile = "Dockerfile"\ndockerignore = "less"\n'
    files = {**FILES, "scenario.toml": f'context = "app"\n{variant}', "less": "b\n"}
    loaded = load_scenario(
        write(tmp_path / "own", {**files, "app/b": "b", "app/.dockerignore": "a"})
    )
    (state,) = scenario_states(loaded, "ignoring", (), [ClientRule.BUILDKIT], tmp_path / "scratch")
    assert sorted(state.manifests[ClientRule.BUILDKIT]) == [".dockerignore", "Dockerfile", "a"]
    assert (loaded.context / ".dockerignore").read_text() == "a"


def test_an_ignore_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    text = SCENARIO.replace('target = "t"', 'target = "t"\ndockerignore = "absent"')
    with pytest.raises(ScenarioError, match=r'variant\[0\].dockerignore = "absent": .*no file'):
        load_scenario(write(tmp_path / "own", {**FILES, "scenario.toml": text}))
