"""Read what ``strace -f -y -q -o FILE`` wrote: one system call after another.

Checked against strace 6.1. The options are fixed: see `bench.tracing.attach`. A call that another
process interrupts stands on two lines, which are joined here; strings and paths are escaped as C
does it (strace ``src/util.c`` string_quote), with ``<`` and ``>`` in paths of file descriptors too.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_LINE = re.compile(r"\A(\d+) +(.*)\Z", re.DOTALL)
_UNFINISHED = re.compile(r"\s*<unfinished \.\.\.>\Z")
_RESUMED = re.compile(r"\A<\.\.\. (\w+) resumed>")
_SUPERSEDED = re.compile(r"\A\+\+\+ superseded by execve in pid (\d+) \+\+\+")
_NAME = re.compile(r"\A(\w+)\(")
_TOKEN = re.compile(
    r'"(?:[^"\\]|\\.)*"(?:\.\.\.)?'  # a string, cut short or not
    r"|/\*.*?\*/"  # what strace remarks
    r"|<(?:[^<>\\]|\\.)*>"  # the path of a file descriptor
    r"|[()\[\]{},]"
    r'|[^"()\[\]{},</]+'
    r"|.",
    re.DOTALL,
)
_RESULT = re.compile(r"\A\s*= (\?|-?\d+|0x[0-9a-f]+)(<(?:[^<>\\]|\\.)*>)?(?:\(deleted\))?(.*)\Z")
_ERROR = re.compile(r"\A (E[A-Z0-9]+)\b")
_DESCRIPTOR = re.compile(r"\A(\d+|AT_FDCWD)(?:<((?:[^<>\\]|\\.)*)>)?(\(deleted\))?\Z", re.DOTALL)
_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|[0-7]{1,3}|.)", re.DOTALL)
_PLAIN_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v"}


@dataclass(frozen=True)
class Call:
    """One system call that has ended.

    ``arguments`` are as strace prints them. ``result`` is None where the call never returned;
    ``error`` is the name of the error, ``""`` where there is none. ``path`` is that of the file
    descriptor it returned. A call that waits for another process, or that another one interrupts
    in the trace, ``had_begun`` before: then `Begun` came first.
    """

    pid: int
    name: str
    arguments: tuple[str, ...]
    result: int | None = None
    error: str = ""
    path: str | None = None
    had_begun: bool = False


@dataclass(frozen=True)
class Begun:
    """A system call has begun; its end comes later. ``text`` is what is known of it."""

    pid: int
    name: str
    text: str


@dataclass(frozen=True)
class Ended:
    """A process is gone; its number may be given to another."""

    pid: int


@dataclass(frozen=True)
class Descriptor:
    """A file descriptor as an argument: its number, None for ``AT_FDCWD``, and its file's path.

    ``path`` is None where it is no file of the file system: a pipe, a socket.
    """

    number: int | None
    path: str | None


class NotUnderstoodError(Exception):
    """A line that cannot be read."""


def read_calls(lines: Iterable[str]) -> Iterator[Call | Begun | Ended]:
    """Yield the calls in the order in which they ended, and what else the trace tells.

    Raises:
        NotUnderstoodError: a line is none of strace's.

    """
    begun: dict[int, str] = {}
    for number, raw in enumerate(lines, start=1):
        line = _LINE.match(raw.rstrip("\n"))
        if line is None:
            raise NotUnderstoodError(f"line {number} of the trace: {raw[:120]!r}")
        pid, text = int(line[1]), line[2]
        if text.startswith("+++ "):
            superseded = _SUPERSEDED.match(text)
            if superseded is not None and pid in begun:
                # A thread called execve: the call ends under the number of the thread's process.
                begun[int(superseded[1])] = begun.pop(pid)
            begun.pop(pid, None)
            yield Ended(pid)
            continue
        if text.startswith("---"):
            continue
        unfinished = _UNFINISHED.search(text)
        if unfinished is not None:
            begun[pid] = text[: unfinished.start()]
            yield Begun(pid, text.partition("(")[0], begun[pid])
            continue
        resumed = _RESUMED.match(text)
        if resumed is not None:
            text = begun.pop(pid, f"{resumed[1]}(") + text[resumed.end() :]
        call = _call(pid, text, had_begun=resumed is not None)
        if call is None:
            raise NotUnderstoodError(f"line {number} of the trace: {raw[:120]!r}")
        yield call


def _call(pid: int, text: str, *, had_begun: bool) -> Call | None:
    name = _NAME.match(text)
    if name is None:
        return None
    arguments, end = _arguments(text, name.end())
    result = _RESULT.match(text[end:])
    if result is None:
        return None
    value, path, rest = result[1], result[2], result[3]
    error = _ERROR.match(rest) if value.startswith("-") else None
    return Call(
        pid=pid,
        name=name[1],
        arguments=arguments,
        result=None if value == "?" else int(value, 0),
        error=error[1] if error else "",
        path=_file(path[1:-1]) if path else None,
        had_begun=had_begun,
    )


def _arguments(text: str, at: int) -> tuple[tuple[str, ...], int]:
    """Return the arguments of a call, and where the text goes on after their parenthesis."""
    found: list[str] = []
    current: list[str] = []
    depth = 0
    for token in _TOKEN.finditer(text, at):
        piece = token[0]
        if depth == 0 and piece in {",", ")"}:
            argument = "".join(current).strip()
            if argument or found or piece == ",":
                found.append(argument)
            current = []
            if piece == ")":
                return tuple(found), token.end()
            continue
        if piece in {"(", "[", "{"}:
            depth += 1
        elif piece in {")", "]", "}"}:
            depth -= 1
        current.append(piece)
    return tuple(found), len(text)


def string_of(argument: str) -> str | None:
    """Return the string that an argument is, or None: a null pointer, an address."""
    if not argument.startswith('"'):
        return None
    return unescape(argument.removesuffix("...")[1:-1])


def descriptor_of(argument: str) -> Descriptor | None:
    """Return the file descriptor that an argument is; None if it is something else."""
    match = _DESCRIPTOR.match(argument)
    if match is None:
        return None
    number = None if match[1] == "AT_FDCWD" else int(match[1])
    return Descriptor(number, _file(match[2]) if match[2] is not None else None)


def _file(escaped: str) -> str | None:
    """Return the path of an open file; None for what has no place in the file system."""
    path = unescape(escaped)
    return path.removesuffix(" (deleted)") if path.startswith("/") else None


def unescape(text: str) -> str:
    """Undo strace's escapes; bytes that are no UTF-8 become what `os.fsdecode` makes of them."""
    if "\\" not in text:
        return text
    whole = b""
    at = 0
    for escape in _ESCAPE.finditer(text):
        whole += text[at : escape.start()].encode()
        code = escape[1]
        if code[0] == "x" and len(code) > 1:
            whole += bytes([int(code[1:], 16)])
        elif code.isdigit():
            whole += bytes([int(code, 8) & 0xFF])
        else:
            whole += _PLAIN_ESCAPES.get(code, code).encode()
        at = escape.end()
    return os.fsdecode(whole + text[at:].encode())
