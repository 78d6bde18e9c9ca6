"""``bench replay``: what it prints, what it refuses, and with which exit status it ends."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from bench.cli.replay import replay
from bench.cli.report import report
from bench.cli.run import run
from bench.errors import ExitCode, UsageError
from tests.replaying.conftest import make_six

if TYPE_CHECKING:
    from pathlib import Path

    import click


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The repository of six commits, seen from an empty folder beside it."""
    monkeypatch.chdir(tmp_path)
    return make_six(tmp_path / "shop", "alpine").folder


def invoke(*arguments: object, command: click.Command = replay) -> tuple[int, str]:
    result = CliRunner().invoke(
        command,
        [str(argument) for argument in arguments],
        catch_exceptions=False,
        standalone_mode=False,
        env={"COLUMNS": "120"},
    )
    return int(result.return_value or 0), result.output


def test_the_sums_and_the_causes_are_printed(shop: Path) -> None:
    code, said = invoke(shop, "--commits", 6, "--builder", "simulated", "--out", "out")

    assert code == ExitCode.OK
    assert "SIMULATED: 6 commits on simulated-classic" in said
    assert "18 of 25" in said
    assert "file-content: src/a" in said
    assert "12 simulated builds in out" in said
    assert "next: bench report out" in said


def test_json_holds_every_build_with_its_roots(shop: Path) -> None:
    arguments = ("--commits", 6, "--builder", "simulated-buildkit", "--out", "out", "--json")
    code, said = invoke(shop, *arguments)
    document = json.loads(said)

    assert code == ExitCode.OK
    assert document["run"] == "out"
    builds = document["replay"]["builds"]
    assert [one["is_cold"] for one in builds] == [True] + 5 * [False]
    assert builds[2]["roots"][0]["files"] == ["src/a"]
    assert document["replay"]["totals"][0]["hits"] == 18


def test_by_default_there_may_be_fewer_commits_than_twenty(shop: Path) -> None:
    code, said = invoke(shop, "--builder", "simulated-classic", "--out", "out")

    assert code == ExitCode.OK
    assert "only 6 commits touch the repository; 20 were asked for" not in said
    assert "there are only 6 commits" in said


def test_a_build_that_fails_is_told_and_ends_with_4(shop: Path) -> None:
    code, said = invoke(
        shop, "--commits", 2, "--target", "nowhere", "--builder", "simulated-classic"
    )

    assert code == ExitCode.BUILD_FAILED
    assert "there is no stage nowhere in this commit" in said


def test_report_and_resume_take_the_folder(shop: Path) -> None:
    invoke(shop, "--builder", "simulated-classic", "--out", "out")
    code, said = invoke("--resume", "out")
    assert code == ExitCode.OK
    assert "6 simulated builds in out" in said
    _, said = invoke("out", command=report)

    assert "Replay of shop: 6 commits" in said
    assert "why steps missed" in said


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "name the folder of a git repository"),
        (("shop", "--resume", "out"), "--resume takes no REPO"),
        (("shop", "--commits", "7"), "ask for --commits 6"),
        ((".",), "git finds no repository here"),
    ],
)
@pytest.mark.usefixtures("shop")
def test_mistakes_name_their_remedy(arguments: tuple[str, ...], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        invoke(*arguments)


def test_run_does_not_go_on_with_a_replay(shop: Path) -> None:
    invoke(shop, "--builder", "simulated-classic", "--out", "out")

    with pytest.raises(UsageError, match="bench replay --resume out"):
        invoke("--resume", "out", command=run)
    with pytest.raises(UsageError, match="bench replay --resume out"):
        invoke(shop, "--builder", "simulated-classic", "--out", "out")
