r"""The patterns of a ``.dockerignore`` file, with the meaning the docker clients give them.

The rules are those of moby/patternmatcher (``ignorefile/ignorefile.go`` reads the file,
``patternmatcher.go`` matches), oddities included, because they decide which files a builder gets
to see: ``**x`` matches any path that *ends* in x, ``a**`` any path that starts with a, and beside
a wildcard ``|`` separates alternatives and ``\d`` is a digit. No Python package does this: the
docker SDK's own matcher translates patterns in another way, and ``pathspec`` follows git.
"""

from __future__ import annotations

import os
import posixpath
import re
import warnings
from dataclasses import dataclass
from enum import Enum, StrEnum
from functools import cached_property
from typing import TYPE_CHECKING

from bench.workspace.errors import WorkspaceError

if TYPE_CHECKING:
    from collections.abc import Sequence

# Go's unicode.IsSpace; str.strip() without arguments would also take U+001C to U+001F.
_GO_SPACE = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
_BOM = b"\xef\xbb\xbf"

# What Go's filepath.Match accepts: classes are not empty, nothing ends in a lone backslash.
_CLASS_CHAR = r"(?:\\.|[^\\\-\]])"
_WELL_FORMED = re.compile(
    rf"(?:\\.|[^\\\[]|\[\^?(?:{_CLASS_CHAR}(?:-{_CLASS_CHAR})?)+\])*", re.DOTALL
)
_TOKEN = re.compile(r"\*\*/?|\\.|\[:\^?[a-z]+:\]|.", re.DOTALL)
# patternmatcher.go shouldEscape: its bitmap covers bytes below 64 only, so | { } stay special.
_ESCAPED_LITERALS = frozenset(".+()$")
_POSIX_CLASSES = {
    "alnum": "0-9A-Za-z",
    "alpha": "A-Za-z",
    "ascii": r"\x00-\x7f",
    "blank": r"\t ",
    "cntrl": r"\x00-\x1f\x7f",
    "digit": "0-9",
    "graph": "!-~",
    "lower": "a-z",
    "print": " -~",
    "punct": r"!-/:-@\[-`{-~",
    "space": r"\t\n\v\f\r ",
    "upper": "A-Z",
    "word": "0-9A-Za-z_",
    "xdigit": "0-9A-Fa-f",
}
_SAME_ESCAPES = frozenset("dDsSwWbBAaftnrv")
_UNDECODABLE = re.compile("[\udc80-\udcff]")
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_WILDCARDS = frozenset("*[]?^\\")


class ClientRule(StrEnum):
    """Which docker client's selection of files to follow; both read the same patterns.

    They differ in two points. ``!**/x`` brings files back from inside an ignored directory with
    BuildKit's client (fsutil ``filter.go``), while the classic one skips an ignored directory
    unless an exception literally starts with its path (moby/go-archive ``Tarballer.Do``). And
    BuildKit's client sends the ignored parents of a file brought back, the classic one leaves it
    to the daemon to make them up, with mode 0755. BuildKit also prefers
    ``<Dockerfile>.dockerignore`` beside the Dockerfile (``dockerui/config.go``).
    """

    BUILDKIT = "buildkit"
    CLASSIC = "classic"


def read_patterns(data: bytes) -> tuple[str, ...]:
    """Read the patterns of an ignore file, cleaned, in order (``ignorefile.ReadAll``).

    A ``#`` starts a comment only as the very first character of a line; a byte order mark at the
    start of the file is dropped; one leading ``/`` of a pattern is dropped.
    """
    lines = data.removeprefix(_BOM).split(b"\n")
    patterns = (_read_line(os.fsdecode(line.removesuffix(b"\r"))) for line in lines)
    return tuple(pattern for pattern in patterns if pattern)


def _read_line(line: str) -> str:
    if line.startswith("#"):
        return ""
    text = line.strip(_GO_SPACE)
    sign = "!" if text.startswith("!") else ""
    text = text[1:].strip(_GO_SPACE) if sign else text
    if not text:
        return sign
    text = _clean(text)
    return sign + (text[1:] if len(text) > 1 and text.startswith("/") else text)


def _clean(path: str) -> str:
    """Go's ``filepath.Clean``; unlike ``normpath`` it does not keep a doubled leading slash."""
    cleaned = posixpath.normpath(path)
    return cleaned[1:] if cleaned.startswith("//") else cleaned


class _Kind(Enum):
    EXACT = "exact"
    PREFIX = "prefix"
    SUFFIX = "suffix"
    REGEXP = "regexp"


@dataclass(frozen=True)
class Pattern:
    """One pattern. ``exception`` means that it began with ``!`` and brings files back."""

    text: str
    exception: bool = False

    @classmethod
    def parse(cls, line: str) -> Pattern:
        """Read one pattern in the form that ``read_patterns`` gives.

        Raises:
            WorkspaceError: a lone ``!``, or a class or an escape that does not end.

        """
        text = _clean(line.strip(_GO_SPACE))
        exception = text.startswith("!")
        text = text[1:] if exception else text
        if not text or not _WELL_FORMED.fullmatch(text):
            raise _bad_pattern(line)
        return cls(text, exception)

    def matches(self, path: str) -> bool:
        """Whether the pattern matches ``path`` itself (its parents are the caller's matter).

        Raises:
            WorkspaceError: the pattern makes no sense to the docker clients either.

        """
        kind, expression = self._compiled
        if kind is _Kind.EXACT:
            return path == self.text
        if kind is _Kind.PREFIX:
            return path.startswith(self.text[:-2])
        if kind is _Kind.SUFFIX:
            suffix = self.text[2:]
            return path.endswith(suffix) or (suffix[:1] == "/" and path == suffix[1:])
        return expression.search(_as_go_reads(path)) is not None

    @cached_property
    def _compiled(self) -> tuple[_Kind, re.Pattern[str]]:
        kind, source = _translate(self.text)
        if kind is not _Kind.REGEXP:
            return kind, re.compile("")
        try:
            with warnings.catch_warnings():
                # "possible nested set": here [[ means what it means to Go, two plain brackets.
                warnings.simplefilter("ignore", FutureWarning)
                return kind, re.compile(source, re.ASCII)
        except re.error as error:
            raise _bad_pattern(self.text) from error


