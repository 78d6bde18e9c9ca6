"""Find the engine the docker command would use, and ask whether it answers."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import docker
from docker.context import ContextAPI
from docker.errors import ContextException, DockerException, TLSParameterError
from docker.utils import kwargs_from_env

from bench.errors import NoEngineError

if TYPE_CHECKING:
    from docker.tls import TLSConfig

DEFAULT_HOST = "unix:///var/run/docker.sock"
PING_TIMEOUT_SECONDS = 3


@dataclass(frozen=True)
class Endpoint:
    """Where an engine should be, and who says so.

    ``demanded`` is True where the user named it (an argument, DOCKER_HOST, DOCKER_CONTEXT): then
    no other engine may be used in its place.
    """

    host: str
    source: str
    demanded: bool = False
    tls: TLSConfig | None = None


def cli_endpoint() -> Endpoint:
    """Return the endpoint the docker command would use.

    The order is docker's own (cli/command/cli.go, ``resolveContextName``): DOCKER_HOST, then
    DOCKER_CONTEXT, then ``currentContext`` of ``config.json``, then the default socket.

    Raises:
        NoEngineError: the context named is not there, or its files cannot be read.

    """
    if os.environ.get("DOCKER_HOST"):
        return _from_environment()
    named = os.environ.get("DOCKER_CONTEXT") or None
    source = "DOCKER_CONTEXT" if named else "the current docker context"
    try:
        context = ContextAPI.get_context(named)
    except Exception as error:  # the library raises bare Exception for a damaged meta.json
        raise NoEngineError(
            f"{source}: {error}", remedy="repair it with docker context, or set DOCKER_HOST"
        ) from error
    if context is None or not context.Host:
        raise NoEngineError(
            f"{source}{f' = {named}' if named else ''}: there is no such context",
            remedy="see docker context ls, or set DOCKER_HOST",
        )
    if context.Name == "default":
        return Endpoint(DEFAULT_HOST, "the default socket")
    return Endpoint(
        context.Host, f"docker context {context.Name}", named is not None, context.TLSConfig
    )


def _from_environment() -> Endpoint:
    try:
        settings = kwargs_from_env()
    except (TLSParameterError, OSError) as error:
        raise NoEngineError(
            f"DOCKER_HOST with DOCKER_TLS_VERIFY: {error}",
            remedy="DOCKER_CERT_PATH must name a folder with ca.pem, cert.pem and key.pem",
        ) from error
    return Endpoint(settings["base_url"], "DOCKER_HOST", demanded=True, tls=settings.get("tls"))


def open_client(endpoint: Endpoint, timeout: int) -> docker.DockerClient:
    """Return a client of the engine there; ``timeout`` is the longest silence, in seconds.

    Raises:
        DockerException: the engine does not answer.

    """
    return docker.DockerClient(
        base_url=endpoint.host,
        tls=endpoint.tls or False,
        version="auto",
        timeout=timeout,
        use_ssh_client=endpoint.host.startswith("ssh://"),
    )


def why_silent(endpoint: Endpoint) -> str | None:
    """Ping an engine; return None if it answers, else the reason in a few words."""
    try:
        client = open_client(endpoint, PING_TIMEOUT_SECONDS)
    except (DockerException, ContextException, OSError, ValueError) as error:
        return _reason(error)
    try:
        client.ping()
    except (DockerException, OSError) as error:
        return _reason(error)
    finally:
        client.close()
    return None


def _reason(error: BaseException) -> str:
    """Return the innermost cause in words: the outer ones repeat it with URLs and class names."""
    seen: set[int] = set()
    words = str(error)
    inner: BaseException | None = error
    while inner is not None and id(inner) not in seen:
        seen.add(id(inner))
        if isinstance(inner, OSError) and inner.strerror:
            words = inner.strerror[0].lower() + inner.strerror[1:]
        inner = inner.__cause__ or inner.__context__
    return words
