"""What a built image holds: its size, its layers, and what pushing it anew would move."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import docker.errors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

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


@dataclass(frozen=True)
class HistoryEntry:
    """One line of an image's history: the image after it, where that is still known by an ID."""

    image: str
    made_by: str
    bytes: int


def image_facts(client: DockerClient, image_id: str) -> ImageFacts | None:
    """Look an image up; None where it is gone already."""
    try:
        image = client.images.get(image_id)
        history: list[dict[str, Any]] = image.history()
    except docker.errors.NotFound:
        return None
    layers = tuple(image.attrs["RootFS"].get("Layers") or ())
    entries = [
        HistoryEntry(entry.get("Id") or "", entry.get("CreatedBy") or "", int(entry["Size"]))
        for entry in reversed(history)
    ]
    return ImageFacts(
        id=image_id,
        bytes=int(image.attrs["Size"]),
        layers=layers,
        layer_bytes=match_sizes(
            entries, len(layers), lambda entry: _layer_count(client, entry.image)
        ),
    )


def _layer_count(client: DockerClient, image_id: str) -> int | None:
    if not image_id.startswith("sha256:"):
        return None
    try:
        return len(client.images.get(image_id).attrs["RootFS"].get("Layers") or ())
    except docker.errors.NotFound:
        return None


def match_sizes(
    history: Sequence[HistoryEntry],
    layer_count: int,
    layers_of: Callable[[HistoryEntry], int | None] = lambda _: None,
) -> tuple[int, ...] | None:
    """Return the sizes of ``layer_count`` layers out of a history, base first; None if unknown.

    The history API does not tell which entries made a layer. Those with bytes did; of the empty
    ones, only instructions on the file system can have. The classic builder leaves out layers that
    hold nothing (moby ``image/image.go`` NewChildImage), but keeps the image after every
    instruction: where there are too many entries, ``layers_of`` is asked how many layers that has.
    """
    candidates = [entry for entry in history if entry.bytes > 0 or _could_be_layer(entry.made_by)]
    if len(candidates) > layer_count:
        candidates = _with_layers(candidates, layers_of)
    sizes = tuple(entry.bytes for entry in candidates)
    return sizes if len(sizes) == layer_count else None


def _with_layers(
    candidates: Sequence[HistoryEntry], layers_of: Callable[[HistoryEntry], int | None]
) -> list[HistoryEntry]:
    """Leave out the empty entries after which the image had no more layers than before."""
    kept: list[HistoryEntry] = []
    for entry in candidates:
        count = None if entry.bytes > 0 else layers_of(entry)
        if count is None or count > len(kept):
            kept.append(entry)
    return kept


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
