"""A scenario file as far as it can be understood, so that one mistake does not hide the others."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, Generic, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from bench.changes.change import Change
from bench.changes.operations import Operation, OperationBase
from bench.errors import Problem
from bench.scenario.models import AccessSpec, BaseSpec, Expect, Probe, Variant, Verdict
from bench.scenario.problems import Location, dotted, shown

if TYPE_CHECKING:
    from pathlib import Path

M = TypeVar("M", bound=BaseModel)
_OPERATION: TypeAdapter[OperationBase] = TypeAdapter(Operation)


@dataclass(frozen=True)
class Entry(Generic[M]):
    """One table of the file. A field of ``value`` that is wrong in the file is None."""

    location: Location
    raw: dict[str, Any]
    value: M

    @property
    def name(self) -> str | None:
        """The entry's name, also where it is not a usable one."""
        name = self.raw.get("name")
        return name if isinstance(name, str) else None


@dataclass(frozen=True)
class StepEntry:
    """One operation of a change that is right by itself."""

    location: Location
    value: OperationBase


@dataclass
class Draft:
    """The tables of a scenario file, with the problems found in them so far."""

    file: Path
    raw: dict[str, Any]
    variant_entries: list[Entry[Variant]]
    changes: list[Entry[Change]]
    steps: list[list[StepEntry]]
    expects: list[Entry[Expect]]
    verdicts: list[Entry[Verdict]]
    probes: list[Entry[Probe]]
    accesses: list[Entry[AccessSpec]]
    bases: list[Entry[BaseSpec]]
    problems: list[Problem] = field(default_factory=list)

    def report(self, location: Location, value: object, message: str, remedy: str) -> None:
        """Note a problem at a place in the file."""
        text = "" if value is None else shown(value)
        self.problems.append(Problem(str(self.file), dotted(location), text, message, remedy))

    @property
    def directory(self) -> Path:
        """The scenario folder."""
        return self.file.parent

    @property
    def context(self) -> Path:
        """The build context, whether it is there or not."""
        written = self.raw.get("context")
        return self.directory / (written if isinstance(written, str) and written else ".")

    @property
    def variants(self) -> list[Variant]:
        """The variants, as far as they are understood."""
        return [entry.value for entry in self.variant_entries]


def draft(file: Path, raw: dict[str, Any]) -> Draft:
    """Understand as much of the file as possible; nothing is reported here."""
    changes = _entries(Change, raw, "change")
    tables = raw.get("base")
    bases = tables.items() if isinstance(tables, dict) else ()
    return Draft(
        file=file,
        raw=raw,
        variant_entries=_entries(Variant, raw, "variant"),
        changes=changes,
        steps=[_steps(entry) for entry in changes],
        expects=_entries(Expect, raw, "expect"),
        verdicts=_entries(Verdict, raw, "verdict"),
        probes=_entries(Probe, raw, "probe"),
        accesses=_entries(AccessSpec, raw, "access"),
        bases=[
            Entry(("base", name), one, lenient(BaseSpec, one))
            for name, one in bases
            if isinstance(one, dict)
        ],
    )


def lenient(model: type[M], raw: dict[str, Any]) -> M:
    """Read a table field by field; what is wrong becomes its default, what is missing None."""
    try:
        return model.model_validate(raw)
    except ValidationError:
        values = {name: _field(model, name, raw) for name in model.model_fields}
        return model.model_construct(None, **_by_alias(model, values))


def _field(model: type[BaseModel], name: str, raw: dict[str, Any]) -> Any:
    info = model.model_fields[name]
    key = info.alias or name
    default = None if info.is_required() else info.get_default(call_default_factory=True)
    if key not in raw:
        return default
    annotated: Any = Annotated
    adapter: TypeAdapter[Any] = TypeAdapter(annotated[(info.annotation, *info.metadata, name)])
    try:
        return adapter.validate_python(raw[key])
    except ValidationError:
        # A name that cannot be used still names the entry for all that refer to it.
        return raw[key] if name == "name" and isinstance(raw[key], str) else default


def _by_alias(model: type[BaseModel], values: dict[str, Any]) -> dict[str, Any]:
    return {model.model_fields[name].alias or name: value for name, value in values.items()}


def _entries(model: type[M], raw: dict[str, Any], key: str) -> list[Entry[M]]:
    listed = raw.get(key)
    if not isinstance(listed, list):
        return []
    return [
        Entry((key, index), one, lenient(model, one))
        for index, one in enumerate(listed)
        if isinstance(one, dict)
    ]


def _steps(entry: Entry[Change]) -> list[StepEntry]:
    listed = entry.raw.get("steps")
    found = []
    for index, one in enumerate(listed if isinstance(listed, list) else ()):
        try:
            step = _OPERATION.validate_python(one)
        except ValidationError:
            continue
        found.append(StepEntry((*entry.location, "steps", index, step.operation), step))
    return found
