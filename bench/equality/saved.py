"""Images out of an engine: ``docker save`` of several at once, and their layers one by one.

Why not ``docker export`` of a container that was never started: it reads every byte of each image,
also of the base that all of them share, and puts files of its own there (``/.dockerenv``,
``/etc/hosts``, ``/dev/console`` …) that hide whether the image has them. One ``save`` of several
images holds each layer once, and layers that all images have need not be looked at. It also keeps
what a layer's tar says word for word, extended attributes in it, on all three image stores
(Engine 20.10, 28 with a graph driver, 28 with containerd). Both take as long for two images on a
base of 550 MB: 6 s on two cores, most of it the engine's.

The archive goes to a temporary file, since what tells its layers apart stands at its end.
"""

from __future__ import annotations

import json
import tarfile
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, cast

import docker.errors
import requests

from bench.equality.layers import Layer, read_layer
from bench.errors import BenchError, EngineLostError, ExitCode

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from docker import DockerClient

_CHUNK = 1 << 20
_TIMEOUT_SECONDS = 600.0


class ImageReadError(BenchError):
    """An image that the engine does not have, or does not give out in a way that can be read."""

    exit_code = ExitCode.BUILD_FAILED


@dataclass(frozen=True)
class ImageHead:
    """An image without its files: ``attributes`` as the engine inspects it, ``layers`` diff IDs.

    The layers are from the base upwards.
    """

    id: str
    attributes: dict[str, Any]

    @property
    def layers(self) -> tuple[str, ...]:
        """The diff IDs of its layers."""
        return tuple(self.attributes.get("RootFS", {}).get("Layers") or ())


def image_head(client: DockerClient, image: str) -> ImageHead:
    """Look an image up by its ID or name.

    Raises:
        ImageReadError: the engine does not have it.
        EngineLostError: the engine does not answer.

    """
    try:
        attributes: dict[str, Any] = client.images.get(image).attrs
    except docker.errors.NotFound as error:
        raise ImageReadError(
            f"the engine has no image {image}", remedy="was it removed meanwhile?"
        ) from error
    except (docker.errors.DockerException, requests.RequestException) as error:
        raise _lost(image, error) from error
    return ImageHead(str(attributes["Id"]), attributes)


class SavedImages:
    """Images in one archive of the engine; each layer is read at most once."""

    def __init__(self, archive: IO[bytes]) -> None:
        self._tar = tarfile.open(fileobj=archive, mode="r:")  # noqa: SIM115 - lives as long as the file
        self._places: dict[str, str] = {}
        self._layers: dict[str, Layer] = {}

    def place(self, heads: Sequence[ImageHead]) -> None:
        """Find where in the archive the layers of these images are.

        Raises:
            ImageReadError: they are not there.

        """
        manifests: list[dict[str, Any]] = json.load(self._open("manifest.json"))
        configs = [json.load(self._open(one["Config"])) for one in manifests]
        for manifest, config in zip(manifests, configs, strict=True):
            diff_ids = config["rootfs"].get("diff_ids") or []
            self._places |= dict(zip(diff_ids, manifest["Layers"] or (), strict=True))
        missing = {layer for head in heads for layer in head.layers} - self._places.keys()
        if missing:
            raise ImageReadError(
                f"the engine saved images without {len(missing)} of their layers",
                remedy="build them in this engine",
            )

    def layer(self, diff_id: str) -> Layer:
        """Return what is in a layer.

        Raises:
            ImageReadError: it is compressed in a way that cannot be read here.

        """
        if diff_id not in self._layers:
            try:
                self._layers[diff_id] = read_layer(self._open(self._places[diff_id]))
            except tarfile.TarError as error:
                raise ImageReadError(
                    f"layer {diff_id} cannot be read: {error}",
                    remedy="build with layers that are not compressed with zstd",
                ) from error
        return self._layers[diff_id]

    def _open(self, name: str) -> IO[bytes]:
        # Engine 20.10 saves a layer that it has saved already as a link to that.
        try:
            file = self._tar.extractfile(name)
        except KeyError:
            file = None
        if file is None:
            raise ImageReadError(
                f"the engine's archive of images lacks {name}", remedy="is its disk full?"
            )
        return file


@contextmanager
def saved_images(client: DockerClient, heads: Sequence[ImageHead]) -> Iterator[SavedImages]:
    """Save images to a temporary file, which is as large as all of their layers together.

    Raises:
        ImageReadError: the engine does not give one of them out.
        EngineLostError: the engine does not answer any more.

    """
    with tempfile.TemporaryFile(prefix="cachebench-images-") as file:
        _save(client, sorted({head.id for head in heads}), file)
        file.seek(0)
        try:
            saved = SavedImages(file)
        except tarfile.TarError as error:
            raise ImageReadError(
                f"the engine gave out no archive: {error}", remedy="is its disk full?"
            ) from error
        saved.place(heads)
        yield saved


def _save(client: DockerClient, ids: Sequence[str], file: IO[bytes]) -> None:
    api: Any = client.api
    try:
        response: requests.Response = api.get(
            api._url("/images/get"),  # the SDK's own get_image() takes a single image
            params={"names": list(ids)},
            stream=True,
            timeout=_TIMEOUT_SECONDS,
        )
        if not response.ok:
            raise ImageReadError(
                f"the engine does not save {', '.join(ids)}: {response.text.strip()}",
                remedy="were they removed meanwhile?",
            )
        for chunk in response.raw.stream(_CHUNK, decode_content=False):
            file.write(cast("bytes", chunk))
    except (docker.errors.DockerException, requests.RequestException) as error:
        raise _lost(", ".join(ids), error) from error


def _lost(images: str, error: Exception) -> EngineLostError:
    return EngineLostError(
        f"reading {images}: the engine does not answer any more ({error})",
        remedy="start it again (bench engine status), then repeat the command",
    )
