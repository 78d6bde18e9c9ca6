"""What a built image holds: its size, its layers, and what pushing it anew would move."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import docker.errors

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from docker import DockerClient

_FILE_SYSTEM_INSTRUCTIONS = ("RUN", "COPY", "ADD", "WORKDIR", "LINK")
_NOP = "#(nop)"


@dataclass(frozen=True)
class ImageFacts:
    """An image: ``bytes`` as the engine gives its size, uncompressed, base included.

    ``layers`` are diff IDs from the base upwards; ``layer_bytes`` their uncompressed sizes in the
    same order, None where the engine's history cannot be matched with the layers. The containerd
    image store counts both differently: ``bytes`` compressed, layers in whole disk blocks.
    """

    id: str
    bytes: int
    layers: tuple[str, ...]
    layer_bytes: tuple[int, ...] | None


def image_facts(client: DockerClient, image_id: str) -> ImageFacts | None:
    """Look an image up; None where it is gone already."""
    try:
        image = client.images.get(image_id)
        history: list[dict[str, Any]] = image.history()
    except docker.errors.NotFound:
        return None
    layers = tuple(image.attrs["RootFS"].get("Layers") or ())
    entries = [(entry.get("CreatedBy") or "", int(entry["Size"])) for entry in reversed(history)]
    return ImageFacts(
        id=image_id,
        bytes=int(image.attrs["Size"]),
        layers=layers,
        layer_bytes=match_sizes(entries, len(layers)),
    )


def match_sizes(history: Sequence[tuple[str, int]], layer_count: int) -> tuple[int, ...] | None:
    """Return the sizes of ``layer_count`` layers out of (created by, bytes) entries. Pure.

    The history API does not tell which entries made a layer. Those with bytes did; of the empty
    ones, only instructions on the file system can have. The newest are kept where the classic
    builder left out layers that hold nothing (moby ``image/image.go`` NewChildImage).
    """
    candidates = [(text, size) for text, size in history if size > 0 or _could_be_layer(text)]
    surplus = len(candidates) - layer_count
    sizes = []
    for text, size in candidates:
        if surplus > 0 and size == 0 and not text.startswith("cachebench:"):
            surplus -= 1
            continue
        sizes.append(size)
    return tuple(sizes) if len(sizes) == layer_count else None


def _could_be_layer(created_by: str) -> bool:
    if created_by.startswith("cachebench:"):
        return True
    _, nop, text = created_by.partition(_NOP)
    instruction = (text if nop else created_by).strip()
    # A classic RUN is its bare command: /bin/sh -c … or |2 A=1 B=2 /bin/sh -c …
    is_classic_run = not nop and instruction.startswith(("/", "|"))
    return is_classic_run or instruction.startswith(_FILE_SYSTEM_INSTRUCTIONS)


def new_layer_bytes(image: ImageFacts, known: Iterable[str]) -> int | None:
    """Return the bytes of the layers whose diff ID is not in ``known``: what a push would move."""
    if image.layer_bytes is None:
        return None
    had = set(known)
    return sum(
        size
        for diff_id, size in zip(image.layers, image.layer_bytes, strict=True)
        if diff_id not in had
    )
