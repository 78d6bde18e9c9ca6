"""One ``POST /build`` through the docker SDK's client: messages with the time they arrived."""

from __future__ import annotations

import contextlib
import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import requests
import urllib3

from bench.engine.lost import LOST, engine_lost

if TYPE_CHECKING:
    from collections.abc import Iterator

    from docker import DockerClient

    from bench.builders.protocol import BuildRequest

_SILENT = (requests.exceptions.ReadTimeout, urllib3.exceptions.ReadTimeoutError, TimeoutError)


class BuildTimeoutError(Exception):
    """The build did not end within its time."""


class BuildRefusedError(Exception):
    """The engine refused the request before the build began; the text is the engine's own."""


@dataclass(frozen=True)
class Arrival:
    """One message of the build stream; ``at`` is seconds after the request was sent."""

    at: float
    message: dict[str, Any]


@dataclass
class BuildStream:
    """Iterate over the messages of one build. ``seconds`` grows to the build's wall time."""

    client: DockerClient
    request: BuildRequest
    version: str
    build_id: str
    seconds: float = 0.0
    _began: float = field(default=0.0, init=False)

    def __iter__(self) -> Iterator[Arrival]:
        """Send the request and yield what comes back.

        Raises:
            BuildTimeoutError: the build took longer than ``request.timeout_seconds``.
            BuildRefusedError: the engine refused it (a Dockerfile it cannot parse, say).
            EngineLostError: the connection broke before the build ended.

        """
        self._began = time.monotonic()
        try:
            with self.request.context.path.open("rb") as body:
                response = self._post(body)
            with contextlib.closing(response):
                for line in _lines(response, self._began + self.request.timeout_seconds):
                    self.seconds = time.monotonic() - self._began
                    yield Arrival(self.seconds, json.loads(line))
        except _SILENT as error:
            self._cancel()
            raise BuildTimeoutError from error
        except LOST as error:
            if _is_timeout(error):
                self._cancel()
                raise BuildTimeoutError from error
            raise engine_lost(error) from error
        except BaseException:
            self._cancel()
            raise
        finally:
            self.seconds = time.monotonic() - self._began

    def _post(self, body: Any) -> requests.Response:
        api: Any = self.client.api
        response: requests.Response = api.post(
            api._url("/build"),  # the SDK's own build() cannot ask for version 2
            params=self._parameters(),
            data=body,
            headers={"Content-Type": "application/x-tar"},
            stream=True,
            timeout=self.request.timeout_seconds,
        )
        if response.status_code >= requests.codes.bad_request:
            raise BuildRefusedError(_message(response))
        return response

    def _parameters(self) -> dict[str, str]:
        request = self.request
        parameters = {
            "version": self.version,
            "dockerfile": request.dockerfile_path,
            "t": request.tag,
            "buildargs": json.dumps(dict(request.build_args)),
            "networkmode": request.network,
            "nocache": "1" if request.no_cache else "",
            "rm": "1",
            "forcerm": "1",
            "target": request.target or "",
            "buildid": self.build_id if self.version == "2" else "",
        }
        return {name: value for name, value in parameters.items() if value}

    def _cancel(self) -> None:
        """Stop the build in the engine; closing the connection is enough for the classic one."""
        if self.version != "2":
            return
        api: Any = self.client.api
        # Best effort: where the engine is gone there is no build to stop.
        with contextlib.suppress(requests.exceptions.RequestException):
            api.post(api._url("/build/cancel"), params={"id": self.build_id}, timeout=10)


def _lines(response: requests.Response, deadline: float) -> Iterator[bytes]:
    """Yield whole lines as they arrive; each wait is bounded by what is left of the time."""
    pending = b""
    chunks = response.raw.stream(64 * 1024, decode_content=True)
    while True:
        _limit_wait(response, deadline)
        chunk = next(chunks, None)
        if chunk is None:
            break
        *whole, pending = (pending + chunk).split(b"\n")
        yield from (line for line in whole if line.strip())
    if pending.strip():
        yield pending


def _limit_wait(response: requests.Response, deadline: float) -> None:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    connection: Any = getattr(response.raw, "connection", None) or getattr(
        response.raw, "_connection", None
    )
    sock = getattr(connection, "sock", None)
    if sock is not None:
        sock.settimeout(left)


def _is_timeout(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, _SILENT):
            return True
        error = error.__cause__ or error.__context__
    return False


def _message(response: requests.Response) -> str:
    try:
        return str(response.json()["message"]).strip()
    except (ValueError, KeyError, TypeError):
        return response.text.strip() or f"HTTP {response.status_code}"
