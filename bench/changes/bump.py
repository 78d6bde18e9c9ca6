"""`bump`: changing one value in a JSON, TOML or XML text, everything else byte for byte."""

from __future__ import annotations

import json
import math
import tomllib
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import tomlkit
from tomlkit.exceptions import TOMLKitError

from bench.changes.keys import KeyPath, parse_key
from bench.changes.nearest import suggestion
from bench.changes.work import nothing_changed
from bench.changes.xml_value import replace_xml_value
from bench.errors import ChangeError

if TYPE_CHECKING:
    from collections.abc import Callable

Value = str | bool | int | float

_TOML_NAMES = {"Cargo.lock", "poetry.lock", "uv.lock", "pdm.lock", "Pipfile"}
_JSON_NAMES = {"Pipfile.lock", "composer.lock"}
_XML_SUFFIXES = {".xml", ".pom", ".csproj", ".fsproj", ".vbproj", ".props", ".targets", ".config"}
_WHITE = " \t\r\n"


def bump(name: str, content: bytes, key: str, value: Value) -> bytes:
    """Return ``content`` with the value at ``key`` changed; ``name`` tells the format.

    Raises:
        ChangeError: the text does not parse, has no such value, or has this value already.

    """
    try:
        path = parse_key(key)
    except ValueError as error:
        remedy = 'write it like dependencies.express or items[0]."dotted.name"'
        raise ChangeError(f"key {key!r} is no dotted key", remedy=remedy) from error
    try:
        return _format(name, content)(content, path, value)
    except RecursionError as error:
        raise ChangeError(f"{name} is nested too deeply", remedy="use replace") from error
    except UnicodeError as error:
        raise ChangeError(
            f"{name} is not UTF-8", remedy="save it as UTF-8, or use replace"
        ) from error
    except (ValueError, LookupError, TOMLKitError) as error:
        raise ChangeError(
            f"{name} does not parse: {error}", remedy="mend the file, or use replace"
        ) from error


def _format(name: str, content: bytes) -> Callable[[bytes, KeyPath, Value], bytes]:
    base = PurePosixPath(name).name
    suffix = PurePosixPath(name).suffix.lower()
    if suffix == ".toml" or base in _TOML_NAMES:
        return bump_toml
    if suffix == ".json" or base in _JSON_NAMES:
        return bump_json
    if suffix in _XML_SUFFIXES or content.lstrip().startswith(b"<"):
        return bump_xml
    if content.lstrip()[:1] in {b"{", b"["}:
        return bump_json
    raise ChangeError(f"{name} is neither JSON, TOML nor XML", remedy="use replace for its text")


def bump_json(content: bytes, path: KeyPath, value: Value) -> bytes:
    """Change a value of a JSON text."""
    text = content.decode("utf-8")
    body = text.removeprefix("\ufeff")
    json.loads(body)  # a fault after the value must not go unnoticed
    start, end = _json_span(body, path)
    old = json.loads(body[start:end])
    if isinstance(old, (dict, list)):
        raise _not_single(path)
    new = _in_kind(old, value)
    _refuse_same(path, old, new)
    prefix = text[: len(text) - len(body)]
    changed = body[:start] + json.dumps(new, ensure_ascii=False) + body[end:]
    return (prefix + changed).encode("utf-8")


def _json_span(text: str, path: KeyPath) -> tuple[int, int]:
    """Return where the value at ``path`` stands in a valid JSON text."""
    decoder = json.JSONDecoder()
    start = _skip(text, 0)
    for depth, part in enumerate(path):
        wanted = str if isinstance(part, str) else int
        opening = "{" if wanted is str else "["
        if text[start] != opening:
            raise _no_value(path[: depth + 1], [])
        starts = _json_members(text, start, decoder)
        if part not in starts:
            raise _no_value(path[: depth + 1], [str(name) for name in starts])
        start = starts[part]
    return start, decoder.raw_decode(text, start)[1]


def _json_members(text: str, start: int, decoder: json.JSONDecoder) -> dict[str | int, int]:
    """Return where each member of the object or array at ``start`` has its value."""
    is_object = text[start] == "{"
    members: dict[str | int, int] = {}
    position = _skip(text, start + 1)
    while text[position] not in "}]":
        name: str | int = len(members)
        if is_object:
            name, position = decoder.raw_decode(text, position)
            position = _skip(text, _skip(text, position) + 1)  # over the colon
        members[name] = position
        position = _skip(text, decoder.raw_decode(text, position)[1])
        if text[position] == ",":
            position = _skip(text, position + 1)
    return members


def _skip(text: str, position: int) -> int:
    while position < len(text) and text[position] in _WHITE:
        position += 1
    return position


def bump_toml(content: bytes, path: KeyPath, value: Value) -> bytes:
    """Change a value of a TOML text."""
    text = content.decode("utf-8")
    tomllib.loads(text)
    document = tomlkit.parse(text)
    if tomlkit.dumps(document) != text:
        raise ChangeError("the TOML text cannot be kept as it is", remedy="use replace")
    holder: Any = document
    for depth, part in enumerate(path[:-1]):
        holder = _toml_member(holder, part, path[: depth + 1])
    old = _plain(_toml_member(holder, path[-1], path))
    if isinstance(old, (dict, list)):
        raise _not_single(path)
    new = _in_kind(old, value)
    _refuse_same(path, old, new)
    holder[path[-1]] = new
    return tomlkit.dumps(document).encode("utf-8")


def _toml_member(holder: Any, part: str | int, path: KeyPath) -> Any:
    members: list[str] = []
    if isinstance(part, str) and isinstance(holder, dict):
        if part in holder:
            return holder[part]
        members = [str(name) for name in holder]
    if isinstance(part, int) and isinstance(holder, list) and part < len(holder):
        return holder[part]
    raise _no_value(path, members)


def _plain(item: Any) -> Any:
    return item.unwrap() if hasattr(item, "unwrap") else item


def bump_xml(content: bytes, path: KeyPath, value: Value) -> bytes:
    """Change the text of an element, or an attribute, of an XML text."""
    text = value if isinstance(value, str) else json.dumps(value)
    old, changed = replace_xml_value(content, path, text)
    _refuse_same(path, old, text)
    return changed


def _in_kind(old: object, new: Value) -> Value:
    """Read a text as the number or truth value whose place it takes."""
    if not isinstance(new, str) or isinstance(old, str) or old is None:
        return new
    try:
        read = json.loads(new)
    except ValueError:
        return new
    numbers = isinstance(old, (int, float)) and isinstance(read, (int, float))
    same = numbers and isinstance(old, bool) == isinstance(read, bool)
    return read if same and math.isfinite(read) else new


def _refuse_same(path: KeyPath, old: object, new: Value) -> None:
    if type(old) is type(new) and old == new:
        raise nothing_changed(
            f"{_written(path)} is {new!r} already", "give a value with {n} or {id}"
        )


def _written(path: KeyPath) -> str:
    return ".".join(str(part) for part in path)


def _no_value(path: KeyPath, names: list[str]) -> ChangeError:
    remedy = suggestion(str(path[-1]), names[:20], "keys there") if names else "name a key in it"
    return ChangeError(f"there is no value at key {_written(path)}", remedy=remedy)


def _not_single(path: KeyPath) -> ChangeError:
    return ChangeError(f"key {_written(path)} holds no single value", remedy="name one value in it")
