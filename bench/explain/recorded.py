"""Why the steps of a recorded run missed, build by build, builds with one story put together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.builders.protocol import BuildOutcome
from bench.dataset import RunInfo, read_run
from bench.errors import RecordsError, UsageError
from bench.explain.account import MISS, Account, of_record
from bench.explain.ignorable import Hints
from bench.explain.wording import Sentence, sentences
from bench.journal import BuildRecord, read_journal

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

_PHASES = {"cold": "cold build", "control": "no change", "warmup": "warm-up"}


@dataclass(frozen=True)
class Chosen:
    """Which builds of a run to explain; None means all."""

    variant: str | None = None
    change: str | None = None
    builder: str | None = None
    build: int | None = None

    def takes(self, record: BuildRecord) -> bool:
        """Tell whether a build is one of them."""
        wanted = (self.variant, self.change, self.builder, self.build)
        found = (record.variant, record.change, record.builder, record.build)
        return all(one is None or one == two for one, two in zip(wanted, found, strict=True))


@dataclass(frozen=True)
class Explained:
    """One build and what is known of its steps."""

    record: BuildRecord
    accounts: tuple[Account, ...]

    @property
    def misses(self) -> list[Account]:
        """The steps that missed."""
        return [account for account in self.accounts if account.outcome == MISS]

    def sentences(self) -> list[Sentence]:
        """Return what there is to say of the build; of steps that hit there is nothing."""
        # The tar that the harness sends to BuildKit holds the Dockerfile whatever is ignored.
        hints = Hints(sends_dockerfile=self.record.builder == "buildkit")
        return sentences(self.accounts, hint=hints, with_hits=False)


@dataclass(frozen=True)
class Group:
    """Builds of one variant, builder and change that missed in the same steps for like reasons.

    ``is_exact`` tells whether they share every word; else names and values are the first one's.
    """

    builds: tuple[Explained, ...]
    is_exact: bool

    @property
    def first(self) -> Explained:
        """The build that speaks for all of them."""
        return self.builds[0]

    @property
    def pair(self) -> str:
        """The variant and the builder."""
        return f"{self.first.record.variant} · {self.first.record.builder}"

    @property
    def title(self) -> str:
        """What was done before the builds: the change, or the phase."""
        record = self.first.record
        phase = _PHASES.get(record.phase, record.phase)
        if record.change and record.phase in _PHASES:  # a replay has no builds without a commit
            return f"{record.change}, {phase}"
        return record.change or phase

    @property
    def is_quiet(self) -> bool:
        """Whether there is nothing to explain: all steps hit."""
        return self.first.record.outcome is BuildOutcome.OK and not self.first.sentences()


@dataclass(frozen=True)
class RunExplanation:
    """A run and its chosen builds, in the order they were made."""

    info: RunInfo
    builds: tuple[Explained, ...]

    @property
    def unexplained(self) -> int:
        """How many builds have misses that the records give no reason for."""
        return sum(_is_unexplained(build) for build in self.builds)


def explain_run(folder: Path, chosen: Chosen) -> RunExplanation:
    """Read a run and its reasons.

    Raises:
        RecordsError: the folder is no run, its records are damaged or hold no reasons at all.
        UsageError: the run has no such variant, change, builder or build.

    """
    info = read_run(folder)
    records = list(read_journal(folder))
    if not records:
        raise RecordsError(
            f"{folder}: this run has no builds yet",
            remedy=f"bench run --resume {folder} goes on with it",
        )
    _check(chosen, folder, records)
    builds = tuple(Explained(one, tuple(of_record(one))) for one in records if chosen.takes(one))
    if not builds:
        raise UsageError(
            f"{folder}: no build of the run is of all that was asked for",
            remedy="leave one of --variant, --change, --builder and --build out",
        )
    missed = [build for build in builds if build.misses]
    if missed and all(_is_unexplained(build) for build in missed):
        raise RecordsError(
            f"{folder}: the run was recorded without reasons for its misses, by a version that "
            "kept none",
            remedy=f"run it again: bench run {info.scenario_path or 'PATH'}",
        )
    return RunExplanation(info, builds)


def grouped(builds: Iterable[Explained]) -> dict[str, list[Group]]:
    """Put builds together that tell the same story, by variant and builder.

    Groups stand in the order of the first build of each.
    """
    stories: dict[tuple[object, ...], list[Explained]] = {}
    for build in builds:
        stories.setdefault(_story(build), []).append(build)
    found: dict[str, list[Group]] = {}
    for members in stories.values():
        group = Group(tuple(members), _is_exact(members))
        found.setdefault(group.pair, []).append(group)
    return found


def _is_unexplained(build: Explained) -> bool:
    return any(account.reason is None and account.outcome == MISS for account in build.accounts)


def _story(build: Explained) -> tuple[object, ...]:
    record = build.record
    steps = tuple(
        (account.place, account.outcome, account.reason, account.origin, account.disagrees)
        for account in build.accounts
        if account.is_trouble
    )
    head = (record.variant, record.builder, record.phase, record.change)
    return (*head, record.outcome is BuildOutcome.OK, steps)


def _is_exact(builds: Sequence[Explained]) -> bool:
    details = {
        tuple((account.text, account.detail) for account in build.misses) for build in builds
    }
    return len(details) == 1


def _check(chosen: Chosen, folder: Path, records: Sequence[BuildRecord]) -> None:
    for what, asked in (
        ("variant", chosen.variant),
        ("change", chosen.change),
        ("builder", chosen.builder),
    ):
        known = dict.fromkeys(getattr(record, what) for record in records)
        if asked is not None and asked not in known:
            raise UsageError(
                f"{folder}: the run has no {what} {asked!r}",
                remedy=f"it has {', '.join(name for name in known if name)}",
            )
    numbers = {record.build for record in records}
    if chosen.build is not None and chosen.build not in numbers:
        raise UsageError(
            f"{folder}: the run has no build {chosen.build}",
            remedy=f"its builds are numbered from {min(numbers)} to {max(numbers)}",
        )
