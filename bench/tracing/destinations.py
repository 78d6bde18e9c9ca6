"""Where the instructions of a stage other than RUN write, as they name it. Pure."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from bench.dockerfile import StageState, expand, global_variables

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench.builders.protocol import BaseImageConfig
    from bench.dockerfile import Dockerfile, Instruction, Stage


def destinations(
    dockerfile: Dockerfile,
    stage_index: int,
    build_args: Mapping[str, str],
    bases: Mapping[str, BaseImageConfig],
    names: frozenset[str],
) -> frozenset[str]:
    """Return the absolute destinations of COPY, ADD and WORKDIR in one stage.

    ``bases`` are the configs of the images that the FROMs name: a destination may be relative to
    their working directory. ``names`` are the names at the top of the build context: of what is
    copied to ``/`` these are told, where they are known.
    """
    global_args = global_variables(dockerfile, build_args)
    stage = dockerfile.stages[stage_index]
    state = _before(dockerfile, stage, global_args, build_args, bases)
    found: set[str] = set()
    for instruction in stage.instructions[1:]:
        state.apply(instruction, build_args, global_args)
        if instruction.keyword in {"COPY", "ADD"}:
            target = expand(instruction.arguments[-1], state.variables)
            path = posixpath.normpath(posixpath.join(state.working_dir or "/", target))
            found |= {path} if path != "/" else _at_the_top(instruction, state, names)
        elif instruction.keyword == "WORKDIR" and state.working_dir != "/":
            found.add(state.working_dir)
    return frozenset(found)


def _at_the_top(instruction: Instruction, state: StageState, names: frozenset[str]) -> set[str]:
    """Return what an instruction puts into ``/``, as far as its words say it."""
    found: set[str] = set()
    for word in instruction.arguments[:-1]:
        source = posixpath.normpath(expand(word, state.variables).lstrip("/"))
        is_all = source == "." and instruction.flag("from") is None
        found |= {f"/{name}" for name in (names if is_all else {posixpath.basename(source)})}
    return found


def _before(
    dockerfile: Dockerfile,
    stage: Stage,
    global_args: Mapping[str, str],
    build_args: Mapping[str, str],
    bases: Mapping[str, BaseImageConfig],
) -> StageState:
    """Return the state that a stage begins with: that of the stage it starts from, if any."""
    parent = dockerfile.parent(stage, global_args)
    if parent is None:
        base = bases.get(stage.base)
        return StageState(working_dir=base.working_dir if base is not None else "/")
    state = _before(dockerfile, parent, global_args, build_args, bases)
    for instruction in parent.instructions[1:]:
        state.apply(instruction, build_args, global_args)
    return state
