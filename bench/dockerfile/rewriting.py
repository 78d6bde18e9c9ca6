"""Change a Dockerfile by line span: everything that is not asked for stays byte for byte."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.dockerfile.environment import global_variables
from bench.dockerfile.expansion import expand
from bench.dockerfile.model import copy_sources
from bench.dockerfile.parsing import parse
from bench.errors import DockerfileError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bench.dockerfile.model import Dockerfile, Instruction, Stage

_BREAK = r"[\\`][ \t]*\r?\n(?:\s*#[^\n]*\n)*"  # a continued line, and comments before the next
_FROM_IMAGE = re.compile(rf"(?is)\A(\s*FROM\s+(?:(?:--\S+|{_BREAK})\s*)*)(\S+)")
FLAGS = re.compile(rf"(?is)\A\s*[A-Z]+\s+(?:(?:--\S+|{_BREAK})\s*)*")
"""An instruction up to the end of its flags, over continued lines."""
_FROM_VALUE = re.compile(r"(?<=[-,=\"]from=)[^\s,\"]+")


def matches(instruction: Instruction, reference: str) -> bool:
    """Tell whether ``reference`` is the instruction's beginning, up to the end of a word.

    ``RUN mvn`` matches ``RUN mvn package``; ``RUN mv`` does not. The keyword may be in any case.
    """
    words = reference.split()
    if not words:
        return False
    words[0] = words[0].upper()
    actual = instruction.text.split()
    actual[0] = instruction.keyword
    return actual[: len(words)] == words


def reorder(
    text: str,
    *,
    stage: int | str,
    move: Sequence[str],
    before: str | None = None,
    after: str | None = None,
    path: str = "Dockerfile",
) -> str:
    """Return ``text`` with the instructions that ``move`` names moved inside one stage.

    Each entry of ``move`` names, by its beginning, every instruction of the stage that it
    matches; they keep their order among themselves and take the comment lines right above them
    along. They go before the first instruction that ``before`` matches, or after the last that
    ``after`` matches.

    Raises:
        DockerfileError: the stage, an instruction or the anchor is not there, or is ambiguous.

    """
    dockerfile = parse(text, path)
    found = dockerfile.find_stage(stage)
    if found is None:
        names = ", ".join(one.label for one in dockerfile.stages)
        raise DockerfileError(f"{path}: there is no stage {stage!r}", remedy=f"it has: {names}")
    moved = _selected(found, move, path)
    anchor = _anchor(found, moved, before, after, path)
    lines = split_lines(text)
    spans = [_span(lines, instruction) for instruction in moved]
    moving = {number for start, end in spans for number in range(start, end)}
    block = [_ended(lines[number]) for start, end in spans for number in range(start, end)]
    start, end = _span(lines, anchor)
    place = start if before is not None else end
    result = [line for number, line in enumerate(lines[:place]) if number not in moving]
    if result:
        result[-1] = _ended(result[-1])
    result += block
    result += [line for number, line in enumerate(lines[place:], place) if number not in moving]
    return "".join(result)


def _selected(stage: Stage, move: Sequence[str], path: str) -> list[Instruction]:
    for reference in move:
        if not any(matches(one, reference) for one in stage.instructions[1:]):
            raise DockerfileError(
                f"{path}: stage {stage.label} has no instruction {reference!r} to move",
                remedy="name the beginning of an instruction as it is written",
            )
    return [
        one for one in stage.instructions[1:] if any(matches(one, reference) for reference in move)
    ]


def _anchor(
    stage: Stage,
    moved: Sequence[Instruction],
    before: str | None,
    after: str | None,
    path: str,
) -> Instruction:
    reference = before if before is not None else after
    if reference is None or (before is not None and after is not None):
        raise DockerfileError(
            f"{path}: a move needs one place", remedy="give exactly one of before and after"
        )
    candidates = stage.instructions[1:] if before is not None else stage.instructions
    fits = [one for one in candidates if one not in moved and matches(one, reference)]
    if not fits:
        raise DockerfileError(
            f"{path}: stage {stage.label} has no instruction {reference!r} to move to",
            remedy="name the beginning of an instruction that stays where it is",
        )
    return fits[0] if before is not None else fits[-1]


def split_lines(text: str) -> list[str]:
    """Return the lines of a Dockerfile, each with its end."""
    # Not splitlines(): the builders end a line at \n only, never at \f, \x85 or a lone \r.
    return re.findall(r"[^\n]*\n|[^\n]+", text)


def _ended(line: str) -> str:
    return line if line.endswith("\n") else line + "\n"


def _span(lines: Sequence[str], instruction: Instruction) -> tuple[int, int]:
    """Return the half-open line range of an instruction and the comments right above it."""
    start = instruction.line - 1
    while start > 0 and lines[start - 1].lstrip().startswith("#"):
        start -= 1
    # Parser directives are not among them: they stand on top of the file, above a FROM.
    return start, instruction.end_line


@dataclass(frozen=True)
class ImageUse:
    """An image from outside the Dockerfile; ``raw`` as written, ``image`` with ARGs filled in."""

    raw: str
    image: str


def external_images(
    dockerfile: Dockerfile,
    build_args: Mapping[str, str] | None = None,
    *,
    stages: Iterable[int] | None = None,
) -> list[ImageUse]:
    """Return every image that FROM, ``COPY --from`` and ``RUN --mount=from=`` take, each once.

    ``stages`` restricts the search to those stage indices. ``scratch`` is one of them: it needs
    a salt like any other base.

    Raises:
        DockerfileError: a FROM whose ARG has no value.

    """
    variables = global_variables(dockerfile, build_args or {})
    wanted = None if stages is None else set(stages)
    uses: dict[str, ImageUse] = {}
    for stage in dockerfile.stages:
        if wanted is not None and stage.index not in wanted:
            continue
        if dockerfile.parent(stage, variables) is None:
            image = _base_image(dockerfile, stage, variables)
            uses.setdefault(stage.base, ImageUse(stage.base, image))
        for raw in copy_sources(stage):
            if dockerfile.find_stage(raw, before=stage.index) is None:
                uses.setdefault(raw, ImageUse(raw, raw))
    return list(uses.values())


def _base_image(dockerfile: Dockerfile, stage: Stage, variables: Mapping[str, str]) -> str:
    image = expand(stage.base, variables)
    if not image:
        raise DockerfileError(
            f"{dockerfile.path}:{stage.instructions[0].line}: FROM {stage.base} names no image",
            remedy="give its ARG a default before the first FROM, or set build_args",
        )
    return image


def replace_images(dockerfile: Dockerfile, images: Mapping[str, str]) -> str:
    """Return the text with every image ``raw`` in ``images`` replaced; no line is added or lost.

    Keys are names as written (`ImageUse.raw`). References to stages are left alone.
    """
    lines = split_lines(dockerfile.text)
    for stage in dockerfile.stages:
        for instruction in stage.instructions:
            span = slice(instruction.line - 1, instruction.end_line)
            old = "".join(lines[span])
            new = _with_images(dockerfile, stage, instruction, old, images)
            if new != old:
                lines[span] = split_lines(new)
    return "".join(lines)


def _with_images(
    dockerfile: Dockerfile,
    stage: Stage,
    instruction: Instruction,
    source: str,
    images: Mapping[str, str],
) -> str:
    if instruction.keyword == "FROM":
        # An expression that names a stage is no key of ``images``; see `external_images`.
        named = dockerfile.parent(stage, {})
        image = None if named is not None else images.get(stage.base)
        if image is None:
            return source
        return _FROM_IMAGE.sub(lambda match: match[1] + image, source, count=1)

    def external(match: re.Match[str]) -> str:
        raw = match[0]
        if dockerfile.find_stage(raw, before=stage.index) is not None:
            return raw
        return images.get(raw, raw)

    if not any(flag.startswith(("--from=", "--mount=")) for flag in instruction.flags):
        return source
    head = FLAGS.match(source)
    end = head.end() if head is not None else 0
    return _FROM_VALUE.sub(external, source[:end]) + source[end:]
