"""What a step exercises: the rows of the summary."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.conformance.places import WILDCARDS

if TYPE_CHECKING:
    from bench.dockerfile import Instruction

_FILE_KEYWORDS = frozenset({"COPY", "ADD"})


def features_of(instruction: Instruction) -> tuple[str, ...]:
    """Return the keyword of an instruction, and whatever else is special about it."""
    found = [instruction.keyword]
    if instruction.keyword in _FILE_KEYWORDS:
        found += _of_copy(instruction)
    elif instruction.keyword == "RUN":
        found += _of_run(instruction)
    if "$" in instruction.text and instruction.keyword != "RUN":
        found.append(f"{instruction.keyword} with variable")
    return tuple(found)


def _of_copy(instruction: Instruction) -> list[str]:
    keyword = instruction.keyword
    found = [f"{keyword} {flag.partition('=')[0]}" for flag in instruction.flags]
    if "<<" in instruction.text:
        return [*found, f"{keyword} heredoc"]
    sources, dest = instruction.arguments[:-1], instruction.arguments[-1]
    traits = {
        "several sources": len(sources) > 1,
        "pattern": any(WILDCARDS & set(source) for source in sources),
        "whole context": instruction.flag("from") is None and sources[0] in {".", "./"},
        "of a tar": keyword == "ADD" and any(".tar" in source for source in sources),
        "to a relative place": not dest.startswith(("/", "$")),
        "to a directory": dest.endswith("/"),
    }
    return found + [f"{keyword} {trait}" for trait, there in traits.items() if there]


def _of_run(instruction: Instruction) -> list[str]:
    found = []
    for mount in instruction.flag_values("mount"):
        fields = dict(part.partition("=")[::2] for part in mount.split(","))
        kind = fields.get("type", "bind")
        origin = "" if kind != "bind" else " of a stage" if "from" in fields else " of the context"
        found.append(f"RUN mount {kind}{origin}")
    if any(flag.startswith("--network") for flag in instruction.flags):
        found.append("RUN --network")
    if "<<" in instruction.text:
        found.append("RUN heredoc")
    if instruction.exec_form:
        found.append("RUN exec form")
    return found
