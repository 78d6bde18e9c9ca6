"""What RUNs read and write, watched in a real build; opt-in, root, on the engine's machine."""

from bench.tracing.errors import CannotObserveError, WatchedBuildError
from bench.tracing.observing import Observation, Subject, observe, runs_of

__all__ = [
    "CannotObserveError",
    "Observation",
    "Subject",
    "WatchedBuildError",
    "observe",
    "runs_of",
]
