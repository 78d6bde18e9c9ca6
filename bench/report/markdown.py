"""Markdown in pieces: escaped text, tables, fenced blocks."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|$~])")
# Colours and other terminal commands that build tools print.
_ANSI = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")


def escaped(text: str) -> str:
    """Make ``text`` read in Markdown as it is written, on one line."""
    return _SPECIAL.sub(r"\\\1", " ".join(plain(text).split()))


def code(text: str) -> str:
    """Set ``text`` as code on one line; fits into a table too."""
    line = " ".join(plain(text).split())
    longest = max((len(run) for run in re.findall(r"`+", line)), default=0)
    fence = "`" * (longest + 1)
    space = " " if longest else ""
    # A table splits at a bar even inside code, unless it is escaped.
    return f"{fence}{space}{line.replace('|', chr(92) + '|')}{space}{fence}"


def plain(text: str) -> str:
    """Take terminal commands and unprintable letters out of ``text``; line ends stay."""
    return "".join(
        letter for letter in _ANSI.sub("", text) if letter.isprintable() or letter in "\n\t"
    )


def table(
    heads: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: Sequence[int] = ()
) -> str:
    """Lay out a table of ready cells; columns in ``numbers`` are set flush right."""
    rule = ["---:" if place in numbers else "---" for place in range(len(heads))]
    lines = [heads, rule, *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def block(lines: Iterable[str]) -> str:
    """Set lines as a fenced block that nothing inside can end."""
    text = "\n".join(plain(line).rstrip() for line in lines)
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{text}\n{fence}\n"


def bullets(items: Iterable[str]) -> str:
    """Lay out a list of ready items."""
    return "".join(f"- {item}\n" for item in items)
