"""The four placeholders that make the content of a change new each time."""

from __future__ import annotations

import re
from dataclasses import dataclass

_TOKEN = re.compile(r"\{(id|port|n|round)\}")


@dataclass(frozen=True)
class ChangeIds:
    """What stands for the placeholders in one application of one change.

    ``id`` is hexadecimal, unique for run, variant, round and change; ``port`` is unique in the
    run, 1025 to 65000; ``n`` counts the applied changes; ``round`` is the round's number.
    """

    id: str
    port: int
    n: int
    round: int


def fill(text: str, ids: ChangeIds) -> str:
    """Replace ``{id}``, ``{port}``, ``{n}`` and ``{round}``; every other brace stays as it is."""
    return _TOKEN.sub(lambda token: str(getattr(ids, token[1])), text)


def has_placeholder(text: str) -> bool:
    """Tell whether `fill` would replace something in ``text``."""
    return _TOKEN.search(text) is not None
