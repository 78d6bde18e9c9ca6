"""Salted bases: the one way to give a trial a build cache of its own.

BuildKit knows a base by the chain of its layers (moby/buildkit ``source/containerimage/pull.go``,
cacheKeyFromConfig), the classic builder by its image ID. A base with one more layer, unique to
the trial and holding no file, isolates both; a label alone does not. The layer is a tar with
nothing but a global PAX header. ``FROM scratch`` needs a salt too: without one, an equal artefact
copied onto it hits across trials.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import docker.errors

from bench.builders.protocol import BaseImageConfig
from bench.errors import BaseImageError

if TYPE_CHECKING:
    from docker import DockerClient

SCRATCH = "scratch"
_LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar"
_CONFIG_TYPE = "application/vnd.oci.image.config.v1+json"
_MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"

ImageConfig = dict[str, Any]
Descriptor = dict[str, Any]


@dataclass(frozen=True)
class SaltedImage:
    """A base with its salt. ``diff_id`` is the salt's layer: an image holding it is the trial's."""

    tag: str
    diff_id: str
    config: BaseImageConfig


@dataclass
class Salter:
    """Makes salted images in one engine.

    ``image_store`` is "graphdriver" or "containerd": they take different archives.
    """

    client: DockerClient
    image_store: str
    _layers: dict[str, list[Descriptor]] = field(default_factory=dict)

    def salt(self, base: str, salt: str, tag: str, *, extra: str | None = None) -> SaltedImage:
        """Load ``base`` (an image ID or name, or "scratch") plus a layer that only ``salt`` has.

        ``extra`` adds one more such layer on top: the base image of the same trial, changed.

        Raises:
            BaseImageError: the engine does not have the base, or refuses the archive.

        """
        config = self._scratch_config() if base == SCRATCH else self._config(base)
        layers = [_salt_layer(salt)]
        if extra is not None:
            layers.append(neutral_layer(f"base {extra}"))
        base_diff_ids = list(config["rootfs"]["diff_ids"])
        config["rootfs"]["diff_ids"] += [_digest(layer) for layer in layers]
        config["history"] = [
            {"created_by": "cachebench: base layer"} for _ in config["rootfs"]["diff_ids"]
        ]
        encoded = json.dumps(config, sort_keys=True).encode()
        if self.image_store == "containerd":
            archive = _oci_archive(encoded, self._base_layers(base), layers, tag)
        else:
            archive = _docker_archive(encoded, len(base_diff_ids), layers, tag)
        self._load(archive, base)
        return SaltedImage(tag, _digest(layers[0]), base_config(config["config"]))

    def _config(self, base: str) -> ImageConfig:
        try:
            image = self.client.images.get(base).attrs
        except docker.errors.ImageNotFound as error:
            raise BaseImageError(
                f"the base image {base} is not in the engine any more",
                remedy="run again: it is fetched or built anew",
            ) from error
        config: ImageConfig = {
            "architecture": image["Architecture"],
            "os": image["Os"],
            "config": image["Config"],
            "rootfs": {"type": "layers", "diff_ids": list(image["RootFS"].get("Layers") or [])},
        }
        if image.get("Variant"):
            config["variant"] = image["Variant"]
        return config

    def _scratch_config(self) -> ImageConfig:
        engine = self.client.version()  # an image of another platform would not be built on
        return {
            "architecture": engine["Arch"],
            "os": engine["Os"],
            "config": {},
            "rootfs": {"type": "layers", "diff_ids": []},
        }

    def _base_layers(self, base: str) -> list[Descriptor]:
        """Return the base's layers as the containerd store names them: by compressed digest."""
        if base == SCRATCH:
            return []
        if base not in self._layers:
            self._layers[base] = _manifest_layers(self.client, base)
        return self._layers[base]

    def _load(self, archive: bytes, base: str) -> None:
        api: Any = self.client.api
        # The engine answers 200 even where it refuses; the refusal is in the body.
        try:
            for message in api.load_image(archive, quiet=True):
                if isinstance(message, Mapping) and "error" in message:
                    raise BaseImageError(
                        f"the engine refused the salted base of {base}: {message['error']}",
                        remedy="look at the engine's log (bench engine status)",
                    )
        except docker.errors.APIError as error:
            raise BaseImageError(
                f"the engine refused the salted base of {base}: {error.explanation}",
                remedy="look at the engine's log (bench engine status)",
            ) from error


def salt_diff_id(salt: str) -> str:
    """Return the diff ID of a salt's layer: an image that holds it was built on that salt."""
    return _digest(_salt_layer(salt))


