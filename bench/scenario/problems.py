"""Problems of a scenario file: pydantic's errors told as file, dotted key, value and remedy."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from bench.changes.change import Change
from bench.changes.nearest import suggestion
from bench.changes.operations import OPERATIONS
from bench.scenario.models import (
    AccessSpec,
    BaseSpec,
    Expect,
    Probe,
    Reorder,
    ScenarioFile,
    Variant,
    Verdict,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pydantic import BaseModel
    from pydantic_core import ErrorDetails

Location = tuple[int | str, ...]

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_LONGEST_VALUE = 80
_TABLES: dict[str, type[BaseModel]] = {
    "variant": Variant,
    "change": Change,
    "expect": Expect,
    "verdict": Verdict,
    "probe": Probe,
    "access": AccessSpec,
    "base": BaseSpec,
}
_KINDS = {
    "string_type": ("is no text", "write a text in quotes"),
    "int_type": ("is no whole number", "write a whole number, without quotes"),
    "float_type": ("is no number", "write a number, without quotes"),
    "finite_number": ("is no finite number", "write a finite number"),
    "bool_type": ("is neither true nor false", "write true or false"),
    "literal_error": ("is not a known value", ""),
    "dict_type": ("is no table", "write a table: { key = value }"),
    "model_type": ("is no table", "write a table: { key = value }"),
    "tuple_type": ("is no list", "write a list: [ ... ]"),
    "missing": ("is missing", ""),
    "extra_forbidden": ("is not a known key", ""),
    "string_too_short": ("is empty", "write some text"),
}


def dotted(location: Iterable[int | str]) -> str:
    """Write a place in the file as ``change[2].steps[0].append``."""
    text = ""
    for part in location:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            key = part if _BARE_KEY.fullmatch(part) else json.dumps(part, ensure_ascii=False)
            text += f".{key}" if text else key
    return text


def shown(value: object) -> str:
    """Write a value of the file for a message, on one line and not too long."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _LONGEST_VALUE else text[: _LONGEST_VALUE - 1] + "…"


def place(location: Sequence[int | str]) -> Location:
    """Return pydantic's location without what is not in the file: union tags and key marks."""
    parts = [part for part in location if part != "[key]"]
    if len(parts) > 4 and parts[0] == "change" and parts[2] == "steps":
        del parts[4]
    return tuple(parts)


def explain(error: ErrorDetails) -> tuple[str, str]:
    """Return the message and the remedy of one of pydantic's errors."""
    location = error["loc"]
    kind = error["type"]
    context = error.get("ctx", {})
    if kind == "scenario":
        return str(context["message"]), str(context["remedy"])
    message, remedy = _KINDS.get(kind, (_lowered(error["msg"]), ""))
    if kind == "missing":
        remedy = _add(location)
    elif kind == "extra_forbidden":
        remedy = suggestion(str(location[-1]), _keys(_model(location[:-1])), "known keys")
    elif kind == "literal_error":
        known = re.findall(r"'([^']*)'", str(context.get("expected", "")))
        remedy = suggestion(str(error["input"]), known, "values") if known else "write true"
    elif kind == "tuple_type" and len(location) == 1:
        remedy = f"begin each {location[0]} with a line [[{location[0]}]]"
    meaning = _meaning(location)
    return message, remedy or (f"mend the value: {meaning}" if meaning else "mend the value")


def _add(location: Sequence[int | str]) -> str:
    key = location[-1]
    meaning = _meaning(location)
    where = f" to [[{location[0]}]]" if location[0] in _TABLES and len(location) > 1 else ""
    return f"add {key} = ...{where}" + (f": {meaning}" if meaning else "")


def _lowered(message: str) -> str:
    return message.replace("Input should be", "has to be").rstrip(".")


def _model(location: Sequence[int | str]) -> type[BaseModel] | None:
    """Return the model that stands at pydantic's location (which has the union's tags)."""
    names = [part for part in location if not isinstance(part, int)]
    if not names:
        return ScenarioFile
    if names[0] == "change" and names[1:2] == ["steps"]:
        return OPERATIONS.get(names[2]) if len(names) > 2 else None
    if names[0] == "variant" and names[1:2] == ["reorder"]:
        return Reorder
    depth = 2 if names[0] == "base" else 1
    return _TABLES.get(names[0]) if len(names) == depth else None


def _keys(model: type[BaseModel] | None) -> list[str]:
    fields: dict[str, Any] = dict(model.model_fields) if model else {}
    return [field.alias or name for name, field in fields.items()]


def _meaning(location: Sequence[int | str]) -> str:
    """Return what the key at pydantic's location means, from the model's documentation."""
    parts = list(location)
    while parts and isinstance(parts[-1], int):
        parts.pop()
    if not parts or (model := _model(parts[:-1])) is None:
        return ""
    for name, field in model.model_fields.items():
        if (field.alias or name) == parts[-1]:
            return " ".join((field.description or "").split())
    return ""
