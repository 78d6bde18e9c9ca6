"""From text to a `Dockerfile`, with BuildKit's own parser (the ``dockerfile`` package)."""

from __future__ import annotations

import contextlib
import difflib
from typing import NoReturn

import dockerfile as buildkit_parser

from bench.dockerfile.model import Dockerfile, Instruction, Stage
from bench.errors import DockerfileError

KEYWORDS = frozenset(
    {
        *("ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK"),
        *("LABEL", "MAINTAINER", "ONBUILD", "RUN", "SHELL", "STOPSIGNAL", "USER", "VOLUME"),
        "WORKDIR",
    }
)
_MINIMUM_ARGUMENTS = {"COPY": 2, "ADD": 2, "CMD": 0, "ENTRYPOINT": 0}


def parse(text: str, path: str = "Dockerfile") -> Dockerfile:
    """Parse ``text``; ``path`` is named in errors.

    Raises:
        DockerfileError: the text is no Dockerfile that a builder would accept.

    """
    global_args: list[Instruction] = []
    stages: list[list[Instruction]] = []
    for instruction in _instructions(text, path):
        if instruction.keyword == "FROM":
            stages.append([instruction])
        elif stages:
            stages[-1].append(instruction)
        elif instruction.keyword == "ARG":
            global_args.append(instruction)
        else:
            _refuse(path, instruction, "only ARG may stand before the first FROM")
    if not stages:
        raise DockerfileError(f"{path}: there is no FROM", remedy="begin a stage with FROM IMAGE")
    return Dockerfile(
        path=path,
        text=text,
        global_args=tuple(global_args),
        stages=tuple(_stage(index, body, path) for index, body in enumerate(stages)),
    )


def _instructions(text: str, path: str) -> list[Instruction]:
    _check_characters(text, path)
    try:
        commands = buildkit_parser.parse_string(text)
    except buildkit_parser.GoParseError as error:
        line = _line_of_error(text)
        raise DockerfileError(
            f"{path}:{line}: does not parse: {error}", remedy="mend this line of the Dockerfile"
        ) from error
    instructions = []
    for command in commands:
        keyword = (command.cmd or "").upper()  # None for a lone escape character
        instruction = Instruction(
            keyword=keyword,
            text=" ".join((command.original or "").split()),
            flags=tuple(command.flags or ()),
            arguments=tuple(command.value or ()),
            exec_form=command.json,
            line=command.start_line,
            end_line=command.end_line,
        )
        _check(path, instruction)
        instructions.append(instruction)
    return instructions


def _check_characters(text: str, path: str) -> None:
    """Refuse what the parser, which takes a C string, would cut short or crash on."""
    for number, line in enumerate(text.split("\n"), start=1):
        if any(character == "\0" or "\ud800" <= character <= "\udfff" for character in line):
            raise DockerfileError(
                f"{path}:{number}: holds a character that is no text: {line[:80]!r}",
                remedy="save the Dockerfile as UTF-8 text",
            )


def _line_of_error(text: str) -> int:
    """Return where the instruction begins that the parser refuses without naming a line.

    It is the one after the longest beginning of the text that does parse.
    """
    lines = text.split("\n")
    for count in range(len(lines) - 1, 0, -1):
        with contextlib.suppress(buildkit_parser.GoParseError):
            buildkit_parser.parse_string("\n".join(lines[:count]))
            return count + 1
    return 1


def _check(path: str, instruction: Instruction) -> None:
    keyword = instruction.keyword
    if keyword not in KEYWORDS:
        near = difflib.get_close_matches(keyword, KEYWORDS, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        _refuse(path, instruction, f"unknown instruction {keyword}{hint}")
    if len(instruction.arguments) < _MINIMUM_ARGUMENTS.get(keyword, 1):
        _refuse(path, instruction, f"{keyword} needs more arguments")


def _stage(index: int, body: list[Instruction], path: str) -> Stage:
    arguments = body[0].arguments
    if len(arguments) == 1:
        name = None
    elif len(arguments) == 3 and arguments[1].upper() == "AS":
        name = arguments[2]
    else:
        _refuse(path, body[0], "FROM takes IMAGE or IMAGE AS NAME")
    return Stage(index=index, name=name, base=arguments[0], instructions=tuple(body))


def _refuse(path: str, instruction: Instruction, message: str) -> NoReturn:
    raise DockerfileError(
        f"{path}:{instruction.line}: {message}: {instruction.text[:80]}",
        remedy="mend this line of the Dockerfile",
    )
