"""What a run tells while it goes on; the command line shows it, tests collect it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from bench.journal import BuildRecord
    from bench.runner.plan import PlannedBuild


class Observer(Protocol):
    """Told of everything that a person waiting for a run wants to know."""

    def note(self, text: str) -> None:
        """Take something worth a line: a base being made, a variant left out."""
        ...

    def starting(self, planned: PlannedBuild, done: int, total: int) -> None:
        """Take note that a build begins; ``done`` of ``total`` are behind it."""
        ...

    def finished(self, record: BuildRecord) -> None:
        """Take note that a build has ended and its record is on the disk."""
        ...


class Silent:
    """An observer that shows nothing."""

    def note(self, text: str) -> None:
        """Drop the line."""

    def starting(self, planned: PlannedBuild, done: int, total: int) -> None:
        """Drop the news."""

    def finished(self, record: BuildRecord) -> None:
        """Drop the record."""
