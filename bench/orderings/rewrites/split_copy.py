"""``split-copy``: copy what the next RUN reads before it, and the rest after it.

``COPY . .`` before ``RUN npm ci`` makes every edit of a source install all packages again. The
RUN reads a few files only; with those copied first, and the whole COPY moved below the RUN, it is
run again only when they change.

Why the image stays the same: the RUN finds every file that it reads, with the same bytes and
attributes; then the very same COPY as before puts the same files in place, each with its own mode
and owner (see `bench.orderings.rewrites.flow` on folders). What the RUN wrote is not touched by
it, because no path is both written and copied.
"""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.orderings.rewrites.base import EVERY_BUILDER, Proposal, Refusal, Rewrite
from bench.orderings.rewrites.copies import part_of
from bench.orderings.rewrites.edits import Edit
from bench.orderings.rewrites.errors import UnprovableError
from bench.orderings.rewrites.paths import covers, inside, overlaps_any
from bench.orderings.rewrites.reading import use_at
from bench.orderings.rewrites.side import check_links
from bench.orderings.rewrites.tools import Use

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.cache_model import StepPlace
    from bench.cache_model.files import FileTree
    from bench.dockerfile import Instruction, Stage
    from bench.orderings.rewrites.base import Facts
    from bench.orderings.rewrites.flow import Copied

NAME = "split-copy"
_CONFIG_ONLY = frozenset(
    {"LABEL", "EXPOSE", "CMD", "ENTRYPOINT", "STOPSIGNAL", "HEALTHCHECK", "MAINTAINER"}
)
_MADE_MODE = 0o755
"""The mode of a folder that COPY makes above what it copies."""


@dataclass(frozen=True)
class _Passed:
    """The RUNs that a COPY may be moved below, and what they use together."""

    last: Instruction
    runs: tuple[Instruction, ...]
    use: Use


def _look(facts: Facts) -> Iterator[Proposal | Refusal]:
    for stage in facts.dockerfile.stages:
        for place, instruction in facts.flow.places(stage):
            if instruction.keyword == "COPY" and instruction.flag("from") is None:
                yield from _try(facts, stage, place, instruction)


def _try(
    facts: Facts, stage: Stage, place: StepPlace, instruction: Instruction
) -> Iterator[Proposal | Refusal]:
    following = _following_runs(facts, stage, place)
    if not following:
        return
    try:
        copied = facts.flow.copied(place)
        if len(copied.files) <= 1:
            return
        passed, read, refused = _passed(facts, copied, following)
        if passed is None:
            if refused is not None:
                yield Refusal(NAME, instruction.line, refused)
            return
        yield _proposal(facts, copied, passed, read)
    except UnprovableError as error:
        if not facts.flow.single_file(place):
            yield Refusal(NAME, instruction.line, str(error))


def _following_runs(facts: Facts, stage: Stage, place: StepPlace) -> list[StepPlace]:
    """Return the RUNs right below a COPY, nothing that matters to it in between."""
    found: list[StepPlace] = []
    variables = "$" in facts.flow.instruction(place).text
    for later, instruction in facts.flow.places(stage):
        if later.step <= place.step:
            continue
        if instruction.keyword == "RUN":
            found.append(later)
        elif instruction.keyword in {"ENV", "ARG"}:
            if variables:
                break
        elif instruction.keyword not in _CONFIG_ONLY:
            break
    return found


def _passed(
    facts: Facts, copied: Copied, following: list[StepPlace]
) -> tuple[_Passed | None, list[str], str | None]:
    """Return the RUNs that can be passed, what they read of the copied, and why no more can."""
    best: _Passed | None = None
    best_read: list[str] = []
    use = Use()
    runs: tuple[Instruction, ...] = ()
    for later in following:
        try:
            use = use | use_at(facts, later)
            read = _check(facts, copied, use)
        except UnprovableError as error:
            return best, best_read, str(error)
        # One that reads more is passed next, with a COPY of its own right above it.
        if read is None or (best is not None and read != best_read):
            return best, best_read, None
        run = facts.flow.instruction(later)
        runs = (*runs, run)
        best, best_read = _Passed(run, runs, use), read
    return best, best_read, None


