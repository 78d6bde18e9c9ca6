"""Here-documents of RUN and COPY: their names and their text.

Source: moby/buildkit ``frontend/dockerfile/parser/parser.go`` (ParseHeredoc, heredocsFromLine).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.dockerfile import Dockerfile, Instruction

_WORD = re.compile(r"(?<!\S)\d*<<(?P<chomp>-?)(?P<quote>[\"']?)(?P<name>[\w.\-]+)(?P=quote)(?!\S)")


@dataclass(frozen=True)
class Heredoc:
    """One here-document.

    ``text`` is without the leading tabs that ``<<-`` drops, ``raw`` with them. ``expands`` says
    whether variables in it are filled in (COPY only).
    """

    name: str
    text: str
    expands: bool
    raw: str = ""


def has_heredocs(instruction: Instruction) -> bool:
    """Tell whether a RUN, COPY or ADD takes here-documents."""
    if instruction.exec_form or instruction.keyword not in {"RUN", "COPY", "ADD"}:
        return False
    return any(_WORD.search(word) for word in instruction.arguments)


def heredocs(dockerfile: Dockerfile, instruction: Instruction) -> list[Heredoc]:
    """Return the here-documents of one instruction, in order."""
    if not has_heredocs(instruction):
        return []
    lines = dockerfile.text.split("\n")[instruction.line - 1 : instruction.end_line]
    body = iter(lines[_header_lines(lines) :])
    found = []
    for word in _WORD.finditer(" ".join(instruction.arguments)):
        text: list[str] = []
        for line in body:
            shown = line.removesuffix("\r")
            if (shown.lstrip("\t") if word["chomp"] else shown) == word["name"]:
                break
            text.append(f"{shown}\n")
        raw = "".join(text)
        content = "".join(line.lstrip("\t") for line in text) if word["chomp"] else raw
        found.append(Heredoc(word["name"], content, expands=not word["quote"], raw=raw))
    return found


def is_whole_command(instruction: Instruction) -> bool:
    """Tell whether a RUN is one here-document and nothing else: its text is then the command."""
    return len(instruction.arguments) == 1 and bool(_WORD.fullmatch(instruction.arguments[0]))


def _header_lines(lines: list[str]) -> int:
    """Count the lines of the instruction itself: those a backslash continues, and one more."""
    for number, line in enumerate(lines, start=1):
        if not line.rstrip().endswith(("\\", "`")):
            return number
    return len(lines)
