"""``bench init`` as a newcomer meets it: what is written, what comes next, wrong inputs."""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING

import pytest

from tests.scenario.starting import write
from tests.support.command import bench

if TYPE_CHECKING:
    from pathlib import Path

FILES = {
    "Dockerfile": 'FROM a\nWORKDIR /app\nCOPY . .\nEXPOSE 80\nCMD ["./main.py"]\n',
    "main.py": "print(1)\n",
}


@pytest.mark.parametrize("name", ["shop", "a b", "q\"'$x", "ü한", "line\nbreak"])
def test_its_scenario_can_be_planned_by_the_command_it_names(tmp_path: Path, name: str) -> None:
    project = write(tmp_path / name, FILES)
    status, said = bench("init", str(project), "--out", str(tmp_path / f"{name}-out"))
    assert status == 0, said
    assert "variants: as-written, metadata-first" in said
    assert "edit-main-py (weight 10), edit-port (weight 1), none (weight 0)" in said
    commands = shlex.split(said.partition("Next:")[2])
    folder = commands[commands.index("plan") + 1]
    assert folder == str(tmp_path / f"{name}-out")
    status, said = bench("plan", folder)
    assert status == 0, said
    assert "metadata-first" in said


def test_without_out_it_goes_to_scenarios_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "My Shop", FILES)
    monkeypatch.setenv("PYTHONPATH", os.getcwd())  # noqa: PTH109
    monkeypatch.chdir(tmp_path)
    status, said = bench("init", "My Shop")
    assert status == 0, said
    assert (tmp_path / "scenarios" / "my-shop" / "scenario.toml").is_file()


def test_a_scenario_in_the_context_is_warned_of(tmp_path: Path) -> None:
    project = write(tmp_path / "shop", FILES)
    status, said = bench("init", str(project), "--out", str(project / "measure"))
    assert status == 0
    assert ".dockerignore" in said


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nowhere"], "nowhere does not exist"),
        (["EMPTY"], "--dockerfile FILE"),
        (["SHOP", "--dockerfile", "Web"], "there is no Dockerfile; looked at Web"),
        (["BROKEN"], "unknown instruction FRUM; did you mean FROM?"),
        (["SHOP", "--out", "TAKEN"], "is there already and is not overwritten"),
        (["SHOP", "--out", "TAKEN/scenario.toml"], "give another --out"),
        ([], "DIR"),
    ],
)
def test_wrong_input_gets_one_clear_message(
    tmp_path: Path, arguments: list[str], says: str
) -> None:
    write(tmp_path / "SHOP", FILES)
    write(tmp_path / "TAKEN", {"scenario.toml": "mine"})
    write(tmp_path / "BROKEN", {"Dockerfile": "FRUM a\n"})
    (tmp_path / "EMPTY").mkdir()
    known = ("SHOP", "TAKEN", "BROKEN", "EMPTY")
    words = [str(tmp_path / one) if one.startswith(known) else one for one in arguments]
    status, said = bench("init", *words)
    assert status == 2
    assert says in said
    assert "Traceback" not in said
    assert (tmp_path / "TAKEN" / "scenario.toml").read_text() == "mine"
