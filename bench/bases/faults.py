"""What an engine refuses or stops answering, said as an error of ours."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import docker.errors
import requests

from bench.errors import BaseImageError, EngineLostError

if TYPE_CHECKING:
    from collections.abc import Iterator

_REFUSED_REMEDY = "look at the engine (bench engine status) and its disk, then repeat the command"


@contextmanager
def engine_faults(doing: str) -> Iterator[None]:
    """Turn the docker SDK's errors while ``doing`` something into ours.

    Raises:
        BaseImageError: the engine refused, a full disk for one.
        EngineLostError: the engine does not answer any more.

    """
    try:
        yield
    except docker.errors.APIError as error:
        raise BaseImageError(
            f"{doing}: the engine refused: {error.explanation or error}", remedy=_REFUSED_REMEDY
        ) from error
    except (docker.errors.DockerException, requests.RequestException) as error:
        raise EngineLostError(
            f"{doing}: the engine does not answer any more ({error})",
            remedy="start it again (bench engine status), then repeat the command",
        ) from error
