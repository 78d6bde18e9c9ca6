"""What the model needs to know of one build. Nothing here knows an engine."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench.dockerfile import Dockerfile
    from bench.workspace import Manifest

SCRATCH = "scratch"


@dataclass(frozen=True)
class BaseImage:
    """An image from outside: what a FROM starts from, or ``COPY --from`` copies from.

    ``identity`` stands for its chain of layers: two builds share a cache below it only if it is
    equal. ``content`` stands for its files; it differs from ``identity`` where a layer without
    files tells two images apart. ``env``, ``working_dir``, ``user``, ``shell`` and ``on_build``
    are of the image's config. ``name`` is how people call it.
    """

    name: str
    identity: str = ""
    content: str = ""
    env: tuple[tuple[str, str], ...] = ()
    working_dir: str = "/"
    user: str = ""
    shell: tuple[str, ...] = ()
    on_build: tuple[str, ...] = ()
    inspected: bool = False
    """Whether somebody looked: where not, the config's fields are taken for empty, not known."""

    @property
    def chain(self) -> str:
        """What tells this image from others where a build starts from it."""
        return self.identity or self.name

    @property
    def files(self) -> str:
        """What tells the files of this image from those of others."""
        return self.content or self.chain


@dataclass(frozen=True)
class BuildInput:
    """One build: the Dockerfile as sent, the context as sent, and what goes with the request.

    ``bases`` maps an image, as the Dockerfile names it after expansion, to what is known of it;
    an image that is missing there is known by its name alone. ``network`` is the request's
    network mode, which BuildKit hashes into every RUN. ``platform`` fills TARGETPLATFORM and the
    like.
    """

    dockerfile: Dockerfile
    manifest: Manifest
    build_args: Mapping[str, str] = field(default_factory=dict)
    target: str | None = None
    bases: Mapping[str, BaseImage] = field(default_factory=dict)
    network: str = ""
    platform: str = "linux/amd64"

    def base(self, name: str) -> BaseImage:
        """Return what is known of the image ``name``."""
        return self.bases.get(name) or BaseImage(name)
