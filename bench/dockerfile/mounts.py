"""Give the cache mounts of a Dockerfile names of their own.

The content of ``RUN --mount=type=cache`` outlives every build and is found by its id alone, which
is the target where none is given (moby/buildkit ``frontend/dockerfile/instructions/
commands_runmount.go``). Whoever wants builds to share nothing with others has to change the id.
"""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from bench.dockerfile.rewriting import FLAGS, split_lines

if TYPE_CHECKING:
    from bench.dockerfile.model import Dockerfile, Instruction

_FLAG = re.compile(r"--\S+")
_TARGETS = ("target", "dst", "destination")


def has_cache_mounts(dockerfile: Dockerfile) -> bool:
    """Tell whether some RUN keeps a directory from build to build."""
    return any(
        _fields(mount).get("type") == "cache"
        for stage in dockerfile.stages
        for instruction in stage.instructions
        for mount in instruction.flag_values("mount")
    )


def rename_cache_mounts(dockerfile: Dockerfile, prefix: str) -> str:
    """Return the text with ``prefix`` before the id of every cache mount; no line moves.

    Mounts that shared one id share one still. A mount inside ONBUILD is left alone: it is made in
    another build.
    """
    lines = split_lines(dockerfile.text)
    for stage in dockerfile.stages:
        for instruction in stage.instructions:
            span = slice(instruction.line - 1, instruction.end_line)
            old = "".join(lines[span])
            new = _renamed(instruction, old, prefix)
            if new != old:
                lines[span] = split_lines(new)
    return "".join(lines)


def _renamed(instruction: Instruction, source: str, prefix: str) -> str:
    head = FLAGS.match(source)
    if head is None or not instruction.flag_values("mount"):
        return source
    flags = iter(instruction.flags)

    def renamed(written: re.Match[str]) -> str:
        # The flags stand in the text in the order in which the parser gives them, quotes removed.
        flag = next(flags, written[0])
        mount = flag.removeprefix("--mount=")
        if mount == flag or _fields(mount).get("type") != "cache":
            return written[0]
        return f"--mount={_with_id(mount, prefix)}"

    return _FLAG.sub(renamed, source[: head.end()]) + source[head.end() :]


def _fields(mount: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in mount.split(","))
    return {name.strip().lower(): value for name, _, value in pairs}


def _with_id(mount: str, prefix: str) -> str:
    fields = _fields(mount)
    target = next((fields[name] for name in _TARGETS if name in fields), "")
    own = fields.get("id") or (posixpath.normpath(target) if target else "")
    others = [part for part in mount.split(",") if part.partition("=")[0].strip().lower() != "id"]
    return ",".join([*others, f"id={prefix}{own}"])
