"""``bind-manifests``: mount the files that only one RUN needs, instead of copying them twice.

``COPY package.json ./``, ``RUN npm ci``, ``COPY . .`` copies package.json twice. With
``RUN --mount=type=bind`` the RUN finds it without a layer of its own (BuildKit only, which keys
such a mount by its content, as it does COPY).

Where a mount's target is not there yet, an empty file stands in for it while the RUN runs, and is
removed after it; a folder made for it may stay (moby/buildkit ``executor/stubs.go``; tried on
Engine 20.10.24 and 28.5.2). So only files right in a folder that WORKDIR has made are mounted, and
only those that a COPY below puts in place all the same.
"""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from bench.dockerfile.rewriting import FLAGS
from bench.orderings.rewrites.base import BUILDKIT, Proposal, Refusal, Rewrite
from bench.orderings.rewrites.edits import Edit
from bench.orderings.rewrites.errors import UnprovableError
from bench.orderings.rewrites.paths import overlaps_any
from bench.orderings.rewrites.reading import use_at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.cache_model import StepPlace
    from bench.dockerfile import Stage
    from bench.orderings.rewrites.base import Facts
    from bench.orderings.rewrites.flow import Copied
    from bench.orderings.rewrites.tools import Use

NAME = "bind-manifests"
_PLAIN = re.compile(r"\A[\w./@+-]+\Z")
_MOST = 4
"""More mounts than this are harder to read than a COPY."""


def _look(facts: Facts) -> Iterator[Proposal | Refusal]:
    if not facts.only(BUILDKIT):
        return
    for stage in facts.dockerfile.stages:
        places = [place for place, _ in facts.flow.places(stage)]
        for first, run, again in zip(places, places[1:], places[2:], strict=False):
            keywords = [facts.flow.instruction(one).keyword for one in (first, run, again)]
            if keywords != ["COPY", "RUN", "COPY"]:
                continue
            try:
                found = _mounted(facts, stage, first, run, again)
            except UnprovableError as error:
                yield Refusal(NAME, facts.flow.instruction(first).line, str(error))
            else:
                if found is not None:
                    yield found


def _mounted(
    facts: Facts, stage: Stage, first: StepPlace, run: StepPlace, again: StepPlace
) -> Proposal | None:
    if any(facts.flow.instruction(one).flag("from") is not None for one in (first, again)):
        return None
    copied, after = facts.flow.copied(first), facts.flow.copied(again)
    if len(copied.files) > _MOST or not copied.files:
        return None
    if any(after.files.get(path) != source for path, source in copied.files.items()):
        return None
    if copied.instruction.flags or after.instruction.flags:
        raise UnprovableError("a mounted file has no flags of COPY")
    used = use_at(facts, run)
    _check_places(facts, stage, copied, used)
    command = facts.flow.instruction(run)
    mounts = [
        f"--mount=type=bind,source={source},target={path}" for path, source in copied.files.items()
    ]
    edit = Edit(facts.dockerfile)
    edit.remove(copied.instruction)
    text = "".join(edit.source(command))
    head = FLAGS.match(text)
    assert head is not None  # every RUN has a keyword  # noqa: S101
    edit.replace(
        command, [text[: head.end()] + "".join(f"{one} " for one in mounts) + text[head.end() :]]
    )
    names = ", ".join(copied.files.values())
    return Proposal(
        rewrite=NAME,
        dockerfile_text=edit.text(),
        dockerignore_text=None,
        reason=f"{names} of `{copied.instruction.text}` come again with "
        f"`{after.instruction.text}`; mounted for `{command.text}` alone they need no layer",
        obligations=(
            *used.obligations,
            f"`{command.text}` writes none of {names}, and the same files are copied right below",
        ),
        builders=(BUILDKIT,),
    )


def _check_places(facts: Facts, stage: Stage, copied: Copied, used: Use) -> None:
    """Refuse files whose mount would leave something, or that are written.

    Raises:
        UnprovableError: naming one.

    """
    made = {
        facts.flow.scope_after(place).working_dir
        for place, instruction in facts.flow.places(stage)
        if instruction.keyword == "WORKDIR" and place.step < copied.place.step
    }
    scope = facts.flow.scope(copied.place)
    for path, source in copied.files.items():
        node = facts.flow.tree.nodes.get(source)
        if node is None or node.type != "file":
            raise UnprovableError(f"{source} is no plain file")
        if not _PLAIN.match(source) or not _PLAIN.match(path):
            raise UnprovableError(f"the name {source} would have to be quoted")
        if posixpath.dirname(path) not in made:
            raise UnprovableError(f"no WORKDIR makes {posixpath.dirname(path)} before")
        if overlaps_any(used.writes, path):
            raise UnprovableError(f"the RUN may write {path}, which a mount does not allow")
        if scope.user not in {"", "0", "root", "0:0"} and not node.mode & 0o004:
            raise UnprovableError(f"{scope.user} may not read {source}")


BIND_MANIFESTS = Rewrite(
    name=NAME,
    title="mount the files that only one RUN needs before the rest is copied",
    builders=(BUILDKIT,),
    look=_look,
)