def _bad_pattern(text: str) -> WorkspaceError:
    return WorkspaceError(
        f".dockerignore: {text!r} is not a pattern",
        remedy="close every '[', end no pattern in a backslash, and give every '!' a path",
    )


def _as_go_reads(text: str) -> str:
    """Bytes that are no UTF-8 are all the same replacement character to a Go regexp."""
    return text if text.isascii() else _UNDECODABLE.sub(_REPLACEMENT, text)


def _translate(text: str) -> tuple[_Kind, str]:
    """Do what ``Pattern.compile`` in patternmatcher.go does with a cleaned pattern."""
    kind = _Kind.EXACT
    parts = ["^"]
    in_class = False
    tokens = _TOKEN.findall(_as_go_reads(text))
    for index, token in enumerate(tokens):
        if token.startswith("**"):
            kind, part = _double_star(kind, first=index == 0, last=index == len(tokens) - 1)
        else:
            part = _posix(token) if in_class and token.startswith("[:") else _single(token)
            kind = _Kind.REGEXP if token[0] in "*?[]\\" else kind
            in_class = token == "[" or (in_class and token != "]")  # noqa: S105
        parts.append(part)
    return kind, "".join([*parts, r"\Z"])


def _double_star(kind: _Kind, *, first: bool, last: bool) -> tuple[_Kind, str]:
    if first:
        return _Kind.SUFFIX, "" if last else "(.*/)?"
    if not last:
        return _Kind.REGEXP, "(.*/)?"
    return (_Kind.PREFIX, "") if kind is _Kind.EXACT else (_Kind.REGEXP, ".*")


def _single(token: str) -> str:
    if token == "*":  # noqa: S105 - a wildcard, no secret
        return "[^/]*"
    if token == "?":  # noqa: S105
        return "[^/]"
    if token.startswith("\\"):
        return _escape(token[1:])
    return f"\\{token}" if token in _ESCAPED_LITERALS else token


def _posix(token: str) -> str:
    """Spell out ``[:digit:]`` and its like, which Go's regexp knows inside a class."""
    chars = _POSIX_CLASSES.get(token[2:-2])
    if chars is None:
        raise _bad_pattern(token)
    return chars


def _escape(char: str) -> str:
    """Translate an escape, which reaches Go's regexp as it stands, for Python's."""
    if char.isascii() and not char.isalnum():
        return re.escape(char)
    if char in _SAME_ESCAPES:
        return f"\\{char}"
    if char == "z":
        return r"\Z"
    raise _bad_pattern(f"\\{char}")


State = tuple[bool, ...]
"""For each pattern, whether it matched a directory or one of its parents."""


class IgnoreRules:
    """The patterns of one ignore file, ready to match paths while walking a tree downwards.

    Follows ``MatchesUsingParentResults``, which both docker clients call for every path.
    """

    def __init__(self, lines: Sequence[str], client: ClientRule = ClientRule.BUILDKIT) -> None:
        self.client = client
        self.lines = tuple(lines)
        self.patterns = tuple(Pattern.parse(line) for line in lines if line.strip(_GO_SPACE))
        self._exceptions = tuple(p.text for p in self.patterns if p.exception)
        self._any_exception = client is ClientRule.BUILDKIT and any(
            _WILDCARDS & set(_without_trailing_glob(text)) for text in self._exceptions
        )
        self._prefixes = tuple(
            (_without_trailing_glob(text) if client is ClientRule.BUILDKIT else text) + "/"
            for text in self._exceptions
        )

    def match(self, path: str, parent: State = ()) -> tuple[bool, State]:
        """Whether ``path`` is ignored, and the state to pass on for what is inside it.

        Args:
            path: relative, ``/``-separated, without leading slash.
            parent: the state of the directory that holds it, ``()`` at the top.

        Raises:
            WorkspaceError: a pattern makes no sense to the docker clients either.

        """
        ignored = False
        state: list[bool] = []
        for index, pattern in enumerate(self.patterns):
            matched = bool(parent) and parent[index]
            # A pattern that could not change the outcome is not tried, and counts as no match
            # for the children too.
            if not matched and pattern.exception is ignored:
                matched = pattern.matches(path)
            state.append(matched)
            if matched:
                ignored = not pattern.exception
        return ignored, tuple(state)

    def ignores(self, path: str) -> bool:
        """Whether ``path`` is ignored, its parents taken into account."""
        parts = path.split("/")
        ignored = False
        state: State = ()
        for depth in range(1, len(parts) + 1):
            ignored, state = self.match("/".join(parts[:depth]), state)
        return ignored

    def may_bring_back(self, directory: str) -> bool:
        """Whether the client looks inside an ignored directory for exceptions."""
        inside = directory + "/"
        return self._any_exception or any(text.startswith(inside) for text in self._prefixes)


def _without_trailing_glob(text: str) -> str:
    return text.removesuffix("/**").removesuffix("/*")
