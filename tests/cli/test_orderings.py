"""``bench orderings`` as a user meets it: tables, JSON, the graph, wrong inputs; no engine."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from bench.dockerfile import parse
from bench.errors import ExitCode
from bench.orderings.ordering import Ordering, arranged
from tests.scenario.starting import write
from tests.scenarios.shipped import FOLDER, NAMES
from tests.support.command import bench_here

if TYPE_CHECKING:
    import os
    from pathlib import Path

DOCKERFILE = """\
FROM alpine
COPY src /src/
COPY deps /deps/
RUN make
EXPOSE 80
CMD ["/app/run"]
"""
SCENARIO = """\
context = "app"
[[variant]]
name = "as-written"
dockerfile = "Dockerfile"
[[access]]
step = "0:RUN make"
reads = ["/deps"]
writes = ["/out"]
[[change]]
name = "edit-source"
weight = 9
steps = [{ append = "src/main", text = "{id}" }]
[[change]]
name = "edit-deps"
weight = 1
steps = [{ append = "deps/list", text = "{id}" }]
[[change]]
name = "add-step"
weight = 1
steps = [{ dockerfile = "RUN make", with = "RUN make\\nRUN {id}" }]
"""


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    files = {
        "Dockerfile": DOCKERFILE,
        "scenario.toml": SCENARIO,
        "app/src/main": "m",
        "app/deps/list": "l",
    }
    write(tmp_path / "moving", files)
    return tmp_path / "moving"


def shown(*arguments: str | os.PathLike[str], folder: Path, columns: int = 120) -> str:
    found = bench_here("orderings", *arguments, columns=columns, folder=folder)
    assert found.returncode == ExitCode.OK, found.stderr
    return found.stdout


def document(*arguments: str | os.PathLike[str], folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(shown(*arguments, "--json", folder=folder))
    return found


def test_the_best_is_shown_with_its_gain_and_what_moves(scenario: Path) -> None:
    text = shown(scenario, "--builder", "buildkit", folder=scenario)
    assert "60 legal orderings; buildkit can tell 3 apart" in text
    assert "COPY src /src/ now stands after RUN make" in text
    assert "as written" in text
    assert (
        "no link in the base image" in text.partition("The best makes the same image because:")[2]
    )
    assert "step times: guessed" in text
    assert "note: the change add-step is left out: it adds" in text


def test_json_holds_every_ordering_and_all_that_it_was_ranked_by(scenario: Path) -> None:
    found = document(scenario, folder=scenario)
    classic, buildkit = found["builders"]
    assert [one["builder"] for one in (classic, buildkit)] == ["classic", "buildkit"]
    assert len(buildkit["ranked"]) == buildkit["classes"] == 3
    assert len(classic["ranked"]) == classic["classes"] == classic["orderings"]
    assert sum(one["alike"] for one in buildkit["ranked"]) == buildkit["orderings"]
    assert buildkit["optimal"]
    assert buildkit["complete"]
    best = buildkit["ranked"][0]
    assert best["rank"] == 1
    assert best["expected_seconds"] < buildkit["written"]["expected_seconds"]
    assert [one["change"] for one in best["rebuilds"]] == ["edit-source", "edit-deps"]
    dockerfile = parse(DOCKERFILE)
    moved = arranged(dockerfile, Ordering(tuple(map(tuple, best["ordering"]))))
    assert [one.keyword for one in moved.stages[0].instructions][:4] == [
        "FROM",
        "COPY",
        "RUN",
        "COPY",
    ]
    assert moved.stages[0].instructions[1].text == "COPY deps /deps/"
    assert {one["change"] for one in found["left_out"]} == {"add-step"}
    weights = {one["change"]: one["weight"] for one in buildkit["changes"]}
    assert weights == pytest.approx({"edit-source": 0.9, "edit-deps": 0.1})


def test_a_small_limit_searches_and_says_what_it_proved(scenario: Path) -> None:
    text = shown(scenario, "--builder", "classic", "--limit", "5", folder=scenario)
    assert "5 of them were tried, the most promising first" in text
    found = document(scenario, "--builder", "classic", "--limit", "5", folder=scenario)["builders"][
        0
    ]
    assert not found["complete"]
    assert found["bound_seconds"] <= found["ranked"][0]["expected_seconds"]


def test_a_change_that_was_named_and_cannot_be_ranked_is_refused(scenario: Path) -> None:
    found = bench_here("orderings", scenario, "--change", "add-step", folder=scenario)
    assert found.returncode == ExitCode.USAGE
    assert "add-step" in found.stderr
    assert "--change" in found.stderr


def test_a_builder_that_does_not_understand_the_dockerfile_is_named(scenario: Path) -> None:
    text = DOCKERFILE.replace("RUN make", "RUN --mount=type=cache,target=/c make")
    (scenario / "Dockerfile").write_text(text)
    toml = SCENARIO.replace("RUN make", "RUN --mount=type=cache,target=/c make")
    (scenario / "scenario.toml").write_text(toml)
    found = bench_here("orderings", scenario, folder=scenario)
    assert found.returncode == ExitCode.USAGE
    assert "line 4" in found.stderr
    assert "--builder" in found.stderr
    assert shown(scenario, "--builder", "buildkit", folder=scenario)


def test_the_graph_is_drawn(scenario: Path, tmp_path: Path) -> None:
    shown(scenario, "--graph", tmp_path / "order.svg", folder=scenario)
    assert "<svg" in (tmp_path / "order.svg").read_text()
    refused = bench_here("orderings", scenario, "--graph", "order.png", folder=scenario)
    assert refused.returncode == ExitCode.USAGE
    assert "order.svg" in refused.stderr


def test_an_unknown_variant_is_told(scenario: Path) -> None:
    found = bench_here("orderings", scenario, "--variant", "nothing", folder=scenario)
    assert found.returncode == ExitCode.USAGE
    assert "it has as-written" in found.stderr


@pytest.mark.parametrize("name", NAMES)
def test_every_shipped_scenario_can_be_ranked(name: str, tmp_path: Path) -> None:
    found = document(FOLDER / name, folder=tmp_path)
    for builder in found["builders"]:
        assert builder["ranked"]
        written = builder["written"]["expected_seconds"]
        assert builder["ranked"][0]["expected_seconds"] <= written + 1e-9
