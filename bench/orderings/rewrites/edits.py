"""Edits of a Dockerfile by line: what is not touched stays byte for byte."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bench.dockerfile.rewriting import split_lines

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bench.dockerfile import Dockerfile, Instruction


@dataclass
class Edit:
    """Edits of one Dockerfile, collected and then made at once."""

    dockerfile: Dockerfile
    _lines: list[str] = field(init=False)
    _before: dict[int, list[str]] = field(init=False, default_factory=dict)
    _after: dict[int, list[str]] = field(init=False, default_factory=dict)
    _gone: set[int] = field(init=False, default_factory=set)

    def __post_init__(self) -> None:
        """Split the text, whose last line may lack its end."""
        self._lines = split_lines(self.dockerfile.text)

    def source(self, instruction: Instruction) -> list[str]:
        """Return the lines of an instruction, all of them ended."""
        lines = self._lines[instruction.line - 1 : instruction.end_line]
        return [self._ended(line) for line in lines]

    def block(self, instruction: Instruction) -> list[str]:
        """Return the lines of an instruction with the comments right above it."""
        lines = self._lines[self._start(instruction) : instruction.end_line]
        return [self._ended(line) for line in lines]

    def remove(self, instruction: Instruction, *, with_comments: bool = False) -> None:
        """Take an instruction out."""
        start = self._start(instruction) if with_comments else instruction.line - 1
        self._gone |= set(range(start, instruction.end_line))

    def insert_before(self, instruction: Instruction, lines: Iterable[str]) -> None:
        """Put lines right before an instruction, below its comments; ends are added."""
        placed = self._before.setdefault(instruction.line - 1, [])
        placed += [self._ended(line) for line in lines]

    def insert_above(self, instruction: Instruction, lines: Iterable[str]) -> None:
        """Put lines above an instruction and the comments right above it; ends are added."""
        placed = self._before.setdefault(self._start(instruction), [])
        placed += [self._ended(line) for line in lines]

    def insert_after(self, instruction: Instruction, lines: Iterable[str]) -> None:
        """Put lines right after an instruction; ends are added."""
        placed = self._after.setdefault(instruction.end_line - 1, [])
        placed += [self._ended(line) for line in lines]

    def replace(self, instruction: Instruction, lines: Iterable[str]) -> None:
        """Put lines in the place of an instruction; its comments stay."""
        self.insert_before(instruction, lines)
        self.remove(instruction)

    def indent(self, instruction: Instruction) -> str:
        """Return the white space that an instruction begins with."""
        line = self._lines[instruction.line - 1]
        return line[: len(line) - len(line.lstrip(" \t"))]

    def text(self) -> str:
        """Return the whole text with the edits made."""
        out: list[str] = []
        for number, line in enumerate(self._lines):
            out += self._before.get(number, [])
            if number not in self._gone:
                out.append(line)
            if number in self._after:
                if out:
                    out[-1] = self._ended(out[-1])
                out += self._after[number]
        text = "".join(self._ended(line) for line in out)
        unended = bool(self._lines) and not self._lines[-1].endswith("\n")
        return text.removesuffix("\n").removesuffix("\r") if unended else text

    @property
    def _end_of_line(self) -> str:
        return "\r\n" if self._lines and self._lines[0].endswith("\r\n") else "\n"

    def _ended(self, line: str) -> str:
        return line if line.endswith("\n") else line + self._end_of_line

    def _start(self, instruction: Instruction) -> int:
        start = instruction.line - 1
        while start > 0 and self._lines[start - 1].lstrip().startswith("#"):
            start -= 1
        return start
