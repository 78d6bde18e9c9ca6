"""What each builder understands, so that generated Dockerfiles hold nothing it would refuse."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Dialect:
    """The part of the grammar that one builder in one engine knows."""

    name: str
    builder: str
    mounts: bool = False
    chmod: bool = False
    """``--chmod`` of COPY and ADD."""
    heredocs: bool = False
    link: bool = False
    symbolic_chmod: bool = False
    run_network: bool = False
    """``RUN --network``."""
    mount_variables: bool = False
    """Variables in the source of a mount (BuildKit 0.11 and later)."""

    def includes(self, name: str) -> bool:
        """Tell whether all that another dialect knows is understood here too."""
        order = [dialect.name for dialect in DIALECTS]
        return order.index(name) <= order.index(self.name)


CLASSIC = Dialect("classic", "classic")
BUILDKIT_08 = Dialect("buildkit-0.8", "buildkit", mounts=True, chmod=True)
BUILDKIT = Dialect(
    "buildkit",
    "buildkit",
    mounts=True,
    chmod=True,
    heredocs=True,
    link=True,
    symbolic_chmod=True,
    run_network=True,
    mount_variables=True,
)
DIALECTS = (CLASSIC, BUILDKIT_08, BUILDKIT)
"""Each understands all that those before it do."""


def dialect_of(builder: str, engine_version: str) -> Dialect:
    """Return the dialect of a builder in an engine of that version."""
    if builder == "classic":
        return CLASSIC
    return BUILDKIT_08 if int(engine_version.split(".")[0]) < 23 else BUILDKIT
