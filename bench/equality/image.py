"""An image as far as it matters when it runs: its config, and its merged root file system."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bench.equality.merging import Files
from bench.equality.saved import image_head, saved_images

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from docker import DockerClient

    from bench.equality.saved import ImageHead, SavedImages

_FIELDS = (
    "Cmd",
    "Entrypoint",
    "WorkingDir",
    "User",
    "ExposedPorts",
    "Volumes",
    "Labels",
    "StopSignal",
    "StopTimeout",
    "Healthcheck",
    "Shell",
    "OnBuild",
)
_TOP_FIELDS = ("Os", "Architecture", "Variant", "Author")
_USUAL = {"WorkingDir": "/"}


@dataclass(frozen=True)
class ImageContents:
    """An image: its ``config`` as `config_of` gives it, and its files.

    ``files`` are those above the layers that it shares with the images it was read together with;
    ``below`` reads the shared ones, the first time that it is called.
    """

    id: str
    config: Mapping[str, Any]
    files: Files
    below: Callable[[], Files]


def config_of(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Return what matters when the image runs out of what the engine says of it.

    Environment variables come by name: their order in the image is that of the instructions, and
    although a process could look at it, no program is known to. What is not set and what is set
    to nothing are the same, and so are no working directory and ``/``. Left out is what differs
    from build to build (times, IDs, history, the container it was committed from) and what only
    tells how it was written (ArgsEscaped). The author (MAINTAINER) counts.
    """
    config = attributes.get("Config") or {}
    found = {name: config.get(name) or _USUAL.get(name) for name in _FIELDS}
    found |= {name: attributes.get(name) or None for name in _TOP_FIELDS}
    found["Env"] = dict(one.partition("=")[::2] for one in config.get("Env") or ())
    return found


@contextmanager
def read_images(client: DockerClient, images: Sequence[str]) -> Iterator[list[ImageContents]]:
    """Yield several images, given by their IDs or names, in the same order.

    Layers that all of them have in common at their bottom are not read, unless somebody asks for
    them while the context is open. That is what makes it cheap to compare images on one base.

    Raises:
        ImageReadError: the engine does not have one, or does not give it out.
        EngineLostError: the engine does not answer any more.

    """
    heads = [image_head(client, image) for image in images]
    shared = _shared(heads)
    with saved_images(client, heads) as saved:
        below = _Below(saved, shared)
        merged: dict[tuple[str, ...], Files] = {}
        contents = []
        for head in heads:
            if head.layers not in merged:
                layers = [saved.layer(one) for one in head.layers[len(shared) :]]
                merged[head.layers] = Files(layers)
            files = merged[head.layers]
            contents.append(ImageContents(head.id, config_of(head.attributes), files, below))
        yield contents


def _shared(heads: Sequence[ImageHead]) -> tuple[str, ...]:
    """Return the diff IDs that the layers of all images begin with."""
    shared: list[str] = []
    for layers in zip(*(head.layers for head in heads), strict=False):
        if len(set(layers)) > 1:
            break
        shared.append(layers[0])
    return tuple(shared)


class _Below:
    def __init__(self, saved: SavedImages, diff_ids: Sequence[str]) -> None:
        self._saved = saved
        self._diff_ids = diff_ids
        self._files: Files | None = None

    def __call__(self) -> Files:
        if self._files is None:
            self._files = Files([self._saved.layer(one) for one in self._diff_ids])
        return self._files
