"""Show a run as it goes on: a progress bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from bench.builders.protocol import BuildOutcome
from bench.runner.plan import Phase

if TYPE_CHECKING:
    from types import TracebackType

    from rich.console import Console

    from bench.journal import BuildRecord
    from bench.runner.plan import PlannedBuild

_PLAIN_INTERVAL_SECONDS = 10.0


def describe_build(planned: PlannedBuild) -> str:
    """Name a build in a few words."""
    what = planned.change if planned.phase is Phase.CHANGE else planned.phase.value
    return f"{planned.variant} · {planned.builder} · {what}"


class RunProgress:
    """An observer that a person can follow; use it as a context manager.

    Without a terminal there is a line for the first build, one about every ten seconds, and one
    for every build that fails.
    """

    def __init__(self, console: Console, *, quiet: bool = False) -> None:
        self._console = console
        self._quiet = quiet
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        self._hits = 0
        self._scored = 0
        self._last_line = 0.0
        self._done = 0

    def __enter__(self) -> RunProgress:
        if self._console.is_terminal and not self._quiet:
            self._bar = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("{task.fields[hits]}"),
                TimeElapsedColumn(),
                TimeRemainingColumn(),
                console=self._console,
                transient=True,
            )
            self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
            self._task = None

    def note(self, text: str) -> None:
        """Show a line above the bar."""
        if not self._quiet:
            self._console.print(text, markup=False, highlight=False, soft_wrap=True)

    def starting(self, planned: PlannedBuild, done: int, total: int) -> None:
        """Show what is being built."""
        self._done = done
        if self._bar is not None:
            if self._task is None:
                self._task = self._bar.add_task("", total=total, hits="")
            self._bar.update(
                self._task,
                description=describe_build(planned),
                completed=done,
                total=total,
                hits=self._score(),
            )
        elif time.monotonic() - self._last_line > _PLAIN_INTERVAL_SECONDS:
            self._last_line = time.monotonic()
            self.note(f"build {done + 1} of {total}: {describe_build(planned)}{self._tail()}")

    def finished(self, record: BuildRecord) -> None:
        """Count the build's hits; tell at once if it failed."""
        if record.outcome is BuildOutcome.OK:
            if record.phase == Phase.CHANGE:
                self._hits += record.hits
                self._scored += record.hits + record.misses
        else:
            self.note(
                f"build {record.build} ({record.variant} · {record.builder} · "
                f"{record.change or record.phase}) {record.outcome}: {record.error}"
            )
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=self._done + 1, hits=self._score())

    def _score(self) -> str:
        return f"{self._hits}/{self._scored} steps hit" if self._scored else ""

    def _tail(self) -> str:
        return f" ({self._score()} so far)" if self._scored else ""
