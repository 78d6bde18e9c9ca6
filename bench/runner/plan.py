"""Which builds a run makes, and in which order. Pure: the same settings give the same plan."""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar

from bench.changes.operations import Nothing, Touch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.changes import Change
    from bench.scenario import Scenario

_Item = TypeVar("_Item")

NO_ROUND = -1
"""The round of builds that come before the rounds: cold builds and warm-ups."""


class Phase(StrEnum):
    """What a build is for."""

    COLD = "cold"
    """The pristine tree on a base that nothing was ever built on."""
    WARMUP = "warmup"
    """The pristine tree again, before the rounds or after an interruption; not measured."""
    CONTROL = "control"
    """The pristine tree again, right before a change: everything must hit."""
    CHANGE = "change"
    """The pristine tree with one change."""


@dataclass(frozen=True)
class Settings:
    """What decides a plan, beside the scenario. Stored in ``run.json``; a resumed run reuses it."""

    builders: tuple[str, ...]
    variants: tuple[str, ...]
    changes: tuple[str, ...]
    rounds: int = 3
    cold: int = 1
    warmup: int = 1
    seed: int = 1
    timeout_seconds: float = 600.0


@dataclass(frozen=True)
class PlannedBuild:
    """One build to make; ``number`` is its place in the plan and in the journal.

    ``fresh`` says that it begins on a new salt, so that nothing it needs was ever built.
    """

    number: int
    phase: Phase
    round: int
    position: int
    variant: str
    builder: str
    change: str
    fresh: bool = False


@dataclass(frozen=True)
class _Block:
    variant: str
    builder: str
    change: str


def make_plan(settings: Settings, changes: Sequence[Change]) -> tuple[PlannedBuild, ...]:
    """Return every build of a run in order.

    Cold builds first, then warm-ups, then rounds. Every round holds each (variant, builder,
    change) once, shuffled from the seed and rotated by one more place each round, so that drift
    and neighbours fall on all alike. A block is a control (pristine tree, all must hit) and the
    change; so each measured rebuild differs from the build before it by exactly that change.

    A change that makes no new content (a chmod, say) would find in a later round what it built
    in an earlier one; its block then begins with one more cold build on a new salt.
    """
    shuffler = random.Random(settings.seed)  # noqa: S311 - an order, not a secret
    pairs = [(variant, builder) for variant in settings.variants for builder in settings.builders]
    planned = _Planner()
    for _ in range(settings.cold):
        for variant, builder in _shuffled(pairs, shuffler):
            planned.add(Phase.COLD, NO_ROUND, variant, builder, fresh=True)
    for _ in range(settings.warmup):
        for variant, builder in _shuffled(pairs, shuffler):
            planned.add(Phase.WARMUP, NO_ROUND, variant, builder)
    repeats = {change.name for change in changes if repeats_content(change)}
    blocks = [
        _Block(variant, builder, change)
        for variant, builder in pairs
        for change in settings.changes
    ]
    order = _shuffled(blocks, shuffler)
    for number in range(settings.rounds):
        start = number % max(1, len(order))
        planned.begin_round()
        for block in order[start:] + order[:start]:
            if number > 0 and block.change in repeats:
                planned.add(Phase.COLD, number, block.variant, block.builder, fresh=True)
            planned.add(Phase.CONTROL, number, block.variant, block.builder)
            planned.add(Phase.CHANGE, number, block.variant, block.builder, block.change)
        order = _shuffled(blocks, shuffler)
    return tuple(planned.builds)


def make_sequence(settings: Settings) -> tuple[PlannedBuild, ...]:
    """Return the builds of a replay: change after change, each on what the one before it left.

    The first change is a cold build. Under every change each (variant, builder) is built once, in
    an order that is shuffled from the seed, so that drift falls on all alike. There is no control
    in between: each cache holds all that was built on it before.
    """
    shuffler = random.Random(settings.seed)  # noqa: S311 - an order, not a secret
    pairs = [(variant, builder) for variant in settings.variants for builder in settings.builders]
    planned = _Planner()
    for place, change in enumerate(settings.changes):
        first = place == 0
        for variant, builder in _shuffled(pairs, shuffler):
            phase, number = (Phase.COLD, NO_ROUND) if first else (Phase.CHANGE, 0)
            planned.add(phase, number, variant, builder, change, fresh=first)
    return tuple(planned.builds)


def repeats_content(change: Change) -> bool:
    """Tell whether applying ``change`` again gives content that a cache may hold from before.

    A touch and a change of nothing do so too, but they are meant to: no builder's key holds a
    time, so they hit the first time already.
    """
    if change.makes_new_content():
        return False
    return not all(isinstance(step, Touch | Nothing) for step in change.steps)


def _shuffled(items: Sequence[_Item], shuffler: random.Random) -> list[_Item]:
    return shuffler.sample(items, len(items))


class _Planner:
    def __init__(self) -> None:
        self.builds: list[PlannedBuild] = []
        self._position = 0

    def begin_round(self) -> None:
        self._position = 0

    def add(
        self,
        phase: Phase,
        round_number: int,
        variant: str,
        builder: str,
        change: str = "",
        *,
        fresh: bool = False,
    ) -> None:
        self.builds.append(
            PlannedBuild(
                number=len(self.builds),
                phase=phase,
                round=round_number,
                position=self._position,
                variant=variant,
                builder=builder,
                change=change,
                fresh=fresh,
            )
        )
        self._position += 1


def make_settings(
    scenario: Scenario,
    *,
    builders: Sequence[str],
    variants: Sequence[str] = (),
    changes: Sequence[str] = (),
    rounds: int = 3,
    cold: int = 1,
    warmup: int = 1,
    seed: int = 1,
    timeout_seconds: float = 600.0,
) -> Settings:
    """Return settings for a scenario; no ``variants`` or ``changes`` means all of them.

    They keep the scenario file's order however they were asked for.
    """
    return Settings(
        builders=tuple(builders),
        variants=tuple(
            one.name for one in scenario.variants if not variants or one.name in variants
        ),
        changes=tuple(one.name for one in scenario.changes if not changes or one.name in changes),
        rounds=rounds,
        cold=cold,
        warmup=warmup,
        seed=seed,
        timeout_seconds=timeout_seconds,
    )
