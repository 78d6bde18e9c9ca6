"""Pull an image without ever waiting long for a registry that is not there."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import docker.auth
import docker.utils
import requests

from bench.bases.faults import engine_faults

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from docker import DockerClient

SILENCE_SECONDS = 20.0
"""How long the engine may say nothing during a pull; it reports every piece it receives."""
_CONNECT_SECONDS = 5.0
_BAD_STATUS = 400

_silent: dict[tuple[str, str], str] = {}
"""Registries that did not answer an engine in this process, and how that was said."""


class PullError(Exception):
    """An image that could not be pulled, and why, in the engine's words."""


def pull(
    client: DockerClient,
    image: str,
    *,
    progress: Callable[[str], None],
    silence_seconds: float = SILENCE_SECONDS,
) -> None:
    """Pull ``image`` into the engine.

    A registry that stayed silent once is not asked again in this process. The docker SDK's own
    pull waits without limit, hence the request itself (Engine API: POST /images/create).

    Raises:
        PullError: the registry refuses, is not there, or says nothing for too long.
        EngineLostError: the engine does not answer.

    """
    registry, _ = docker.auth.resolve_repository_name(image)
    known = _silent.get((client.api.base_url, registry))
    if known is not None:
        raise PullError(known)
    progress(f"pulling {image}")
    try:
        with engine_faults(f"pulling {image}"):
            _request(client, image, registry, silence_seconds)
    except _SilenceError:
        reason = f"the registry {registry} did not answer within {silence_seconds:g} s"
        _silent[client.api.base_url, registry] = reason
        raise PullError(reason) from None


class _SilenceError(Exception):
    """Nothing came for too long."""


def _request(client: DockerClient, image: str, registry: str, silence_seconds: float) -> None:
    api = client.api
    repository, tag = docker.utils.parse_repository_tag(image)
    header = docker.auth.get_config_header(api, registry)
    try:
        response = api.post(
            f"{api.base_url}/v{api.api_version}/images/create",
            params={"fromImage": repository, "tag": tag or "latest"},
            headers={"X-Registry-Auth": header} if header else {},
            stream=True,
            timeout=(_CONNECT_SECONDS, silence_seconds),
        )
        with response:
            if response.status_code >= _BAD_STATUS:
                raise PullError(_message(response.json()))
            _raise_error(response.iter_lines())
    except requests.exceptions.Timeout:
        raise _SilenceError from None
    except requests.exceptions.ConnectionError as error:
        # requests says a read timeout in the middle of a stream this way.
        if "timed out" in str(error).lower():
            raise _SilenceError from None
        raise


def _raise_error(lines: Iterable[bytes]) -> None:
    """Read the events of a pull, one JSON object a line, to the end."""
    for line in lines:
        event = json.loads(line) if line.strip() else {}
        if "error" in event:
            raise PullError(str(event["error"]))


def _message(body: dict[str, Any]) -> str:
    return str(body.get("message", body))
