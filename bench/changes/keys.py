"""Keys of `bump`: the dotted path to one value in a JSON, TOML or XML file."""

from __future__ import annotations

import json
import re

KeyPath = tuple[str | int, ...]

_SEGMENT = re.compile(r'("(?:[^"\\]|\\.)*"|[^."\[\]]+)((?:\[\d{1,9}\])*)')


def parse_key(key: str) -> KeyPath:
    """Split ``items[0]."a.b".version`` into names and indices.

    Raises:
        ValueError: it is not written like that.

    """
    parts: list[str | int] = []
    position = 0
    while True:
        match = _SEGMENT.match(key, position)
        if match is None:
            raise ValueError(f"{key!r} is no dotted key")
        name = json.loads(match[1], strict=False) if match[1].startswith('"') else match[1]
        parts.append(name)
        parts += [int(index) for index in re.findall(r"\d+", match[2])]
        position = match.end()
        if position == len(key):
            return tuple(parts)
        if key[position] != ".":
            raise ValueError(f"{key!r} is no dotted key")
        position += 1
