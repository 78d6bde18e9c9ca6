"""The real engines that the tests run on, started on demand."""

from __future__ import annotations

from bench.engine import (
    Endpoint,
    EngineSpec,
    ImageStore,
    client_of,
    ensure_engine,
    start,
)
from bench.engine.describe import describe
from bench.errors import NoEngineError

DEBIAN_12 = "debian-12"
SID_GRAPHDRIVER = "sid-graphdriver"
SID_CONTAINERD = "sid-containerd"
ALL = (DEBIAN_12, SID_GRAPHDRIVER, SID_CONTAINERD)
"""Engine 20.10, and the newest Debian has with each of its two image stores."""


def endpoint_of(name: str) -> Endpoint:
    """Return a running engine of that name.

    Raises:
        NoEngineError: it cannot be had here.

    """
    if name == SID_GRAPHDRIVER:
        return start(EngineSpec(name, "sid", ImageStore.GRAPHDRIVER)).endpoint
    if name == SID_CONTAINERD:
        return start(EngineSpec(name, "sid", ImageStore.CONTAINERD)).endpoint
    return _debian_12()


def _debian_12() -> Endpoint:
    """Return the engine docker would use if it is of Debian 12, else one from its packages."""
    usual = _usual()
    if usual is not None:
        client = client_of(usual)
        version = describe(client).version
        client.close()
        if version.startswith("20.10."):
            return usual
    return start(EngineSpec("bookworm-graphdriver", "bookworm")).endpoint


def _usual() -> Endpoint | None:
    try:
        return ensure_engine(install=False)
    except NoEngineError:
        return None
