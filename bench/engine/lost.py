"""Say clearly that an engine went away, wherever in the work with it that shows."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import docker.errors
import requests.exceptions
import urllib3.exceptions

from bench.errors import EngineLostError

if TYPE_CHECKING:
    from collections.abc import Iterator

LOST = (
    requests.exceptions.ConnectionError,
    requests.exceptions.ChunkedEncodingError,
    requests.exceptions.ReadTimeout,
    urllib3.exceptions.ProtocolError,
)
"""What the SDK's client raises where nothing answers any more."""


def engine_lost(error: BaseException) -> EngineLostError:
    """Return the error to raise for ``error``, one of `LOST`."""
    inner = error.args[0] if error.args else error
    cause = str(inner).strip("()") or type(error).__name__
    return EngineLostError(
        f"the engine went away: {cause}",
        remedy="look at it (bench engine status), then go on with bench run --resume",
    )


@contextmanager
def engine_may_be_lost() -> Iterator[None]:
    """Turn a lost connection, or a request the engine fails, into one clear error.

    Raises:
        EngineLostError: the engine does not answer any more, or not as it has to.

    """
    try:
        yield
    except LOST as error:
        raise engine_lost(error) from error
    except docker.errors.APIError as error:
        raise EngineLostError(
            f"the engine failed a request: {error.explanation or error}",
            remedy="was something removed in it meanwhile? Then go on with bench run --resume",
        ) from error
