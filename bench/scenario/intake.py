"""Which files of a context the instructions of a Dockerfile take in.

Sources: moby/buildkit ``frontend/dockerfile/dockerfile2llb/convert.go`` (dispatchCopy: variables
are filled in, paths are relative to the context whether they begin with a slash or not) and
``instructions/commands_runmount.go`` (a bind mount without ``from`` shows the context).
"""

from __future__ import annotations

import fnmatch
import posixpath
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.dockerfile import StageState, expand, global_variables
from bench.workspace import IgnoreRules

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from bench.dockerfile import Dockerfile, Instruction, Stage


@dataclass(frozen=True)
class Intake:
    """One instruction that takes files from the context."""

    stage: Stage
    instruction: Instruction
    files: frozenset[str]

    @property
    def reference(self) -> str:
        """How expectations name the instruction: ``STAGE:TEXT``."""
        return f"{self.stage.label}:{self.instruction.text}"


def intakes(dockerfile: Dockerfile, files: Iterable[str]) -> list[Intake]:
    """Return the instructions that take ``files`` of the context, in the Dockerfile's order.

    Only stages that the last one needs are looked at: a builder may leave out the others.
    Instructions that take none of the files are left out.
    """
    known = frozenset(files)
    needed = dockerfile.reachable()
    arguments = global_variables(dockerfile, {})
    ends: dict[int, StageState] = {}
    found = []
    for stage in dockerfile.stages:
        state = _begin(dockerfile, stage, arguments, ends)
        for instruction in stage.instructions[1:]:
            if stage.index in needed:
                taken = _taken(instruction, state.variables, known)
                found += [Intake(stage, instruction, taken)] if taken else []
            state.apply(instruction, {}, arguments)
        ends[stage.index] = state
    return found


def _begin(
    dockerfile: Dockerfile,
    stage: Stage,
    arguments: Mapping[str, str],
    ends: Mapping[int, StageState],
) -> StageState:
    base = dockerfile.find_stage(expand(stage.base, arguments), before=stage.index)
    return StageState() if base is None else ends[base.index].copy()


def _taken(
    instruction: Instruction, variables: Mapping[str, str], files: frozenset[str]
) -> frozenset[str]:
    excluded = IgnoreRules(instruction.flag_values("exclude"))
    patterns = [_cleaned(expand(source, variables)) for source in _sources(instruction)]
    return frozenset(
        file
        for file in files
        if any(_matches(file, pattern) for pattern in patterns) and not excluded.ignores(file)
    )


def _sources(instruction: Instruction) -> Iterator[str]:
    if instruction.keyword in {"COPY", "ADD"} and instruction.flag("from") is None:
        for source in instruction.arguments[:-1]:
            remote = "://" in source or source.startswith("git@")
            if not source.startswith("<<") and not remote:
                yield source
    for mount in instruction.flag_values("mount"):
        fields = dict(part.partition("=")[::2] for part in mount.split(","))
        if fields.get("type", "bind") == "bind" and "from" not in fields:
            yield fields.get("source", fields.get("src", "."))


def _cleaned(source: str) -> str:
    """Return the path as it lies below the context; "" means all of it."""
    return posixpath.normpath("/" + source).lstrip("/")


def _matches(file: str, pattern: str) -> bool:
    """Tell whether the pattern names the file or a folder that it lies in."""
    wanted = [part for part in pattern.split("/") if part]
    parts = file.split("/")
    return len(wanted) <= len(parts) and all(
        part == one or fnmatch.fnmatchcase(part, one.replace("[^", "[!"))
        for part, one in zip(parts, wanted, strict=False)
    )
