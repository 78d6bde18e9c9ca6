"""The isolation of one run: its salted bases, when it built, and the clean-up at its end."""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import re
import signal
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import docker.errors
import requests

from bench.bases.cleanup import (
    RUN_REPOSITORY,
    Removed,
    Window,
    cache_mount_prefix,
    cache_records,
    engine_now,
    mark_salt,
    own_records,
    remove_images,
    remove_records,
    run_repository,
)
from bench.bases.salt import SCRATCH, SaltedImage, Salter, salt_diff_id
from bench.dockerfile import (
    external_images,
    has_cache_mounts,
    parse,
    rename_cache_mounts,
    replace_images,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from docker import DockerClient

    from bench.builders.protocol import BaseImageConfig
    from bench.dockerfile import Dockerfile

_BASE = "-base-"
_BUILT = "-built-"
_BASE_TAG = re.compile(rf"\A(?P<salt>[0-9a-f]+){_BASE}[0-9a-f]+\Z")
_SALT = re.compile(r"\A(?P<salt>[0-9a-f]+)-")
_CANCEL_SECONDS = 1.0
_CLOCK_MARGIN = dt.timedelta(milliseconds=250)


@dataclass(frozen=True)
class BaseOrigin:
    """Where a salted base comes from, and by what the two builders know it.

    ``image`` is the name in the user's Dockerfile; ``content`` stands for the files in it, which
    no salt changes; ``image_id`` and ``layers`` are the salted image's own.
    """

    image: str
    content: str
    image_id: str
    layers: tuple[str, ...]


@dataclass(frozen=True)
class SaltedDockerfile:
    """A Dockerfile whose bases are salted: what is sent, and what its base images are.

    ``base_images`` and ``origins`` are by the names that stand in ``dockerfile`` now.
    """

    dockerfile: Dockerfile
    base_images: Mapping[str, BaseImageConfig]
    base_layers: frozenset[str]
    origins: Mapping[str, BaseOrigin] = field(default_factory=dict)


@dataclass
class Isolation:
    """Keeps the builds of one run apart from all others in the engine, and cleans up after them.

    ``bases`` maps every image name, as FROM names it, to the image ID it was resolved to.
    """

    client: DockerClient
    run: str
    image_store: str
    bases: Mapping[str, str]
    _salts: set[str] = field(default_factory=set)
    _salted: dict[tuple[str, str, str | None], SaltedImage] = field(default_factory=dict)
    _windows: list[Window] = field(default_factory=list)
    _cut_short: bool = False

    def __post_init__(self) -> None:
        self._salter = Salter(self.client, self.image_store)
        self._before = frozenset(record.id for record in cache_records(self.client))
        self._clock_offset = engine_now(self.client) - dt.datetime.now(dt.UTC)

    def salted(
        self,
        dockerfile: Dockerfile,
        salt: str,
        build_args: Mapping[str, str],
        base_layers: Mapping[str, str],
    ) -> SaltedDockerfile:
        """Return ``dockerfile`` with every base replaced by its salted image, made if need be.

        Its cache mounts get ids of their own too. ``salt`` tells one isolated cache from another.
        ``base_layers`` gives an image one more unique layer: the change of a base.

        Raises:
            BaseImageError: a base is not in the engine any more.

        """
        uses = external_images(dockerfile, build_args)
        images = {use.raw: self._image(use.image, salt, base_layers.get(use.image)) for use in uses}
        sent = salted_text(dockerfile, {raw: image.tag for raw, image in images.items()}, salt)
        origins = {
            images[use.raw].tag: self._origin(use.image, images[use.raw].tag) for use in uses
        }
        return SaltedDockerfile(
            dockerfile=sent,
            base_images={image.tag: image.config for image in images.values()},
            base_layers=frozenset(layer for one in origins.values() for layer in one.layers),
            origins=origins,
        )

    def built_tag(self, salt: str, variant: str, builder: str) -> str:
        """Return the tag under which a trial's image is built; each build takes it over."""
        digest = hashlib.sha256(f"{variant}\0{builder}".encode()).hexdigest()[:10]
        return f"{run_repository(self.run)}:{salt}{_BUILT}{digest}"

    def _image(self, image: str, salt: str, extra: str | None) -> SaltedImage:
        key = (image, salt, extra)
        self._salts.add(salt)
        if key not in self._salted:
            suffix = hashlib.sha256(f"{image}\0{extra}".encode()).hexdigest()[:10]
            with self.building(), _uninterrupted():
                self._salted[key] = self._salter.salt(
                    self.bases.get(image, image),
                    salt,
                    f"{run_repository(self.run)}:{salt}{_BASE}{suffix}",
                    extra=extra,
                )
        return self._salted[key]

    def _origin(self, image: str, tag: str) -> BaseOrigin:
        salted = self.client.images.get(tag)
        return BaseOrigin(
            image=image,
            content=self.bases.get(image, image),
            image_id=str(salted.id),
            layers=tuple(salted.attrs["RootFS"].get("Layers") or ()),
        )

    @contextlib.contextmanager
    def building(self) -> Iterator[None]:
        """Note that a build of the run is under way: records made meanwhile may be its own."""
        began = self._now() - _CLOCK_MARGIN
        try:
            yield
        except BaseException:
            self._cut_short = True
            raise
        finally:
            self._windows.append(Window(began, self._now() + _CLOCK_MARGIN))

    def _now(self) -> dt.datetime:
        return dt.datetime.now(dt.UTC) + self._clock_offset

    def clean(self) -> Removed:
        """Remove everything the run made in the engine: images, then build-cache records.

        On the containerd image store the records are left to the engine's garbage collection,
        because deleting any record there spoils everybody's cache (see `bench.bases.cleanup`).
        """
        keep_records = self.image_store == "containerd"
        all_marked = keep_records or self._mark()
        removed = Removed()
        diff_ids = {salt_diff_id(salt) for salt in self._salts}
        remove_images(self.client, diff_ids, removed)
        if self._cut_short:
            # The engine may still be storing what the build had made when it was cancelled.
            time.sleep(_CANCEL_SECONDS)
            remove_images(self.client, diff_ids, removed)
        if not keep_records:
            ids = own_records(
                cache_records(self.client),
                before=self._before,
                salts=self._salts,
                windows=self._windows,
                unmarked_bases=not all_marked,
            )
            remove_records(self.client, ids, removed)
        return removed

    def _mark(self) -> bool:
        """Mark every salted base; tells whether all could be."""
        all_marked = True
        for (image, salt, _), salted in self._salted.items():
            if image == SCRATCH or salted.config.on_build:  # a trigger would stand in between
                all_marked = False
                continue
            with self.building():
                all_marked &= mark_salt(self.client, salted.tag, salt)
        return all_marked


def salted_text(dockerfile: Dockerfile, tags: Mapping[str, str], salt: str) -> Dockerfile:
    """Return ``dockerfile`` with other names for its images and cache mounts of ``salt``'s own.

    ``tags`` gives each image, as it is written, its new name.
    """
    sent = parse(replace_images(dockerfile, tags), dockerfile.path)
    if has_cache_mounts(sent):
        sent = parse(rename_cache_mounts(sent, cache_mount_prefix(salt)), dockerfile.path)
    return sent


@contextlib.contextmanager
def _uninterrupted() -> Iterator[None]:
    """Hold back Ctrl-C and SIGTERM for the 10 to 100 ms of loading an image.

    An engine whose client goes away finishes the load all the same, after the clean-up.
    """
    held = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, held)


