"""Which programs a program needs to be started at all: the kernel opens them without being asked.

Sources: execve(2), elf(5). The loader of a dynamically linked program, and the interpreter of a
script, are opened by no system call of their own, so a trace does not show them.
"""

from __future__ import annotations

import contextlib
import os
import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_HEAD = 16 * 1024  # the program headers stand right behind the header of the file
_ELF = b"\x7fELF"
_INTERPRETER = 3  # PT_INTERP
_64_BITS = 2
_LITTLE = 1


def interpreters(root: int, programs: Iterable[str]) -> tuple[set[str], set[str]]:
    """Return what the kernel opens to start ``programs``, and which of them are gone.

    ``root`` is an open folder, the root of the file system that the paths, without links, are of.
    An interpreter is given as it is named in the file, which may lead through links.
    """
    found: set[str] = set()
    gone: set[str] = set()
    for program in programs:
        head = _head(root, program)
        if head is None:
            gone.add(program)
            continue
        named = _interpreter(head)
        if named is not None:
            found.add(named)
    return found, gone


def _head(root: int, path: str) -> bytes | None:
    """Read the beginning of a file, following no link: a link would lead out of the root."""
    opened: list[int] = []
    try:
        at = root
        parts = [part for part in path.split("/") if part]
        for part in parts[:-1]:
            flags = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
            at = os.open(part, flags, dir_fd=at)
            opened.append(at)
        file = os.open(parts[-1], os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=at)
        opened.append(file)
        return os.read(file, _HEAD)
    except (OSError, IndexError):
        return None
    finally:
        for descriptor in opened:
            os.close(descriptor)


def _interpreter(head: bytes) -> str | None:
    if head.startswith(b"#!"):
        words = head[2:].split(b"\n", 1)[0].split()
        return os.fsdecode(words[0]) if words else None
    if head.startswith(_ELF):
        with contextlib.suppress(struct.error, IndexError):
            return _loader(head)
    return None


def _loader(head: bytes) -> str | None:
    is_wide = head[4] == _64_BITS
    order = "<" if head[5] == _LITTLE else ">"
    at = struct.unpack_from(f"{order}Q" if is_wide else f"{order}I", head, 32 if is_wide else 28)[0]
    size, count = struct.unpack_from(f"{order}HH", head, 54 if is_wide else 42)
    for number in range(count):
        start = at + number * size
        if is_wide:
            kind, _, offset, _, _, length = struct.unpack_from(f"{order}IIQQQQ", head, start)
        else:
            kind, offset, _, _, length = struct.unpack_from(f"{order}IIIII", head, start)
        if kind == _INTERPRETER:
            return os.fsdecode(head[offset : offset + length].rstrip(b"\0")) or None
    return None
