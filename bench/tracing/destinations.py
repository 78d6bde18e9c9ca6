"""Where the instructions of a stage other than RUN write, as they name it. Pure."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from bench.dockerfile import StageState, expand, global_variables

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench.dockerfile import Dockerfile, Stage


def destinations(
    dockerfile: Dockerfile, stage_index: int, build_args: Mapping[str, str]
) -> frozenset[str]:
    """Return the absolute destinations of COPY, ADD and WORKDIR in one stage.

    The working directory of the base image is taken for ``/``: what is named relative to it is
    found only with its WORKDIR in the Dockerfile.
    """
    global_args = global_variables(dockerfile, build_args)
    state = _before(dockerfile, dockerfile.stages[stage_index], global_args, build_args)
    found: set[str] = set()
    for instruction in dockerfile.stages[stage_index].instructions[1:]:
        state.apply(instruction, build_args, global_args)
        if instruction.keyword in {"COPY", "ADD"}:
            target = expand(instruction.arguments[-1], state.variables)
            found.add(posixpath.normpath(posixpath.join(state.working_dir, target)))
        elif instruction.keyword == "WORKDIR" and state.working_dir != "/":
            found.add(state.working_dir)
    return frozenset(found)


def _before(
    dockerfile: Dockerfile,
    stage: Stage,
    global_args: Mapping[str, str],
    build_args: Mapping[str, str],
) -> StageState:
    """Return the state that a stage begins with: that of the stage it starts from, if any."""
    parent = dockerfile.parent(stage, global_args)
    if parent is None:
        return StageState()
    state = _before(dockerfile, parent, global_args, build_args)
    for instruction in parent.instructions[1:]:
        state.apply(instruction, build_args, global_args)
    return state