def leftover_runs(client: DockerClient) -> dict[str, list[str]]:
    """Return the runs whose images are still in the engine, with their tags."""
    runs: dict[str, list[str]] = {}
    for image in client.api.images():
        for tag in image["RepoTags"] or ():
            if tag.startswith(RUN_REPOSITORY):
                run = tag.removeprefix(RUN_REPOSITORY).partition(":")[0]
                runs.setdefault(run, []).append(tag)
    return runs


def clean_leftovers(client: DockerClient, image_store: str) -> Removed:
    """Remove what killed runs left: their images, and the records below their salted bases.

    The contexts they sent cannot be told from others' any more; the engine's garbage collection
    takes those.
    """
    removed = Removed()
    salts: set[str] = set()
    for tags in leftover_runs(client).values():
        for tag in tags:
            name = tag.rpartition(":")[2]
            salted = _SALT.match(name)
            if salted is None:
                continue
            salts.add(salted["salt"])
            if image_store != "containerd" and _BASE_TAG.match(name):
                with contextlib.suppress(docker.errors.APIError, requests.RequestException):
                    mark_salt(client, tag, salted["salt"])
    remove_images(client, {salt_diff_id(salt) for salt in salts}, removed)
    if image_store != "containerd":
        ids = own_records(cache_records(client), before=None, salts=salts, windows=())
        remove_records(client, ids, removed)
    return removed
