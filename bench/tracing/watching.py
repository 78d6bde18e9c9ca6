"""Watch every waiting RUN of one build, each in a thread of its own, while the build goes on."""

from __future__ import annotations

import signal
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bench.errors import BenchError
from bench.tracing.attach import Lookout, Waiting, end, hold, trace
from bench.tracing.errors import CannotObserveError
from bench.tracing.paths import Links, TooManyMeaningsError
from bench.tracing.programs import interpreters
from bench.tracing.strace import NotUnderstoodError, read_calls
from bench.tracing.survey import Survey, survey
from bench.tracing.touching import Touched, Watched

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Collection
    from pathlib import Path
    from types import TracebackType

_LOOK_EVERY_SECONDS = 0.02
_END_SECONDS = 10.0


@dataclass
class Seen:
    """One RUN that was watched, or the beginning of a stage, of which only ``before`` is known.

    ``seconds`` is how long it ran, from its release to the end of its last process.
    """

    before: Survey
    cwd: str
    touched: Touched | None = None
    links: Links = field(default_factory=Links)
    seconds: float = 0.0


class Watcher:
    """Watches while it is entered; afterwards ``seen`` holds every mark that was."""

    def __init__(self, marks: Collection[str], only_looked_at: Collection[str], logs: Path) -> None:
        """Be ready for RUNs with these marks; of some only the file system is looked at.

        ``logs`` is a folder for the traces, which grow to some 150 bytes for each system call on
        a file. They are removed one by one.
        """
        self.seen: dict[str, Seen] = {}
        self.errors: list[BenchError] = []
        self._marks = frozenset(marks)
        self._only_looked_at = frozenset(only_looked_at)
        self._logs = logs
        self._stop = threading.Event()
        self._taken: set[str] = set()
        self._straces: list[subprocess.Popen[bytes]] = []
        self._threads: list[threading.Thread] = []
        self._looking = threading.Thread(target=self._look, name="watch", daemon=True)

    def __enter__(self) -> Watcher:
        self._lookout = Lookout()
        self._looking.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Wait for the traces to be read; after an error give up on those that do not end."""
        self._stop.set()
        self._looking.join()
        if kind is not None:
            deadline = time.monotonic() + _END_SECONDS
            for thread in self._threads:
                thread.join(max(0.0, deadline - time.monotonic()))
            for strace in self._straces:
                end(strace)
        for thread in self._threads:
            thread.join()

    def _look(self) -> None:
        while not self._stop.wait(_LOOK_EVERY_SECONDS):
            for pid, mark in self._lookout.look():
                if mark in self._marks and mark not in self._taken:
                    self._taken.add(mark)
                    thread = threading.Thread(target=self._take, args=(pid, mark), daemon=True)
                    self._threads.append(thread)
                    thread.start()

    def _take(self, pid: int, mark: str) -> None:
        """Watch one RUN from its wait to its end."""
        waiting = None
        try:
            waiting = hold(pid, mark)
            if waiting is not None:
                self._watch(waiting)
        except Exception as error:  # in a thread nobody else would hear of it
            self._fail(error)
            if waiting is not None:
                waiting.send(signal.SIGKILL)  # it would wait in vain; the build ends with it
        finally:
            if waiting is not None:
                waiting.send(signal.SIGCONT)
                waiting.close()

    def _fail(self, error: Exception) -> None:
        if not isinstance(error, BenchError):
            error = CannotObserveError(
                f"watching a RUN failed: {error!r}", remedy="declare what it reads and writes"
            )
        self.errors.append(error)

    def _watch(self, waiting: Waiting) -> None:
        before = survey(waiting.root)
        if waiting.mark in self._only_looked_at:
            self.seen[waiting.mark] = Seen(before, waiting.cwd)
            waiting.go_on()
            return
        log = self._logs / f"{waiting.mark}.strace"
        strace = trace(waiting, log)
        self._straces.append(strace)
        began = time.monotonic()
        waiting.go_on()
        strace.wait()
        seconds = time.monotonic() - began
        links = Links.of(before.links)
        touched = _touched(waiting, log, before, links)
        if strace.returncode != 0:
            touched.problems.setdefault("strace ended before the RUN did")
        log.unlink(missing_ok=True)
        self.seen[waiting.mark] = Seen(before, waiting.cwd, touched, links, seconds)


def _touched(waiting: Waiting, log: Path, before: Survey, links: Links) -> Touched:
    """Read the trace of one RUN, and add what the kernel opened by itself."""
    watched = Watched(
        waiting.pid,
        waiting.cwd,
        waiting.program,
        folders=before.folders,
        links=links,
    )
    try:
        with log.open(encoding="ascii", errors="replace") as lines:
            for call in read_calls(lines):
                watched.take(call)
        if not watched.has_ended:
            watched.touched.problems.setdefault("the trace ends before the RUN does")
        _add_interpreters(watched.touched, waiting.root, before, links)
    except (NotUnderstoodError, TooManyMeaningsError) as error:
        watched.touched.problems.setdefault(str(error))
    return watched.touched


def _add_interpreters(touched: Touched, root: int, before: Survey, links: Links) -> None:
    """Add the loaders and interpreters of every program that was run.

    A program that is gone at the end of the RUN (``configure`` makes such ones) may have needed
    any loader that was there, or a shell.
    """
    pending = set(touched.executed)
    known = set(pending)
    while pending:
        named, gone = interpreters(root, pending)
        if gone:
            named |= {*before.loaders, "/bin/sh"}
        resolved = [links.resolve(one, follow=True) for one in named]
        paths = {path for one in resolved for path in one.paths}
        touched.entries.update(link for one in resolved for link in one.passed)
        touched.read |= paths
        touched.found |= paths
        pending = paths - known
        known |= pending
