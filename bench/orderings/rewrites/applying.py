"""Carry out rewrites one after the other, each on what the one before it made."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bench.cache_model.outcomes import StepPlace
from bench.dockerfile import parse
from bench.orderings.rewrites.base import Proposal, Refusal
from bench.orderings.rewrites.registry import REWRITES, find_rewrite
from bench.workspace.ignore import IgnoreRules, read_patterns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.dockerfile import Dockerfile
    from bench.orderings.rewrites.base import Facts

_MOST = 100
"""More proposals in a row than any Dockerfile has places for: a rewrite that finds itself again."""


@dataclass(frozen=True)
class Rewritten:
    """What a chain of rewrites made of a build.

    ``dockerignore_text`` is None where the ignore file stays as it is. ``proposals`` are in the
    order in which they were made, each on the text that the one before left. ``refusals`` say
    what could not be made of the result. ``facts`` are those of the result: its Dockerfile, what
    is then sent as context, what is known of its RUNs.
    """

    dockerfile_text: str
    dockerignore_text: str | None
    proposals: tuple[Proposal, ...]
    refusals: tuple[Refusal, ...]
    facts: Facts

    @property
    def is_rewritten(self) -> bool:
        """Whether anything differs."""
        return bool(self.proposals)


def best_rewrites(facts: Facts, names: Sequence[str] | None = None) -> Rewritten:
    """Make every proposal of the rewrites called ``names`` (None: all), in a fixed order.

    Each rewrite is repeated until it has nothing more to propose.

    Raises:
        UsageError: there is no rewrite of that name.

    """
    chosen = {find_rewrite(name).name for name in names} if names is not None else None
    made: list[Proposal] = []
    refusals: list[Refusal] = []
    ignore: str | None = None
    for rewrite in REWRITES:
        if chosen is not None and rewrite.name not in chosen:
            continue
        while True:
            found = rewrite.found(facts)
            proposals = [one for one in found if isinstance(one, Proposal)]
            if not proposals or len(made) == _MOST:
                break
            made.append(proposals[0])
            ignore = proposals[0].dockerignore_text or ignore
            facts = facts_after(facts, proposals[0])
        refusals += [one for one in found if isinstance(one, Refusal)]
    return Rewritten(facts.dockerfile.text, ignore, tuple(made), tuple(refusals), facts)


def facts_after(facts: Facts, proposal: Proposal) -> Facts:
    """Return the facts of the build that a proposal makes.

    Rewrites neither add nor remove nor reorder a RUN, so what was known of the nth RUN of a stage
    is known of the nth RUN there.
    """
    build = facts.build
    dockerfile = parse(proposal.dockerfile_text, facts.dockerfile.path)
    access = {}
    old, new = _runs(facts.dockerfile), _runs(dockerfile)
    for before, after in zip(old, new, strict=True):
        if before in facts.access:
            access[after] = facts.access[before]
    manifest, ignore = build.manifest, facts.dockerignore
    if proposal.dockerignore_text is not None:
        ignore = proposal.dockerignore_text
        manifest = build.manifest.without(IgnoreRules(read_patterns(ignore.encode())).ignores)
    return replace(
        facts,
        build=replace(build, dockerfile=dockerfile, manifest=manifest),
        access=access,
        dockerignore=ignore,
    )


def _runs(dockerfile: Dockerfile) -> list[StepPlace]:
    return [
        StepPlace(stage.index, step)
        for stage in dockerfile.stages
        for step, instruction in enumerate(stage.instructions, start=1)
        if instruction.keyword == "RUN"
    ]
