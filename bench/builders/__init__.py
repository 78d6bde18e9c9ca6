"""The real builders, one module each, behind one protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.builders.buildkit import BuildKitBuilder
from bench.builders.classic import ClassicBuilder
from bench.builders.protocol import (
    BaseImageConfig,
    Build,
    Builder,
    BuildOutcome,
    BuildRequest,
    PackedContext,
    StageTiming,
    Step,
    StepOutcome,
)

if TYPE_CHECKING:
    from docker import DockerClient

BUILDERS: dict[str, type[ClassicBuilder] | type[BuildKitBuilder]] = {
    ClassicBuilder.name: ClassicBuilder,
    BuildKitBuilder.name: BuildKitBuilder,
}
"""Every builder by its name on the command line."""


def make_builder(name: str, client: DockerClient) -> Builder:
    """Return the builder called ``name`` on the engine behind ``client``.

    Raises:
        KeyError: there is no such builder.

    """
    return BUILDERS[name](client)


__all__ = [
    "BUILDERS",
    "BaseImageConfig",
    "Build",
    "BuildOutcome",
    "BuildRequest",
    "Builder",
    "PackedContext",
    "StageTiming",
    "Step",
    "StepOutcome",
    "make_builder",
]
