"""What a replay says: hits, seconds and root causes over the real history of a repository.

Every commit was built once, on what the commits before it had left in the cache, so there is
nothing to average and nothing to pair but the commits themselves.
"""

from __future__ import annotations

import re
import statistics
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bench.builders.protocol import BuildOutcome
from bench.cache_model import ReasonKind
from bench.explain.account import MISS, of_record
from bench.journal import read_journal
from bench.report.compare import Setup, baseline_of, setups, variants_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from bench.cache_model import StepPlace
    from bench.dataset import Dataset
    from bench.explain.account import Account
    from bench.journal import BuildRecord

COLD, CHANGE = "cold", "change"
NO_REASON = "unknown"
_FROM = re.compile(r"\bfrom=([\w.-]+)")
"""Names the stage in ``COPY --from=`` and in ``RUN --mount=…,from=``."""


@dataclass(frozen=True)
class Root:
    """One miss that had a reason of its own, and how many steps missed for no other.

    ``seconds`` are those of all of them, as the builder counted each. ``files`` are the paths of
    the context that the reason names.
    """

    stage: str
    text: str
    reason: str
    detail: str
    files: tuple[str, ...]
    misses: int
    seconds: float


@dataclass(frozen=True)
class CommitBuild:
    """The build of one commit by one variant on one setup."""

    setup: Setup
    variant: str
    change: str
    title: str
    is_cold: bool
    outcome: str
    error: str
    hits: int
    scored: int
    seconds: float
    roots: tuple[Root, ...] = ()

    @property
    def is_built(self) -> bool:
        """Whether it ended well."""
        return self.outcome == BuildOutcome.OK.value

    @property
    def counts(self) -> bool:
        """Whether it is a rebuild that ended well."""
        return self.is_built and not self.is_cold


@dataclass(frozen=True)
class Total:
    """The rebuilds of one variant on one setup, summed up.

    Only the ``commits`` that every variant of the setup has built count, so that sums compare.
    ``failed`` are those of all commits that this variant did not build; ``saved_seconds`` is what
    the baseline takes more.
    """

    setup: Setup
    variant: str
    commits: int
    failed: int
    hits: int
    scored: int
    seconds: float
    median_seconds: float | None
    cold_seconds: float | None
    saved_seconds: float | None


@dataclass(frozen=True)
class Cause:
    """One step that began misses for one kind of reason, over the commits that count in sums.

    ``files`` are the paths that were named most often, each with its number of commits; ``detail``
    is what was said of the last of them.
    """

    setup: Setup
    variant: str
    stage: str
    text: str
    reason: str
    detail: str
    files: tuple[tuple[str, int], ...]
    commits: int
    misses: int
    seconds: float


@dataclass(frozen=True)
class ReplaySummary:
    """All of it. ``commits`` are the titles by the name that the records have, oldest first."""

    repository: str
    folder: str
    baseline: str
    commits: dict[str, str]
    totals: tuple[Total, ...]
    causes: tuple[Cause, ...]
    builds: tuple[CommitBuild, ...] = field(repr=False)
    notes: tuple[str, ...] = ()

    def of(self, setup: Setup, variant: str) -> dict[str, CommitBuild]:
        """Return the builds of a variant on a setup by commit."""
        return {
            one.change: one for one in self.builds if one.setup == setup and one.variant == variant
        }


def summarise_replay(dataset: Dataset) -> ReplaySummary | None:
    """Sum a replay up; None where the runs are none.

    Raises:
        RecordsError: the records cannot be read.

    """
    replays = [run.replay for run in dataset.runs if run.replay is not None]
    if not replays:
        return None
    commits = {one.change: one.title for replay in replays for one in replay.commits}
    builds = tuple(_builds(dataset, commits))
    baseline = baseline_of(dataset)
    variants = variants_of(dataset)
    return ReplaySummary(
        repository=replays[0].repository,
        folder=replays[0].folder,
        baseline=baseline,
        commits=commits,
        totals=tuple(_totals(builds, setups(dataset), variants, baseline)),
        causes=tuple(_causes(builds, setups(dataset), variants)),
        builds=builds,
        notes=tuple(dict.fromkeys(note for replay in replays for note in replay.notes)),
    )


def _builds(dataset: Dataset, commits: dict[str, str]) -> Iterator[CommitBuild]:
    order = {change: place for place, change in enumerate(commits)}
    found: dict[tuple[Setup, str, str], CommitBuild] = {}
    for run in dataset.runs:
        engine = dataset.engines[run.run]
        for record in read_journal(run.folder):
            if record.phase in {COLD, CHANGE} and record.change in order:
                setup = Setup(record.builder, engine)
                found[setup, record.variant, record.change] = CommitBuild(
                    setup=setup,
                    variant=record.variant,
                    change=record.change,
                    title=commits[record.change],
                    is_cold=record.phase == COLD,
                    outcome=record.outcome.value,
                    error=record.error,
                    hits=record.hits,
                    scored=record.hits + record.misses,
                    seconds=record.wall_seconds,
                    roots=tuple(roots_of(record)),
                )
    yield from sorted(found.values(), key=lambda one: order[one.change])


