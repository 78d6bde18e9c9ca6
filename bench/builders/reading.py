"""Read the stream of one build to its end, however it ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from bench.builders.protocol import BuildOutcome
from bench.builders.transport import BuildRefusedError, BuildTimeoutError

if TYPE_CHECKING:
    from bench.builders.protocol import Build
    from bench.builders.transport import Arrival, BuildStream


class Reading(Protocol):
    """Turns the messages of one build into its steps."""

    error: str
    """What the engine said went wrong; empty while nothing has."""

    def take(self, arrival: Arrival) -> None:
        """Take one message of the stream."""
        ...

    def result(self, outcome: BuildOutcome, error: str, wall_seconds: float) -> Build:
        """Return the build, once the stream has ended."""
        ...


def read_build(stream: BuildStream, reading: Reading) -> Build:
    """Make the build behind ``stream`` and return what ``reading`` made of it.

    Raises:
        EngineLostError: the engine went away before the build ended.

    """
    outcome, error = BuildOutcome.OK, ""
    try:
        for arrival in stream:
            reading.take(arrival)
    except BuildTimeoutError:
        outcome, error = BuildOutcome.TIMEOUT, f"no end after {stream.request.timeout_seconds:g} s"
    except BuildRefusedError as refusal:
        outcome, error = BuildOutcome.FAILED, str(refusal)
    if reading.error:
        outcome, error = BuildOutcome.FAILED, reading.error
    return reading.result(outcome, error, stream.seconds)