def _salt_layer(salt: str) -> bytes:
    return neutral_layer(f"salt {salt}")


def neutral_layer(comment: str) -> bytes:
    """Return a layer that changes no file and whose digest only ``comment`` decides."""
    buffer = io.BytesIO()
    with tarfile.open(
        fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT, pax_headers={"comment": comment}
    ):
        pass
    return buffer.getvalue()


def base_config(config: Mapping[str, Any]) -> BaseImageConfig:
    """Return what the builders must know of an image, from its config as the API gives it."""
    pairs = (entry.partition("=") for entry in config.get("Env") or [])
    return BaseImageConfig(
        working_dir=config.get("WorkingDir") or "/",
        env={name: value for name, _, value in pairs},
        on_build=tuple(config.get("OnBuild") or ()),
        user=config.get("User") or "",
        shell=tuple(config.get("Shell") or ()),
    )


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _docker_archive(config: bytes, base_layers: int, layers: list[bytes], tag: str) -> bytes:
    """Return a ``docker save`` archive; graph drivers do not ask for layers they already have."""
    names = [f"salt{number}/layer.tar" for number in range(len(layers))]
    config_name = f"{hashlib.sha256(config).hexdigest()}.json"
    manifest = [
        {
            "Config": config_name,
            "RepoTags": [tag],
            "Layers": [f"base{number}/layer.tar" for number in range(base_layers)] + names,
        }
    ]
    return _tar(
        {
            config_name: config,
            **dict(zip(names, layers, strict=True)),
            "manifest.json": json.dumps(manifest).encode(),
        }
    )


def _oci_archive(
    config: bytes, base_layers: list[Descriptor], layers: list[bytes], tag: str
) -> bytes:
    """Return an OCI layout; the containerd store takes base layers it holds by their digest."""
    own = [_descriptor(_LAYER_TYPE, layer) for layer in layers]
    manifest = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": _MANIFEST_TYPE,
            "config": _descriptor(_CONFIG_TYPE, config),
            "layers": [*base_layers, *own],
        }
    ).encode()
    names = {"io.containerd.image.name": tag}
    index = {
        "schemaVersion": 2,
        "manifests": [{**_descriptor(_MANIFEST_TYPE, manifest), "annotations": names}],
    }
    return _tar(
        {
            "oci-layout": b'{"imageLayoutVersion":"1.0.0"}',
            "index.json": json.dumps(index).encode(),
            **{_blob(blob): blob for blob in (manifest, config, *layers)},
        }
    )


def _descriptor(media_type: str, content: bytes) -> Descriptor:
    return {"mediaType": media_type, "digest": _digest(content), "size": len(content)}


def _blob(content: bytes) -> str:
    return f"blobs/sha256/{hashlib.sha256(content).hexdigest()}"


def _tar(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def _manifest_layers(client: DockerClient, base: str) -> list[Descriptor]:
    """Read the layer descriptors of an image out of its exported OCI layout.

    The layers themselves are in the export too, and are skipped as they stream by; small JSON
    blobs are kept until the index tells which of them is the manifest.
    """
    small: dict[str, bytes] = {}
    stream = _ChunkReader(client.api.get_image(base))
    with tarfile.open(fileobj=stream, mode="r|") as archive:
        for member in archive:
            if member.isfile() and member.size < 1 << 20:
                content = archive.extractfile(member)
                small[member.name] = content.read() if content is not None else b""
    descriptor = json.loads(small["index.json"])["manifests"][0]
    document = json.loads(small["blobs/sha256/" + descriptor["digest"].partition(":")[2]])
    while "layers" not in document:  # an index over platforms
        present = [
            one
            for one in document["manifests"]
            if "blobs/sha256/" + one["digest"].partition(":")[2] in small
        ]
        document = json.loads(small["blobs/sha256/" + present[0]["digest"].partition(":")[2]])
    layers: list[Descriptor] = document["layers"]
    return layers


class _ChunkReader(io.RawIOBase):
    """A readable file over the chunks of a streamed response."""

    def __init__(self, chunks: Any) -> None:
        super().__init__()
        self._chunks = iter(chunks)
        self._rest = b""

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        parts: list[bytes] = []
        missing = size
        while size < 0 or missing > 0:
            if not self._rest:
                self._rest = next(self._chunks, b"")
                if not self._rest:
                    break
            taken = self._rest if size < 0 else self._rest[:missing]
            self._rest = self._rest[len(taken) :]
            missing -= len(taken)
            parts.append(taken)
        return b"".join(parts)
