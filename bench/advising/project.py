"""What is advised on: a Dockerfile in its context, and what the engine knows of its bases."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bench.bases.salt import base_config
from bench.orderings.ranking import DEFAULT_LIMIT
from bench.runner.predictions import inspected_base
from bench.workspace import ClientRule
from bench.workspace.select import IGNORE_FILE, read_ignore_file

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from docker import DockerClient

    from bench.cache_model import BaseImage


@dataclass(frozen=True)
class Project:
    """What is advised on, and with which history.

    ``repository`` is None for the one that the context is in; where it is in none, every file is
    taken to change equally often. ``builder`` is the one whose time counts.
    """

    dockerfile: Path
    context: Path
    builder: str
    repository: Path | None = None
    commits: int = 200
    build_args: Mapping[str, str] = field(default_factory=dict)
    target: str | None = None
    network: str = "none"
    limit: int = DEFAULT_LIMIT

    @property
    def name(self) -> str:
        """What runs of it are called, after the context's folder."""
        name = "".join(one if one.isalnum() else "-" for one in self.context.resolve().name.lower())
        return f"advise-{name.strip('-') or 'project'}"[:60]


def ignore_file_of(project: Project) -> tuple[str, str | None]:
    """Return the path in the context of the ignore file that counts, and its text, if any.

    Raises:
        WorkspaceError: it cannot be read, or leads out of the context.

    """
    root = project.context.resolve()
    place = project.dockerfile.parent.resolve() / project.dockerfile.name
    inside = place.relative_to(root).as_posix() if place.is_relative_to(root) else place
    client = ClientRule.CLASSIC if project.builder == "classic" else ClientRule.BUILDKIT
    name, _ = read_ignore_file(root, inside, client)
    path = root / (name or IGNORE_FILE)
    return name or IGNORE_FILE, path.read_text(encoding="utf-8") if path.is_file() else None


def inspected(client: DockerClient, bases: Sequence[Mapping[str, Any]]) -> dict[str, BaseImage]:
    """Return what the engine knows of the base images of a run."""
    found = {}
    for base in bases:
        config = base_config(client.images.get(base["local_tag"]).attrs.get("Config") or {})
        found[base["image"]] = inspected_base(base["image"], config, identity=base["image_id"])
    return found
