"""The scenario reference names everything that can be written, and its examples are true."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import pytest
from pydantic import TypeAdapter

from bench.changes import OPERATIONS, Change, Operation
from bench.scenario import (
    AccessSpec,
    BaseSpec,
    Expect,
    Probe,
    Reorder,
    ScenarioFile,
    Variant,
    Verdict,
    load_scenario,
)
from bench.scenario.models import Builder, Metric

if TYPE_CHECKING:
    from pydantic import BaseModel

    from bench.changes.operations import OperationBase

README = Path(__file__).parents[2] / "scenarios" / "README.md"
TEXT = README.read_text(encoding="utf-8")
SECTIONS = {
    ScenarioFile: "## The file itself",
    Variant: "## `[[variant]]`",
    Reorder: "`reorder` moves",
    Change: "## `[[change]]`",
    Expect: "## `[[expect]]`",
    Verdict: "## `[[verdict]]`",
    Probe: "## `[[probe]]`",
    AccessSpec: "## `[[access]]`",
    BaseSpec: '## `[base."NAME"]`',
}


def section(heading: str) -> str:
    """The text from a heading to the next one."""
    assert TEXT.count(heading) == 1, heading
    rest = TEXT.split(heading, 1)[1]
    return re.split(r"\n##", rest, maxsplit=1)[0]


@pytest.mark.parametrize("model", SECTIONS, ids=lambda model: model.__name__)
def test_every_key_has_a_row_in_the_table_of_its_section(model: type[BaseModel]) -> None:
    rows = [line.split("|")[1] for line in section(SECTIONS[model]).splitlines() if "|" in line]
    documented = {key for row in rows for key in re.findall(r"`([^`]+)`", row)}
    keys = {field.alias or name for name, field in model.model_fields.items()}
    assert keys <= documented


def steps() -> list[OperationBase]:
    adapter: TypeAdapter[OperationBase] = TypeAdapter(Operation)
    rows = [line.split("|")[1] for line in TEXT.splitlines() if line.startswith("| `{ ")]
    written = [step for row in rows for step in re.findall(r"`(\{.*?\})`(?: or |\s*$)", row)]
    return [adapter.validate_python(tomllib.loads(f"x = {one}")["x"]) for one in written]


def test_every_operation_has_an_example_that_is_right() -> None:
    assert {step.operation for step in steps()} == set(OPERATIONS)


def test_the_examples_of_an_operation_show_each_of_its_keys() -> None:
    shown: dict[str, set[str]] = {}
    for step in steps():
        shown.setdefault(step.operation, set()).update(step.model_fields_set)
    assert shown == {name: set(kind.model_fields) for name, kind in OPERATIONS.items()}


def test_every_builder_and_metric_is_named() -> None:
    for name in (*get_args(Builder), *get_args(Metric)):
        assert f'`"{name}"`' in TEXT


@pytest.mark.parametrize("token", ["{id}", "{port}", "{n}", "{round}"])
def test_every_placeholder_is_explained(token: str) -> None:
    assert f"| `{token}` |" in TEXT


def test_the_whole_file_loads(tmp_path: Path) -> None:
    blocks = re.findall(r"```toml\n(.*?)```", TEXT, flags=re.DOTALL)
    assert len(blocks) == 1
    (tmp_path / "scenario.toml").write_text(blocks[0], encoding="utf-8")
    (tmp_path / "app" / "src").mkdir(parents=True)
    (tmp_path / "app" / "src" / "App.java").write_text("class App {}\n")
    (tmp_path / "Dockerfile").write_text(
        "FROM diamol/maven AS builder\nWORKDIR /src\nCOPY . .\nRUN mvn package\n"
        "FROM diamol/openjdk\nWORKDIR /app\nCOPY --from=builder /src/a.jar .\n"
        'EXPOSE 80\nENTRYPOINT ["java"]\n'
    )
    scenario = load_scenario(tmp_path)
    assert {bool(one) for one in (scenario.expects, scenario.verdicts, scenario.probes)} == {True}


def scenario_folders() -> list[Path]:
    return sorted(one.parent for one in README.parent.glob("*/scenario.toml"))


@pytest.mark.parametrize("folder", scenario_folders(), ids=lambda one: one.name)
def test_every_scenario_that_we_ship_has_no_problem(folder: Path) -> None:
    assert load_scenario(folder).question
