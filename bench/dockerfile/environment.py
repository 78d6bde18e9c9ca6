"""Follow the state that ENV, ARG and WORKDIR build up through a stage, instruction by instruction.

Sources: moby/buildkit ``frontend/dockerfile/dockerfile2llb/convert.go`` (dispatchEnv, dispatchArg,
dispatchWorkdir). Only names and the working directory are followed here; nothing is built.
"""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bench.dockerfile.expansion import expand

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench.dockerfile.model import Dockerfile, Instruction


@dataclass
class StageState:
    """What later instructions of a stage see. ``variables`` holds ENV and ARG together."""

    variables: dict[str, str] = field(default_factory=dict)
    working_dir: str = "/"

    def copy(self) -> StageState:
        """Return an independent copy: where a ``FROM stage`` begins."""
        return StageState(dict(self.variables), self.working_dir)

    def apply(
        self,
        instruction: Instruction,
        build_args: Mapping[str, str],
        global_args: Mapping[str, str],
    ) -> None:
        """Take in the effect of one instruction."""
        if instruction.keyword == "ENV":
            pairs = instruction.arguments
            before = dict(self.variables)
            for name, value in zip(pairs[::2], pairs[1::2], strict=False):
                self.variables[expand(name, before)] = expand(value, before)
        elif instruction.keyword == "ARG":
            for word in instruction.arguments:
                self._declare(word, build_args, global_args)
        elif instruction.keyword == "WORKDIR":
            path = expand(" ".join(instruction.arguments), self.variables)
            joined = posixpath.join(self.working_dir or "/", path)
            # normpath() keeps two leading slashes apart from one, as POSIX lets it; Go does not.
            self.working_dir = posixpath.normpath("/" + joined.lstrip("/"))

    def _declare(
        self, word: str, build_args: Mapping[str, str], global_args: Mapping[str, str]
    ) -> None:
        name, has_default, default = word.partition("=")
        if name in build_args:
            self.variables[name] = build_args[name]
        elif has_default:
            self.variables[name] = expand(default, self.variables)
        elif name in global_args:
            self.variables[name] = global_args[name]


def global_variables(dockerfile: Dockerfile, build_args: Mapping[str, str]) -> dict[str, str]:
    """Return the values that the ARGs before the first FROM have: what FROM lines may use."""
    state = StageState()
    for instruction in dockerfile.global_args:
        state.apply(instruction, build_args, {})
    return state.variables
