"""Variable expansion in Dockerfile words, by the rules of BuildKit's shell lexer.

Source: moby/buildkit ``frontend/dockerfile/shell/lex.go`` (ProcessWord): ``$NAME``, ``${NAME}``,
``${NAME:-word}``, ``${NAME-word}``, ``${NAME:+word}``, ``${NAME+word}``; nothing inside single
quotes; an escape takes the next character as it is; quotes are removed. An unknown name is empty.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


_SPECIAL_CHARACTER = re.compile(r"[$'\"]")
_SPECIAL = "@*#?-$!"
"""Names of one character that a shell would know and a builder knows not: always empty."""


def expand(word: str, variables: Mapping[str, str], *, escape: str = "\\") -> str:
    """Return ``word`` with variables replaced and quotes removed."""
    if escape not in word and _SPECIAL_CHARACTER.search(word) is None:
        return word
    return _Lexer(word, variables, escape).process("")


class _Lexer:
    def __init__(self, text: str, variables: Mapping[str, str], escape: str) -> None:
        self._text = text
        self._at = 0
        self._variables = variables
        self._escape = escape

    def process(self, stop: str) -> str:
        """Expand up to an unquoted ``stop`` character (consumed), or to the end."""
        out: list[str] = []
        while self._at < len(self._text):
            character = self._next()
            if character == stop:
                break
            out.append(self._piece(character))
        return "".join(out)

    def _piece(self, character: str) -> str:
        if character == "'":
            return self._single_quoted()
        if character == '"':
            return self._double_quoted()
        if character == "$":
            return self._variable()
        if character == self._escape:
            return self._next()
        return character

    def _next(self) -> str:
        if self._at >= len(self._text):
            return ""
        self._at += 1
        return self._text[self._at - 1]

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _single_quoted(self) -> str:
        end = self._text.find("'", self._at)
        end = len(self._text) if end < 0 else end
        body = self._text[self._at : end]
        self._at = end + 1
        return body

    def _double_quoted(self) -> str:
        out: list[str] = []
        while self._at < len(self._text):
            character = self._next()
            if character == '"':
                break
            if character == self._escape and self._peek() in {'"', "$", self._escape}:
                out.append(self._next())
            elif character == "$":
                out.append(self._variable())
            else:
                out.append(character)
        return "".join(out)

    def _variable(self) -> str:
        if self._peek() != "{":
            name = self._name()
            return self._variables.get(name, "") if name else "$"
        self._next()
        name = self._name()
        operator = self._next()
        if operator in {"}", ""}:
            return self._variables.get(name, "")
        set_and_counts = name in self._variables
        if operator == ":":
            operator = self._next()
            set_and_counts = bool(self._variables.get(name))
        word = self.process("}")
        if operator == "+":
            return word if set_and_counts else ""
        return self._variables[name] if set_and_counts else word

    def _name(self) -> str:
        start = self._at
        if self._peek() and (self._peek().isdigit() or self._peek() in _SPECIAL):
            self._at += 1
        else:
            while self._peek() and (self._peek().isalnum() or self._peek() == "_"):
                self._at += 1
        return self._text[start : self._at]
