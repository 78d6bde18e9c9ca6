"""A parsed Dockerfile: stages, instructions and where each stands in the text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.dockerfile.environment import global_variables
from bench.dockerfile.expansion import expand

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_INDEX = re.compile(r"\A[0-9]+\Z")  # not isdecimal(): it takes digits of every script

GLOBAL_STAGE_INDEX = -1
"""The stage index of an ARG that stands before the first FROM."""


@dataclass(frozen=True)
class Instruction:
    """One instruction.

    ``text`` is the whole instruction on one line with single spaces, as it is shown and matched;
    ``arguments`` are BuildKit's own split of what follows the keyword and the flags; ``line``
    and ``end_line`` count from 1, both inclusive, here-documents included.
    """

    keyword: str
    text: str
    flags: tuple[str, ...]
    arguments: tuple[str, ...]
    exec_form: bool
    line: int
    end_line: int

    def flag(self, name: str) -> str | None:
        """Return the value of ``--name=value`` (the first, if repeated), or None."""
        prefix = f"--{name}="
        return next((flag[len(prefix) :] for flag in self.flags if flag.startswith(prefix)), None)

    def flag_values(self, name: str) -> list[str]:
        """Return every value of the repeatable flag ``--name=value``."""
        prefix = f"--{name}="
        return [flag[len(prefix) :] for flag in self.flags if flag.startswith(prefix)]


@dataclass(frozen=True)
class Stage:
    """One build stage; ``instructions[0]`` is its FROM."""

    index: int
    name: str | None
    base: str
    """What FROM names, as written: an image, an earlier stage, or an expression with ARGs."""
    instructions: tuple[Instruction, ...]

    @property
    def label(self) -> str:
        """The stage's name, or its index where it has none: how reports and references call it."""
        return self.name if self.name is not None else str(self.index)


@dataclass(frozen=True)
class Dockerfile:
    """A whole Dockerfile. ``path`` is only for messages."""

    path: str
    text: str
    global_args: tuple[Instruction, ...]
    stages: tuple[Stage, ...]

    def find_stage(self, reference: str | int, *, before: int | None = None) -> Stage | None:
        """Return the stage that ``reference`` (name in any case, or index) means, if any.

        ``before`` restricts the search to earlier stages: what FROM, ``COPY --from`` and
        ``RUN --mount=from=`` of stage number ``before`` can see. A name used twice means the
        later of the visible ones (BuildKit ``dockerfile2llb/convert.go`` findStateByName).
        """
        visible = self.stages[:before]
        if isinstance(reference, str):
            named = _named(visible, reference)
            if named is not None or not _INDEX.match(reference):
                return named
        index = int(reference)
        return visible[index] if 0 <= index < len(visible) else None

    def parent(self, stage: Stage, variables: Mapping[str, str]) -> Stage | None:
        """Return the earlier stage that the FROM of ``stage`` names, or None: it is an image.

        ``variables`` are the values of the global ARGs: ``FROM $BASE`` may name a stage too.
        FROM knows no stage by its index (BuildKit ``dockerfile2llb/convert.go``, moby
        ``builder/dockerfile/dispatchers.go`` getFromImage).
        """
        return _named(self.stages[: stage.index], expand(stage.base, variables))

    def target_stage(self, target: str | None) -> Stage:
        """Return the stage to build: the last, or the one ``target`` names.

        Raises:
            KeyError: there is no such stage.

        """
        if target is None:
            return self.stages[-1]
        stage = self.find_stage(target)
        if stage is None:
            raise KeyError(target)
        return stage

    def reachable(
        self, target: str | None = None, build_args: Mapping[str, str] | None = None
    ) -> frozenset[int]:
        """Return the indices of the stages that BuildKit builds for ``target``."""
        variables = global_variables(self, build_args or {})
        reached: set[int] = set()
        pending = [self.target_stage(target)]
        while pending:
            stage = pending.pop()
            if stage.index in reached:
                continue
            reached.add(stage.index)
            found = [self.parent(stage, variables)]
            found += [self.find_stage(one, before=stage.index) for one in copy_sources(stage)]
            pending += [one for one in found if one is not None]
        return frozenset(reached)


def _named(stages: tuple[Stage, ...], name: str) -> Stage | None:
    wanted = name.lower()
    named = (one for one in reversed(stages) if one.name is not None)
    return next((one for one in named if str(one.name).lower() == wanted), None)


def copy_sources(stage: Stage) -> Iterator[str]:
    """Yield every stage or image that ``stage`` copies or mounts something from, as written."""
    for instruction in stage.instructions[1:]:
        source = from_reference(instruction)
        if source is not None:
            yield source
        for mount in instruction.flag_values("mount"):
            fields = dict(part.partition("=")[::2] for part in mount.split(","))
            if "from" in fields:
                yield fields["from"]


def from_reference(instruction: Instruction) -> str | None:
    """Return what ``COPY --from=`` names, or None."""
    return instruction.flag("from") if instruction.keyword in {"COPY", "ADD"} else None
