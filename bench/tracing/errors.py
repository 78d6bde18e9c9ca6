"""What can keep a RUN from being watched."""

from __future__ import annotations

from bench.errors import BenchError, ExitCode, NoEngineError


class CannotObserveError(NoEngineError):
    """Nothing can be watched here: no strace, not root, an engine elsewhere."""


class WatchedBuildError(BenchError):
    """The build that was to be watched failed."""

    exit_code = ExitCode.BUILD_FAILED
