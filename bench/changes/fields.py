"""The types of values that stand in a scenario file, each with a message that says the remedy."""

from __future__ import annotations

import math
import re
from typing import Annotated, Any, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
)
from pydantic_core import PydanticCustomError

from bench.changes.paths import path_fault

T = TypeVar("T")


class Input(BaseModel):
    """A table of the scenario file: unknown keys are refused, values do not change."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", regex_engine="python-re", use_attribute_docstrings=True
    )


def fault(message: str, remedy: str) -> PydanticCustomError:
    """Make the error a validator raises; braces in the texts are safe."""
    return PydanticCustomError("scenario", "{message}", {"message": message, "remedy": remedy})


NAME_PATTERN = r"^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*$"
"""Fits a file name, an image tag and an image repository (distribution/reference grammar)."""
NAME_LENGTH = 63


def _name(value: str) -> str:
    if len(value) > NAME_LENGTH or not re.fullmatch(NAME_PATTERN, value):
        remedy = "use lower-case letters, digits and single . _ or - between them, at most 63"
        raise fault("cannot be used in file names and image tags", remedy)
    return value


def _path(value: str) -> str:
    if reason := path_fault(value):
        raise fault(reason, "give a path relative to the context that stays inside it")
    return value


def _no_nul(value: str) -> str:
    if "\0" in value:
        raise fault("holds a NUL character", "leave it out: no argument or variable can hold one")
    return value


def _mode(value: str) -> str:
    if not re.fullmatch(r"0?[0-7]{3,4}", value):
        raise fault("is no file mode", 'write three or four octal digits, such as "0755"')
    return value


def _one_line(value: str) -> str:
    if not value.strip() or "\n" in value or "\r" in value:
        raise fault("is not one line of text", "write one pattern without line breaks")
    return value


def _revision(value: str) -> str:
    if not value.strip() or value.startswith("-") or re.search(r"[\s\0]", value):
        raise fault("is no git revision", "name a commit, a tag or a branch, such as HEAD~1")
    return value


def _variable(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", value):
        raise fault("is no variable name", "use letters, digits and _, not beginning with a digit")
    return value


def _command(value: tuple[str, ...]) -> tuple[str, ...]:
    if not value or not value[0]:
        raise fault("names no command", 'write a list, such as ["npm", "version", "patch"]')
    return value


def _scalar(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        raise fault("is no finite number", "write a number, a text, true or false")
    if not isinstance(value, (str, bool, int, float)):
        raise fault("is no single value", "write a text, a number, true or false")
    return value


def not_empty(value: tuple[T, ...]) -> tuple[T, ...]:
    """Refuse an empty list; unlike ``min_length`` this is silent where an entry is wrong."""
    if not value:
        raise fault("is empty", "give at least one entry")
    return value


Name = Annotated[
    StrictStr,
    AfterValidator(_name),
    Field(json_schema_extra={"pattern": NAME_PATTERN, "maxLength": NAME_LENGTH}),
]
ContextPath = Annotated[StrictStr, AfterValidator(_path)]
Argument = Annotated[StrictStr, AfterValidator(_no_nul)]
Mode = Annotated[StrictStr, AfterValidator(_mode)]
Line = Annotated[StrictStr, AfterValidator(_one_line), AfterValidator(_no_nul)]
Revision = Annotated[StrictStr, AfterValidator(_revision)]
Variable = Annotated[StrictStr, AfterValidator(_variable)]
Command = Annotated[tuple[Argument, ...], AfterValidator(_command)]
Scalar = Annotated[
    StrictStr | StrictBool | StrictInt | Annotated[float, Field(strict=True, allow_inf_nan=False)],
    BeforeValidator(_scalar),
]