def _check(facts: Facts, copied: Copied, use: Use) -> list[str] | None:
    """Return what of the copied files is read, or None where that is all of them.

    Raises:
        UnprovableError: what is written and what is copied may meet.

    """
    if "--link" in copied.instruction.flags or copied.instruction.flag("link") is not None:
        raise UnprovableError("COPY --link puts its files on top whatever is below")
    if copied.transfer.target == "/":
        raise UnprovableError("it copies to / itself, where everything else lies")
    met = next((path for path in copied.files if overlaps_any(use.writes, path)), None)
    if met is not None:
        raise UnprovableError(f"{met} is copied, and the RUN below may write there")
    tree = facts.flow.tree
    read = [path for path in copied.files if any(covers(one, path) for one in use.reads)]
    if not read:
        _check_folders(facts, copied, use)
    check_links(copied, use.reads, tree)
    _check_modes(copied, use, tree)
    files = {path for path, source in copied.files.items() if not tree.is_dir(source)}
    return None if files <= set(read) else read


def _check_modes(copied: Copied, use: Use, tree: FileTree) -> None:
    """Refuse a RUN that looks at a folder which has another mode than COPY of a file gives it.

    A path that ends in ``/.`` is the folder itself (see `bench.orderings.access.Access`).
    """
    for path, source in copied.files.items():
        node = tree.nodes.get(source) if f"{path}/." in use.reads else None
        if node is not None and node.type == "dir" and node.mode != _MADE_MODE:
            raise UnprovableError(
                f"the RUN below looks at the folder {path}, which has the mode {node.mode:o}"
            )


def _check_folders(facts: Facts, copied: Copied, use: Use) -> None:
    """Refuse a RUN that may see or make a folder which the COPY, standing first, would have made.

    Raises:
        UnprovableError: naming the folder.

    """
    folder = copied.transfer.target
    while not inside(facts.flow.scope(copied.place).working_dir, folder):
        if overlaps_any(use.writes, folder) or any(covers(one, folder) for one in use.reads):
            raise UnprovableError(f"the RUN below may deal with {folder}, which COPY makes first")
        folder = posixpath.dirname(folder)


def _proposal(facts: Facts, copied: Copied, passed: _Passed, read: list[str]) -> Proposal:
    lines = part_of(copied, read, facts.flow.tree) if read else []
    edit = Edit(facts.dockerfile)
    indent = edit.indent(copied.instruction)
    moved = edit.block(copied.instruction)
    edit.insert_before(copied.instruction, [indent + line for line in lines])
    edit.remove(copied.instruction, with_comments=True)
    edit.insert_after(passed.last, moved)
    commands = " and ".join(f"`{run.text}`" for run in passed.runs)
    names = sorted(copied.files[path] for path in read)
    shown = ", ".join(names[:6]) + (", …" if len(names) > 6 else "")
    only = f"reads only {shown}" if names else "reads nothing"
    return Proposal(
        rewrite=NAME,
        dockerfile_text=edit.text(),
        dockerignore_text=None,
        reason=f"{commands} {only} of what `{copied.instruction.text}` copies, so a change of any "
        "other file need not run it again",
        obligations=(
            *passed.use.obligations,
            f"no path that `{copied.instruction.text}` copies is written by {commands}",
            "the same COPY follows, so every file and folder gets the bytes, mode and owner that "
            "it had",
        ),
        builders=EVERY_BUILDER,
    )


SPLIT_COPY = Rewrite(
    name=NAME,
    title="copy what a RUN reads before it, and the rest after it",
    builders=EVERY_BUILDER,
    look=_look,
)
