"""What a prediction took for granted where only an engine would know, said only if it matters.

Nothing is known of a base image but its name. Its working directory decides where a relative path
leads, and its variables what is copied.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bench.cache_model.inputs import SCRATCH
from bench.cache_model.scope import PROXY_ARGS, platform_args
from bench.dockerfile import expand, global_variables

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.dockerfile import Instruction, Stage
    from bench.predicting.state import BuildState

_VARIABLE = re.compile(r"(?<!\\)\$\{?(?P<name>[A-Za-z_]\w*)")
_KNOWN = frozenset(platform_args("linux/amd64")) | PROXY_ARGS


def assumptions(state: BuildState) -> list[str]:
    """Return what was assumed of the base images of a state, one sentence each."""
    notes: dict[str, None] = {}
    reached = state.dockerfile.reachable(state.target, state.build_args)
    origins: dict[int, _Origin] = {}
    for stage in state.dockerfile.stages:
        origins[stage.index] = origin = _origin(stage, state, origins)
        for note in origin.notes(stage):
            if stage.index in reached:
                notes.setdefault(note)
    return list(notes)


def unused_build_args(state: BuildState) -> list[str]:
    """Return the build arguments that no ARG of the Dockerfile takes."""
    instructions = [
        *state.dockerfile.global_args,
        *(one for stage in state.dockerfile.stages for one in stage.instructions),
    ]
    declared = {
        word.partition("=")[0]
        for one in instructions
        if one.keyword == "ARG"
        for word in one.arguments
    }
    return sorted(set(state.build_args) - declared - _KNOWN)


class _Origin:
    """What of a stage's beginning is known: the image, its variables, its working directory."""

    def __init__(self, image: str, names: set[str], *, has_directory: bool) -> None:
        self.image = image
        self.names = names
        self.has_directory = has_directory

    def notes(self, stage: Stage) -> Iterator[str]:
        """Go through a stage, take in what it sets, and yield what had to be assumed."""
        for one in stage.instructions[1:]:
            if self.image != SCRATCH:
                yield from self._directory(one)
                yield from self._variables(one)
            self._take(one)

    def _directory(self, one: Instruction) -> Iterator[str]:
        if self.has_directory or one.keyword not in {"WORKDIR", "COPY", "ADD"}:
            return
        if not one.arguments[-1].startswith(("/", "$")):
            yield (
                f"line {one.line}: a relative path, and no WORKDIR before it: the working "
                f"directory of {self.image} is taken as /"
            )

    def _variables(self, one: Instruction) -> Iterator[str]:
        if one.keyword not in {"WORKDIR", "COPY", "ADD"}:
            return
        for found in _VARIABLE.finditer(" ".join(one.arguments)):
            if found["name"] not in self.names:
                yield (
                    f"line {one.line}: ${found['name']} is taken as not set: no ARG or ENV sets "
                    f"it, and what {self.image} sets is not known"
                )

    def _take(self, one: Instruction) -> None:
        if one.keyword == "ENV":
            self.names |= set(one.arguments[::2])
        elif one.keyword == "ARG":
            self.names |= {word.partition("=")[0] for word in one.arguments}
        elif one.keyword == "WORKDIR":
            self.has_directory = True


def _origin(stage: Stage, state: BuildState, before: dict[int, _Origin]) -> _Origin:
    variables = global_variables(state.dockerfile, state.build_args)
    parent = state.dockerfile.parent(stage, variables)
    if parent is not None:
        known = before[parent.index]
        return _Origin(known.image, set(known.names), has_directory=known.has_directory)
    return _Origin(expand(stage.base, variables) or stage.base, set(), has_directory=False)
