"""Stages that only lend files to others: what of the context they need."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from bench.orderings.rewrites.errors import UnprovableError
from bench.orderings.rewrites.paths import covers, is_alone, overlaps_any
from bench.orderings.rewrites.reading import use_at
from bench.orderings.rewrites.tools import Use

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bench.cache_model import StepPlace
    from bench.cache_model.files import FileTree
    from bench.dockerfile import Stage
    from bench.orderings.rewrites.base import Facts
    from bench.orderings.rewrites.flow import Copied


def is_side_stage(facts: Facts, stage: Stage) -> bool:
    """Tell whether a stage is no part of the image and nothing starts from it."""
    return stage.index not in facts.flow.target_line and not facts.flow.children(stage)


def needed_after(facts: Facts, stage: Stage, place: StepPlace) -> Use:
    """Return what a side stage needs of what the COPY at ``place`` brings, as reads.

    What its later RUNs read, what other stages take from it, and where later instructions go: a
    folder there decides what they make.

    Raises:
        UnprovableError: a RUN, or what is taken, is not known.

    """
    needed = Use()
    for later, instruction in facts.flow.places(stage):
        if later.step <= place.step:
            continue
        if instruction.keyword == "RUN":
            folder = facts.flow.scope(later).working_dir
            needed = needed | use_at(facts, later) | Use(reads=_if_copied(facts, folder))
        elif instruction.keyword in {"COPY", "ADD"}:
            needed = needed | Use(reads=(facts.flow.destination(later),))
        elif instruction.keyword == "WORKDIR":
            folder = posixpath.normpath(facts.flow.scope(later).directory(instruction))
            needed = needed | Use(reads=_if_copied(facts, folder))
    taken = [path for one in facts.flow.taken_from(stage) for path in one.paths]
    return needed | Use(reads=tuple(taken))


def _if_copied(facts: Facts, folder: str) -> tuple[str, ...]:
    """Return a working directory if it was copied from the context: it must be there."""
    copied = any(folder in one.files for one in facts.flow.copies())
    return (folder,) if copied else ()


def check_links(copied: Copied, reads: Iterable[str], tree: FileTree) -> None:
    """Refuse links among the copied files that lead from what is read to what is not.

    Raises:
        UnprovableError: naming such a link.

    """
    wanted = tuple(one for one in reads if not is_alone(one))
    image = {source: path for path, source in copied.files.items()}
    for path, source in copied.files.items():
        node = tree.nodes.get(source)
        if node is None or node.type != "symlink" or not overlaps_any(wanted, path):
            continue
        end = image.get(tree.resolve(source), "")
        if not any(covers(one, end) for one in wanted):
            raise UnprovableError(f"{source} is a link, and what it leads to may be read too")