def roots_of(record: BuildRecord) -> Iterator[Root]:
    """Yield the root causes of a build's misses, each with what missed because of it.

    A step that takes from another stage what came out otherwise missed because a step of that
    stage did, so it counts with the root cause there.
    """
    seconds = {(step.stage_index, step.step): step.seconds or 0.0 for step in record.steps}
    members: dict[StepPlace, list[Account]] = {}
    roots: dict[StepPlace, StepPlace] = {}
    last: dict[str, StepPlace] = {}  # the root that a stage's misses ended with, by its names
    for account in of_record(record):
        if account.outcome != MISS:
            continue
        begun = account.origin if account.is_chained else _maker(account, last)
        root = roots.get(begun, begun) if begun is not None else account.place
        roots[account.place] = root
        last[account.stage.lower()] = last[str(account.stage_index)] = root
        members.setdefault(root, []).append(account)
    for place, own in members.items():
        first = next((one for one in own if one.place == place), own[0])
        yield Root(
            stage=first.stage,
            text=first.text,
            reason=first.reason or NO_REASON,
            detail=first.detail,
            files=first.paths,
            misses=len(own),
            seconds=sum(seconds[one.place.stage_index, one.place.step] for one in own),
        )


def _maker(account: Account, last: Mapping[str, StepPlace]) -> StepPlace | None:
    """Return the root cause of what a step takes from another stage, if that is why it missed."""
    if account.reason != ReasonKind.ARTEFACT_CHANGED:
        return None
    taken = (last.get(stage.lower()) for stage in _FROM.findall(account.text))
    return next((root for root in taken if root is not None), None)


def _common(builds: Sequence[CommitBuild], setup: Setup) -> frozenset[str]:
    """Return the commits that every variant of a setup has rebuilt."""
    built: dict[str, set[str]] = {}
    for one in builds:
        if one.setup == setup:
            built.setdefault(one.variant, set()).update([one.change] if one.counts else [])
    return frozenset(set.intersection(*built.values())) if built else frozenset()


def _totals(
    builds: Sequence[CommitBuild],
    every_setup: Sequence[Setup],
    variants: Sequence[str],
    baseline: str,
) -> Iterator[Total]:
    for setup in every_setup:
        common = _common(builds, setup)
        before: float | None = None
        for variant in variants:  # the baseline is the first
            mine = [one for one in builds if (one.setup, one.variant) == (setup, variant)]
            if not mine:
                continue
            counted = [one for one in mine if one.change in common]
            seconds = [one.seconds for one in counted]
            total = sum(seconds)
            cold = [one.seconds for one in mine if one.is_cold and one.is_built]
            yield Total(
                setup=setup,
                variant=variant,
                commits=len(counted),
                failed=sum(not one.is_built for one in mine),
                hits=sum(one.hits for one in counted),
                scored=sum(one.scored for one in counted),
                seconds=total,
                median_seconds=statistics.median(seconds) if seconds else None,
                cold_seconds=cold[0] if cold else None,
                saved_seconds=None if before is None else before - total,
            )
            if variant == baseline:
                before = total


def _causes(
    builds: Sequence[CommitBuild], every_setup: Sequence[Setup], variants: Sequence[str]
) -> Iterator[Cause]:
    """Yield the causes of each variant on each setup, those of the most seconds first."""
    for setup in every_setup:
        common = _common(builds, setup)
        for variant in variants:
            groups: dict[tuple[str, str, str], list[Root]] = {}
            for one in builds:
                if (one.setup, one.variant) == (setup, variant) and one.change in common:
                    for root in one.roots:
                        groups.setdefault((root.stage, root.text, root.reason), []).append(root)
            found = [_cause(setup, variant, key, roots) for key, roots in groups.items()]
            yield from sorted(found, key=lambda one: (-one.seconds, -one.misses))


def _cause(setup: Setup, variant: str, key: tuple[str, str, str], roots: Sequence[Root]) -> Cause:
    stage, text, reason = key
    files = Counter(path for root in roots for path in root.files)
    return Cause(
        setup=setup,
        variant=variant,
        stage=stage,
        text=text,
        reason=reason,
        detail=roots[-1].detail,
        files=tuple(files.most_common()),
        commits=len(roots),
        misses=sum(root.misses for root in roots),
        seconds=sum(root.seconds for root in roots),
    )
