"""What there is to build at one moment, before any builder's rules are applied to it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from bench.cache_model import BaseImage, BuildInput
from bench.cache_model.profiles import Family
from bench.errors import UsageError
from bench.workspace import ClientRule

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench.cache_model import Profile
    from bench.dockerfile import Dockerfile
    from bench.workspace import Manifest


def client_of(profile: Profile) -> ClientRule:
    """Return whose ``.dockerignore`` rules are followed where ``profile`` builds.

    Buildah, like BuildKit's client, prefers an ignore file beside the Dockerfile (buildah
    ``pkg/parse/parse.go`` ContainerIgnoreFile).
    """
    return ClientRule.CLASSIC if profile.family is Family.CLASSIC else ClientRule.BUILDKIT


@dataclass(frozen=True)
class BuildState:
    """A Dockerfile, a context and what goes with the request.

    ``change`` says what led here, ``""`` in the state that everything begins with. ``manifests``
    hold the context as each client sends it. ``base_layers`` gives an image one more layer, by its
    name: the image behind that name was replaced. ``bases`` are what is known of the images, by
    their names; of any other nothing is known but its name.
    """

    change: str
    dockerfile: Dockerfile
    manifests: Mapping[ClientRule, Manifest]
    build_args: Mapping[str, str] = field(default_factory=dict)
    target: str | None = None
    network: str = ""
    base_layers: Mapping[str, str] = field(default_factory=dict)
    bases: Mapping[str, BaseImage] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse a target that is not there.

        Raises:
            UsageError: naming the stages there are.

        """
        try:
            self.dockerfile.target_stage(self.target)
        except KeyError:
            names = ", ".join(stage.label for stage in self.dockerfile.stages)
            raise UsageError(
                f"{self.dockerfile.path}: there is no stage {self.target!r}",
                remedy=f"it has: {names}",
            ) from None

    def input_for(self, profile: Profile) -> BuildInput:
        """Return what the cache model needs to know of a build of this state."""
        return BuildInput(
            dockerfile=self.dockerfile,
            manifest=self.manifests[client_of(profile)],
            build_args=self.build_args,
            target=self.target,
            bases={**self.bases, **dict(map(self._layered, self.base_layers))},
            network=self.network,
        )

    def _layered(self, image: str) -> tuple[str, BaseImage]:
        """Return an image with the layer that it has got: one without files, as "base" adds it."""
        known = self.bases.get(image, BaseImage(image))
        identity = f"{known.chain}\n{self.base_layers[image]}"
        return image, replace(known, identity=identity, content=known.files)
