"""Read the log that ``docker buildx build --progress=rawjson`` writes.

A log is a row of JSON objects, one ``SolveStatus`` each (moby/buildkit ``client/graph.go``), one a
line since buildx 0.14 and over several lines in 0.13 (``util/progress/progressui/display.go``).
buildx writes what it says itself, such as the error a build ended with, as plain lines between
them.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bench.builders.status import VertexEvent
from bench.errors import RecordsError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_KEYS = frozenset({"vertexes", "statuses", "logs", "warnings"})
_REMEDY = "write one with: docker buildx build --progress=rawjson … 2> build.jsonl"
_ERROR = re.compile(r"\A(?:ERROR|error): ")
_SHOWN = 60


@dataclass(frozen=True)
class BuildLog:
    """What one log tells: the events of all vertices in order, and the error it ends with."""

    path: Path
    events: tuple[VertexEvent, ...]
    error: str = ""


def read_log(path: Path) -> BuildLog:
    """Read a log.

    Raises:
        RecordsError: it cannot be read, holds no status message, or a message is cut off or is
            something else; the line is named.

    """
    try:
        text = path.read_bytes().decode("utf-8", "replace")
    except OSError as error:
        raise RecordsError(f"{path}: cannot read: {error.strerror}", remedy=_REMEDY) from error
    events: list[VertexEvent] = []
    messages = 0
    said = ""
    for line, part in _parts(text, path):
        if isinstance(part, str):
            said = part if _ERROR.match(part) else said
            continue
        messages += 1
        events += _events(part, path, line)
    if not messages:
        first = next((line for line in text.splitlines() if line.strip()), "")
        what = f"begins with {first[:_SHOWN]!r}" if first else "is empty"
        raise RecordsError(
            f"{path}:1: holds no message of --progress=rawjson; it {what}", remedy=_REMEDY
        )
    failed = next((event.error for event in events if event.error), "")
    return BuildLog(path, tuple(events), _ERROR.sub("", said) or failed)


def _parts(text: str, path: Path) -> Iterator[tuple[int, dict[str, Any] | str]]:
    """Yield every object and every plain line with the number of its (first) line."""
    decoder = json.JSONDecoder()
    at, line, counted = 0, 1, 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        line += text.count("\n", counted, at)
        counted = at
        if text[at] == "{":
            try:
                found, at = decoder.raw_decode(text, at)
            except ValueError as error:
                raise _cut_off(text, at, line, path) from error
            yield line, found
        else:
            end = text.find("\n", at)
            end = len(text) if end < 0 else end
            yield line, text[at:end].rstrip("\r")
            at = end


def _cut_off(text: str, at: int, line: int, path: Path) -> RecordsError:
    shown = text[at : at + _SHOWN].splitlines()[0]
    return RecordsError(
        f"{path}:{line}: this message of the log is cut off or damaged: {shown!r}",
        remedy="remove it if the build was killed there; what comes before is unharmed",
    )


def _events(message: dict[str, Any], path: Path, line: int) -> list[VertexEvent]:
    try:
        if message and not _KEYS & message.keys():
            raise ValueError("it has none of the keys " + ", ".join(sorted(_KEYS)))
        return [_event(vertex) for vertex in message.get("vertexes") or ()]
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        raise RecordsError(
            f"{path}:{line}: not a message of --progress=rawjson: {error}", remedy=_REMEDY
        ) from error


def _event(vertex: Mapping[str, Any]) -> VertexEvent:
    return VertexEvent(
        digest=str(vertex["digest"]),
        inputs=tuple(str(one) for one in vertex.get("inputs") or ()),
        name=str(vertex.get("name", "")),
        cached=bool(vertex.get("cached", False)),
        started=_seconds(vertex.get("started")),
        completed=_seconds(vertex.get("completed")),
        error=str(vertex.get("error", "")),
    )


def _seconds(stamp: str | None) -> float | None:
    """Return a time of Go's RFC 3339 as seconds since the epoch; it has up to nine decimals."""
    return None if stamp is None else dt.datetime.fromisoformat(stamp).timestamp()
