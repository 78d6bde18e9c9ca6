"""Get a client of the engine to measure on, starting or installing one where there is none."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from docker.errors import DockerException

from bench.engine import private
from bench.engine.find import Endpoint, cli_endpoint, open_client, why_silent
from bench.engine.install import can_install, install_engine, install_strace_if_missing
from bench.engine.state import EngineSpec
from bench.errors import NoEngineError

if TYPE_CHECKING:
    from collections.abc import Callable

    import docker

SILENCE_TIMEOUT_SECONDS = 3600
"""The longest time an engine may say nothing before a request fails; a RUN may be silent long."""


def connect(
    host: str | None = None,
    *,
    start: bool = True,
    progress: Callable[[str], None] = private.say_nothing,
) -> docker.DockerClient:
    """Return a client of the engine at ``host``, else of the one the docker command would use.

    If that one is not there, and the user did not name it (DOCKER_HOST, DOCKER_CONTEXT), it is the
    private engine ``default``, which is started where dockerd is installed and the caller is root,
    unless ``start`` is False.

    Raises:
        NoEngineError: no engine answers and none could be started.

    """
    endpoint = Endpoint(host, "the engine", demanded=True) if host else cli_endpoint()
    return client_of(find_or_start(endpoint, start=start, progress=progress))


def ensure_engine(
    *, install: bool, progress: Callable[[str], None] = private.say_nothing
) -> Endpoint:
    """Return an engine that answers, as ``connect`` finds it; with ``install`` make it possible.

    Raises:
        NoEngineError: no engine answers, and none could be installed or started.

    """
    endpoint = cli_endpoint()
    if install and why_silent(endpoint) is not None and not endpoint.demanded:
        install_if_missing(progress=progress)
        # A package that could start its service did: then the usual socket answers now.
    if install:
        install_strace_if_missing(progress=progress)
    return find_or_start(endpoint, start=True, progress=progress)


def install_if_missing(*, progress: Callable[[str], None]) -> None:
    """Install the distribution's Docker Engine where there is none.

    Raises:
        NoEngineError: not root, no apt, or apt fails.

    """
    if shutil.which("dockerd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin") is None:
        install_engine(progress=progress)
    install_strace_if_missing(progress=progress)


def find_or_start(endpoint: Endpoint, *, start: bool, progress: Callable[[str], None]) -> Endpoint:
    """Return ``endpoint`` if an engine answers there, else the private engine ``default``.

    Raises:
        NoEngineError: the user named the endpoint and nothing answers, or there is no other.

    """
    reason = why_silent(endpoint)
    if reason is None:
        return endpoint
    if endpoint.demanded:
        raise NoEngineError(
            f"no Docker Engine answers at {endpoint.host} ({endpoint.source}): {reason}",
            remedy="start that engine, or unset the setting to use another",
        )
    known = private.status(EngineSpec().name)
    if known is not None and known.running:
        return known.endpoint
    if start and os.geteuid() == 0:
        return private.start(known.spec if known else EngineSpec(), progress=progress).endpoint
    raise NoEngineError(
        f"no Docker Engine answers at {endpoint.host} ({endpoint.source}): {reason}",
        remedy=_remedy(reason),
    )


def _remedy(reason: str) -> str:
    if "permission denied" in reason.lower():
        return "add yourself to the group docker (usermod -aG docker NAME) and log in again"
    if can_install():
        return "run bench engine start --install"
    return (
        "install Docker Engine (package docker.io on Debian and Ubuntu) and start it, "
        "or run bench engine start --install as root"
    )


def client_of(endpoint: Endpoint) -> docker.DockerClient:
    """Return a client for measuring on the engine there.

    Raises:
        NoEngineError: it does not answer any more.

    """
    try:
        return open_client(endpoint, SILENCE_TIMEOUT_SECONDS)
    except DockerException as error:
        raise NoEngineError(
            f"the Docker Engine at {endpoint.host} ({endpoint.source}) went away: {error}",
            remedy="start it again and repeat the command",
        ) from error
