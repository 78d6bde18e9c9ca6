"""``narrow-copy``: copy into a stage only what the stage needs.

A stage that compiles something with ``COPY . .`` is built again after every edit of a file that it
never looks at. Only stages whose own files are no part of the image are narrowed, and only where
it is known what each of their RUNs reads: then these find the same files, make the same files, and
what other stages take is the same.
"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from bench.orderings.rewrites.base import EVERY_BUILDER, Proposal, Refusal, Rewrite
from bench.orderings.rewrites.copies import part_of
from bench.orderings.rewrites.edits import Edit
from bench.orderings.rewrites.errors import UnprovableError
from bench.orderings.rewrites.paths import covers, inside
from bench.orderings.rewrites.reading import use_at
from bench.orderings.rewrites.side import check_links, is_side_stage, needed_after

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.cache_model import StepPlace
    from bench.dockerfile import Stage
    from bench.orderings.rewrites.base import Facts
    from bench.orderings.rewrites.flow import Copied

NAME = "narrow-copy"


def _look(facts: Facts) -> Iterator[Proposal | Refusal]:
    for stage in facts.dockerfile.stages:
        for place, instruction in facts.flow.places(stage):
            if instruction.keyword != "COPY" or instruction.flag("from") is not None:
                continue
            if facts.flow.single_file(place):
                continue
            try:
                found = _narrowed(facts, stage, place)
            except UnprovableError as error:
                yield Refusal(NAME, instruction.line, str(error))
            else:
                if found is not None:
                    yield found


def _narrowed(facts: Facts, stage: Stage, place: StepPlace) -> Proposal | None:
    copied = facts.flow.copied(place)
    tree = facts.flow.tree
    files = {path for path, source in copied.files.items() if not tree.is_dir(source)}
    if len(files) <= 1:
        return None
    if not is_side_stage(facts, stage):
        if stage.index in facts.flow.target_line:
            return None
        raise UnprovableError("another stage starts from this one")
    if any(flag.startswith("--link") for flag in copied.instruction.flags):
        raise UnprovableError("COPY --link puts its files on top whatever is below")
    needed = needed_after(facts, stage, place)
    read = [path for path in copied.files if any(covers(one, path) for one in needed.reads)]
    if files <= set(read):
        return None
    check_links(copied, needed.reads, tree)
    lines = part_of(copied, read, tree)
    edit = Edit(facts.dockerfile)
    if lines:
        indent = edit.indent(copied.instruction)
        edit.replace(copied.instruction, [indent + line for line in lines])
    elif _is_made(facts, stage, copied):
        edit.remove(copied.instruction, with_comments=True)
    else:
        raise UnprovableError(f"nothing is read of it, but it makes {copied.transfer.target}")
    left_out = sorted(copied.files[path] for path in files - set(read))
    shown = ", ".join(left_out[:6]) + (", …" if len(left_out) > 6 else "")
    return Proposal(
        rewrite=NAME,
        dockerfile_text=edit.text(),
        dockerignore_text=None,
        reason=f"stage {stage.label} needs nothing of {shown}, so a change of these need not "
        "build it again",
        obligations=(
            *needed.obligations,
            f"no file of stage {stage.label} itself is part of the image, and what other stages "
            "take from it is kept",
        ),
        builders=EVERY_BUILDER,
    )


def _is_made(facts: Facts, stage: Stage, copied: Copied) -> bool:
    """Tell whether the destination folder is there before, whatever is copied."""
    target = copied.transfer.target
    is_there = False
    for place, instruction in facts.flow.places(stage):
        if place.step >= copied.place.step:
            break
        if instruction.keyword == "RUN":
            is_there = is_there and not any(
                covers(one, target) for one in use_at(facts, place).writes
            )
        elif instruction.keyword == "WORKDIR":
            made = facts.flow.scope(place).directory(instruction)
            is_there = is_there or inside(posixpath.normpath(made), target)
        elif instruction.keyword in {"COPY", "ADD"}:
            made = posixpath.dirname(facts.flow.destination(place))
            is_there = is_there or inside(made, target)
    return is_there


NARROW_COPY = Rewrite(
    name=NAME,
    title="copy into a stage only what it needs",
    builders=EVERY_BUILDER,
    look=_look,
)
