"""Let every RUN of a Dockerfile wait until somebody watches it.

Pure: text in, text out. A RUN in shell form stays as it is; the SHELL before it is one that waits
and then becomes the shell that was in force, with the very same arguments, environment and process
number. A RUN in exec form is preceded in the same way. At the beginning of a stage comes a RUN
that does nothing but wait, so that the base image can be looked at.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.cache_model import StepPlace
from bench.cache_model.scope import DEFAULT_SHELL
from bench.dockerfile import global_variables
from bench.dockerfile.rewriting import FLAGS, split_lines

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from bench.builders.protocol import BaseImageConfig
    from bench.dockerfile import Dockerfile, Instruction

WAITED_IN_VAIN = 97
"""The status of a RUN that nobody came to watch."""
ROUNDS = 3_000_000  # 4 s (dash) to 10 s (busybox) of one core: nothing may wait for ever
WAIT = (
    "trap cachebench_go=1 USR1; cachebench_n=0; "
    'while [ -z "$cachebench_go" ]; do cachebench_n=$((cachebench_n+1)); '
    f"if [ $cachebench_n -gt {ROUNDS} ]; then "
    f'echo "cachebench: nobody came to watch" >&2; exit {WAITED_IN_VAIN}; fi; done; '
    'trap - USR1; unset cachebench_go cachebench_n; exec "$@"'
)
"""POSIX shell, its own commands only. The process that runs it is number 1 of the container, which
cannot stop itself, and an image need not have ``sleep``: so it goes round and round."""
_PLACE_OF_MARK = 3

START = 1
"""The step, that of FROM, under which the beginning of a stage waits."""


@dataclass(frozen=True)
class Hooked:
    """A Dockerfile whose RUNs wait. ``marks`` is what each of them is called."""

    text: str
    marks: Mapping[str, StepPlace]


def mark_of(command_line: bytes) -> str | None:
    """Return what a process is called that may be waiting; ``command_line`` is as in /proc."""
    words = command_line.split(b"\0")
    if len(words) <= _PLACE_OF_MARK or words[2] != WAIT.encode():
        return None
    return words[_PLACE_OF_MARK].decode(errors="replace")


def hooked(
    dockerfile: Dockerfile,
    token: str,
    places: Collection[StepPlace],
    bases: Mapping[str, BaseImageConfig],
    build_args: Mapping[str, str],
) -> Hooked:
    """Return ``dockerfile`` with a wait before each of the RUNs at ``places``.

    ``token`` tells these waits from all others on the machine. ``bases`` are the configs of the
    images that the FROMs name: a SHELL may be inherited.
    """
    lines = [line if line.endswith("\n") else f"{line}\n" for line in split_lines(dockerfile.text)]
    shells = _shells(dockerfile, bases, build_args)
    marks = {f"{token}-{place.stage_index}-{place.step}": place for place in sorted(places)}
    for mark, place in sorted(marks.items(), key=lambda item: item[1], reverse=True):
        instruction = dockerfile.stages[place.stage_index].instructions[place.step - 1]
        span = slice(instruction.line - 1, instruction.end_line)
        lines[span] = _waiting(instruction, lines[span], mark, shells[place])
    return Hooked("".join(lines), marks)


def _waiting(
    instruction: Instruction, lines: Sequence[str], mark: str, shell: tuple[str, ...]
) -> list[str]:
    if instruction.keyword == "FROM":
        return [*lines, f"RUN {_words(mark, ())}\n"]
    if not instruction.exec_form:
        return [f"SHELL {_words(mark, shell)}\n", *lines, f"SHELL {json.dumps(list(shell))}\n"]
    head = FLAGS.match("".join(lines))
    start = head[0] if head is not None else "RUN "
    return split_lines(f"{start}{_words(mark, instruction.arguments)}\n")


def _words(mark: str, command: Sequence[str]) -> str:
    return json.dumps([*DEFAULT_SHELL, WAIT, mark, *command])


def _shells(
    dockerfile: Dockerfile,
    bases: Mapping[str, BaseImageConfig],
    build_args: Mapping[str, str],
) -> dict[StepPlace, tuple[str, ...]]:
    """Return the shell in force at every instruction."""
    variables = global_variables(dockerfile, build_args)
    last: dict[int, tuple[str, ...]] = {}
    found: dict[StepPlace, tuple[str, ...]] = {}
    for stage in dockerfile.stages:
        parent = dockerfile.parent(stage, variables)
        base = bases.get(stage.base)
        shell = last[parent.index] if parent is not None else (base.shell if base else ())
        for step, instruction in enumerate(stage.instructions, start=1):
            if instruction.keyword == "SHELL":
                shell = instruction.arguments
            found[StepPlace(stage.index, step)] = shell or DEFAULT_SHELL
        last[stage.index] = shell
    return found
