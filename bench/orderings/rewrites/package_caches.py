"""``package-caches``: keep what package managers fetch in a cache mount (BuildKit only).

A RUN that misses fetches everything again although most of it is the same as before. With
``RUN --mount=type=cache`` it finds what earlier builds fetched. What lies in the mount is no part
of the image, so this is proposed only where that leaves the image as it was:

* in a stage whose own files are no part of the image, if nothing is taken from the folder and no
  later RUN may look into it (or uses the same mount), or
* for ``pip install --no-cache-dir``, which leaves no folder behind: the option goes, the mount
  comes. BuildKit before 0.11 leaves the folder itself as a stub in the image and later ones do not
  (moby/buildkit ``executor/stubs.go``; tried on Engine 20.10.24 and 28.5.2), so those are refused.

What the base image keeps in the folder is hidden by the mount. A package manager fetches again
what it does not find, which needs a network: without one nothing is proposed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.dockerfile.rewriting import FLAGS
from bench.orderings.rewrites.base import BUILDKIT, Proposal, Refusal, Rewrite
from bench.orderings.rewrites.caches import Cache, cache_of
from bench.orderings.rewrites.edits import Edit
from bench.orderings.rewrites.errors import UnprovableError
from bench.orderings.rewrites.paths import overlaps, overlaps_any
from bench.orderings.rewrites.reading import use_at
from bench.orderings.rewrites.side import is_side_stage
from bench.orderings.rewrites.tools import words_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.cache_model import StepPlace
    from bench.dockerfile import Instruction, Stage
    from bench.orderings.rewrites.base import Facts

NAME = "package-caches"
_NO_CACHE = re.compile(r"[ \t]+--no-cache-dir(?=\s|\Z)")


@dataclass(frozen=True)
class _Found:
    """A RUN that uses one package manager and nothing that is not known."""

    place: StepPlace
    instruction: Instruction
    cache: Cache
    leaves_nothing: bool
    """Whether the cache is off in the command: ``pip --no-cache-dir``."""


def _look(facts: Facts) -> Iterator[Proposal | Refusal]:
    if not facts.only(BUILDKIT):
        return
    for stage in facts.dockerfile.stages:
        done: set[str] = set()
        for place, instruction in facts.flow.places(stage):
            if instruction.keyword != "RUN":
                continue
            try:
                found = _found(facts, place)
                if found is None or found.cache.tool in done:
                    continue
                done.add(found.cache.tool)
                yield _proposal(facts, stage, found)
            except UnprovableError as error:
                yield Refusal(NAME, instruction.line, str(error))


def _found(facts: Facts, place: StepPlace) -> _Found | None:
    """Return what a RUN keeps; None where it keeps nothing known or has a mount already.

    Raises:
        UnprovableError: it keeps something, but what else it does is not known.

    """
    instruction = facts.flow.instruction(place)
    if instruction.flag_values("mount"):
        return None
    scope = facts.flow.scope(place)
    try:
        commands = words_of(instruction, scope.shell)
    except UnprovableError:
        return None
    variables = facts.flow.set_variables(place)
    caches = [cache_of(words, variables) for words in commands]
    known = [one for one in caches if one is not None]
    if not known:
        return None
    others = [words for words, one in zip(commands, caches, strict=True) if one is None]
    if len({one.tool for one in known}) > 1 or others:
        other = " ".join(others[0]) if others else known[-1].tool
        raise UnprovableError(f"beside {known[0].tool} it runs {other}, which may look there too")
    if scope.user not in {"", "0", "root", "0:0"}:
        raise UnprovableError(f"it runs as {scope.user}, who needs a cache of its own")
    if facts.build.network == "none":
        raise UnprovableError("the build has no network to fetch again what a mount hides")
    off = all("--no-cache-dir" in words for words in commands)
    return _Found(place, instruction, known[0], leaves_nothing=off)


def _proposal(facts: Facts, stage: Stage, found: _Found) -> Proposal:
    cache = found.cache
    if is_side_stage(facts, stage):
        runs = [found, *_later(facts, stage, found)]
        _check_taken(facts, stage, cache)
        why = f"no file of stage {stage.label} itself is part of the image, and none that is taken "
        obligations = [why + "from it lies in the folder"]
    elif found.leaves_nothing:
        _check_stubs(facts)
        runs = [found]
        obligations = ["with --no-cache-dir the folder was not left in the image either"]
    else:
        raise UnprovableError(
            f"{cache.tool} leaves {', '.join(cache.targets)} in the image, which would be gone"
        )
    edit = Edit(facts.dockerfile)
    for one in runs:
        edit.replace(one.instruction, _mounted(edit.source(one.instruction), one))
    commands = " and ".join(f"`{one.instruction.text}`" for one in runs)
    return Proposal(
        rewrite=NAME,
        dockerfile_text=edit.text(),
        dockerignore_text=None,
        reason=f"what {cache.tool} fetched stays in {', '.join(cache.targets)} from build to "
        f"build, so {commands} need not fetch it again after a miss",
        obligations=(
            *obligations,
            f"what {cache.tool} makes does not depend on what it finds in its cache, and what it "
            "does not find it fetches",
        ),
        builders=(BUILDKIT,),
    )


def _later(facts: Facts, stage: Stage, found: _Found) -> list[_Found]:
    """Return the later RUNs that need the same mount; all others must be known to look elsewhere.

    Raises:
        UnprovableError: one may look into the folder.

    """
    same: list[_Found] = []
    for place, instruction in facts.flow.places(stage):
        if instruction.keyword != "RUN" or place.step <= found.place.step:
            continue
        try:
            other = _found(facts, place)
        except UnprovableError:
            other = None
        if other is not None and other.cache == found.cache:
            same.append(other)
            continue
        used = use_at(facts, place)
        for target in found.cache.targets:
            if overlaps_any((*used.reads, *used.writes), target):
                raise UnprovableError(f"`{instruction.text}` may look into {target}")
    return same


def _check_taken(facts: Facts, stage: Stage, cache: Cache) -> None:
    for taken in facts.flow.taken_from(stage):
        for path in taken.paths:
            if any(overlaps(path, target) for target in cache.targets):
                raise UnprovableError(f"another stage takes {path} from it, the folder included")


def _check_stubs(facts: Facts) -> None:
    for profile in facts.profiles:
        if not profile.epoch_in_workdir:  # BuildKit before 0.11
            raise UnprovableError(f"{profile.title} leaves the mount's folder in the image")


def _mounted(lines: list[str], found: _Found) -> list[str]:
    text = "".join(lines)
    if found.leaves_nothing:
        text = _NO_CACHE.sub("", text)
    head = FLAGS.match(text)
    assert head is not None  # every RUN has a keyword  # noqa: S101
    mounts = "".join(f"{mount} " for mount in found.cache.mounts)
    return [text[: head.end()] + mounts + text[head.end() :]]


PACKAGE_CACHES = Rewrite(
    name=NAME,
    title="keep what package managers fetch in a cache mount",
    builders=(BUILDKIT,),
    look=_look,
)
