"""What a change works on: the scratch copy and what goes with a build request beside it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass
class SourceState:
    """The mutable source of one variant's builds.

    ``root`` is the scratch copy of the context and the only place that is written;
    ``dockerfile`` is the Dockerfile's path in it. ``source`` is the user's own context, only read
    (for ``git``); ``pristine`` is the tree that ``revert`` goes back to; ``scenario`` is the folder
    of ``scenario.toml``, where ``patch`` finds its files. ``base_layers`` maps an image to the id
    of an extra layer on it.
    """

    root: Path
    dockerfile: str
    source: Path
    pristine: Path | None = None
    scenario: Path | None = None
    build_args: dict[str, str] = field(default_factory=dict)
    base_layers: dict[str, str] = field(default_factory=dict)
    placed: set[str] = field(default_factory=set)
    """Paths that a ``git`` operation has put into the scratch copy."""
