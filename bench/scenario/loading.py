"""Reading a scenario file: every problem in it is found before one error is raised."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from bench.errors import Problem, ScenarioError
from bench.scenario.checks import check_tables
from bench.scenario.draft import Draft, draft
from bench.scenario.models import Scenario, ScenarioFile
from bench.scenario.problems import dotted, explain, place, shown
from bench.scenario.sources import (
    check_accessed_steps,
    check_context,
    check_dockerfiles,
    check_expected_steps,
    check_images_and_args,
)
from bench.scenario.tree import check_changes

if TYPE_CHECKING:
    from pathlib import Path

SCENARIO_FILE = "scenario.toml"


def load_scenario(path: Path) -> Scenario:
    """Read the scenario in ``path``: a folder with a ``scenario.toml``, or the file itself.

    Raises:
        ScenarioError: with every problem found in the file.

    """
    file = _locate(path)
    raw = _toml(file, _text(file))
    problems: list[Problem] = []
    parsed: ScenarioFile | None = None
    try:
        parsed = ScenarioFile.model_validate(raw)
    except ValidationError as error:
        problems += _schema_problems(file, raw, error)
    understood = draft(file, raw)
    _check(understood)
    problems += understood.problems
    if problems or parsed is None:
        raise ScenarioError(problems)
    return _resolved(file, parsed)


def _locate(path: Path) -> Path:
    try:
        if path.is_dir():
            file = path / SCENARIO_FILE
            missing = "there is no scenario.toml in this folder"
        else:
            file = path
            missing = "there is no such file or folder"
        if file.is_file():
            return file
    except (OSError, ValueError) as error:
        missing = f"cannot be looked at: {error}"
    raise _single(path, "", missing, "give a folder with a scenario.toml, or write one: bench init")


def _text(file: Path) -> str:
    try:
        # A byte order mark, as some editors write, is no part of the text.
        return file.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        message = f"is not UTF-8: byte {error.start} is {error.object[error.start]:#04x}"
        raise _single(file, "", message, "save the file as UTF-8") from error
    except OSError as error:
        message = f"cannot be read: {error.strerror}"
        raise _single(file, "", message, "make the file readable") from error


def _toml(file: Path, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except RecursionError as error:
        message = "is nested too deeply"
        raise _single(file, "", message, "write it with fewer brackets") from error
    except ValueError as error:  # also a number too long to read
        where = re.search(r"\(at (.+)\)$", str(error))
        message = re.sub(r" \(at .+\)$", "", str(error))
        key = where[1] if where else ""
        raise _single(file, key, f"is not TOML: {message}", "mend the syntax there") from error


def _single(file: Path, key: str, message: str, remedy: str) -> ScenarioError:
    return ScenarioError([Problem(str(file), key, "", message, remedy)])


def _schema_problems(file: Path, raw: dict[str, Any], error: ValidationError) -> list[Problem]:
    found = []
    for one in error.errors(include_url=False):
        location = place(one["loc"])
        value = "" if one["type"] == "missing" else shown(_value(raw, location))
        message, remedy = explain(one)
        found.append(Problem(str(file), dotted(location), value, message, remedy))
    return found


def _value(raw: Any, location: tuple[int | str, ...]) -> object:
    value = raw
    for part in location:
        try:
            value = value[part]
        except (KeyError, IndexError, TypeError):
            break
    return value


def _check(understood: Draft) -> None:
    check_tables(understood)
    context_is_there = check_context(understood)
    dockerfiles = check_dockerfiles(understood)
    check_expected_steps(understood, dockerfiles)
    check_accessed_steps(understood, dockerfiles)
    check_images_and_args(understood, dockerfiles)
    check_changes(understood, dockerfiles, context_is_there=context_is_there)


def _resolved(file: Path, parsed: ScenarioFile) -> Scenario:
    directory = file.resolve().parent
    name = scenario_name(directory.name if file.name == SCENARIO_FILE else file.stem)
    return Scenario(
        name=name,
        directory=directory,
        file=file.resolve(),
        title=parsed.title or name,
        question=parsed.question,
        title_i18n=parsed.title_i18n,
        question_i18n=parsed.question_i18n,
        context=(directory / parsed.context).resolve(),
        baseline=parsed.baseline or parsed.variant[0].name,
        network=parsed.network,
        variants=parsed.variant,
        changes=parsed.change,
        expects=parsed.expect,
        verdicts=parsed.verdict,
        probes=parsed.probe,
        accesses=parsed.access,
        bases=parsed.base,
    )


def scenario_name(folder: str) -> str:
    """Return ``folder`` as a name that fits tags and file names."""
    return re.sub(r"[^a-z0-9]+", "-", folder.lower()).strip("-")[:63].strip("-") or "scenario"
