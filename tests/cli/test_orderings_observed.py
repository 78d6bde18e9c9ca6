"""``bench orderings --observe`` on a real engine."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from bench.errors import ExitCode
from tests.support.command import bench_here

if TYPE_CHECKING:
    from pathlib import Path

SCENARIO = """\
context = "app"
[[variant]]
name = "as-written"
dockerfile = "Dockerfile"
[[change]]
name = "edit-docs"
weight = 1
steps = [{ append = "docs/page", text = "{id}" }]
"""
FILES = {"app/docs/page": "p\n", "app/src/one": "1\n", "scenario.toml": SCENARIO}


@pytest.fixture
def scenario(default_busybox_image: str, tmp_path: Path) -> Path:
    dockerfile = (
        f"FROM {default_busybox_image}\nWORKDIR /app\nCOPY docs docs/\nCOPY src src/\n"
        "RUN cat src/one >out\n"
    )
    for path, text in {**FILES, "Dockerfile": dockerfile}.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    return tmp_path


@pytest.mark.engine
def test_what_was_seen_lets_more_move_and_is_shown(scenario: Path) -> None:
    unseen = json.loads(bench_here("orderings", scenario, "--json").stdout)
    shown = bench_here("orderings", scenario, "--observe", "--json")
    assert shown.returncode == ExitCode.OK
    seen = json.loads(shown.stdout)
    (run,) = seen["observed"]
    assert (run["line"], run["writes"], run["why_not"]) == (5, ["/app/out"], None)
    assert "/app/src/one" in run["reads"]
    best = seen["builders"][0]["ranked"][0]
    assert seen["builders"][0]["orderings"] > unseen["builders"][0]["orderings"]
    assert best["expected_seconds"] < seen["builders"][0]["written"]["expected_seconds"]
    assert any("real build" in text or "watched" in text for text in best["relies_on"])


@pytest.mark.engine
def test_what_was_seen_is_told_in_words(scenario: Path) -> None:
    shown = bench_here("orderings", scenario, "--observe", "--builder", "classic", columns=300)
    assert shown.returncode == ExitCode.OK
    assert "watching what the RUN reads and writes in one build on classic" in shown.stderr
    assert "line 5: RUN cat src/one >out: reads /app/., /app/src/one, " in shown.stdout
    assert "writes /app/out" in shown.stdout


@pytest.mark.engine
def test_where_nothing_can_be_watched_it_says_why(
    scenario: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    shown = bench_here("orderings", scenario, "--observe")
    assert shown.returncode == ExitCode.NO_ENGINE
    assert "strace is not installed" in shown.stderr
    assert "bench engine start --install" in shown.stderr
