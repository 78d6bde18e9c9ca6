"""Trials do not see each other's cache, and the engine is left as it was."""

from __future__ import annotations

import secrets
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from bench.bases.cleanup import Removed, cache_records, remove_images
from bench.bases.isolation import Isolation, clean_leftovers, leftover_runs
from bench.bases.salt import salt_diff_id
from bench.builders import make_builder
from bench.dockerfile import parse
from bench.engine import describe, engine_lock
from tests.builders.contexts import plain_request, salted_request

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import docker

    from bench.builders import Build

pytestmark = pytest.mark.engine
BUILDERS = ("classic", "buildkit")
DOCKERFILE = """\
FROM BASE AS builder
COPY a.txt /a
RUN cat /a > /made
FROM scratch
COPY --from=builder /made /made
COPY --from=BASE /bin/busybox /bb
"""
FILES = {"a.txt": "a\n"}


def inventory(client: docker.DockerClient) -> tuple[set[str], set[str], set[str]]:
    """Return the images, containers and build-cache records of an engine."""
    images = {f"{image.id} {sorted(image.tags)}" for image in client.images.list(all=True)}
    containers = {str(container.id) for container in client.containers.list(all=True)}
    return images, containers, {record.id for record in cache_records(client)}


class Trials:
    """Builds one Dockerfile on salts of one isolated run."""

    def __init__(self, client: docker.DockerClient, base: str, folder: Path) -> None:
        self.client = client
        self.base = base
        self.folder = folder
        self.isolation = Isolation(
            client, f"test-{secrets.token_hex(4)}", describe(client).image_store, {}
        )

    def build(self, salt: str, builder: str) -> Build:
        dockerfile = parse(DOCKERFILE.replace("BASE", self.base))
        salted = self.isolation.salted(dockerfile, salt, {}, {})
        tag = self.isolation.built_tag(salt, "v", builder)
        request = salted_request(self.folder, salted, FILES, tag)
        with self.isolation.building():
            return make_builder(builder, self.client).build(request)


@contextmanager
def user_image(client: docker.DockerClient, base: str, folder: Path) -> Iterator[list[Build]]:
    """A user's own image, built before with both builders; yields a way to build it again."""
    secret = secrets.token_hex(6)
    text = f"FROM {base}\nCOPY a.txt /a\nRUN echo {secret} > /user\n"
    tags = {name: f"localhost:1/cachebench-user:{secret}-{name}" for name in BUILDERS}

    def build() -> list[Build]:
        return [
            make_builder(name, client).build(plain_request(folder, text, FILES, tag))
            for name, tag in tags.items()
        ]

    assert all(one.misses for one in build())
    again: list[Build] = []
    yield again
    again += build()
    for tag in tags.values():
        client.images.remove(tag, force=True)


def test_a_salt_isolates_both_builders_and_leaves_nothing(
    any_engine: docker.DockerClient, busybox_image: str, tmp_path: Path
) -> None:
    with user_image(any_engine, busybox_image, tmp_path) as again:
        before = inventory(any_engine)
        trials = Trials(any_engine, busybox_image, tmp_path)
        one, other = secrets.token_hex(8), secrets.token_hex(8)

        for builder in BUILDERS:
            assert trials.build(one, builder).hits == 0
            assert trials.build(one, builder).misses == 0
            assert trials.build(other, builder).hits == 0, f"{builder} saw another trial's cache"

        removed = trials.isolation.clean()
        assert removed.left == []
        after = inventory(any_engine)
    assert after[:2] == before[:2]
    assert before[2] <= after[2]
    if trials.isolation.image_store == "graphdriver":
        assert after[2] == before[2]
    assert [one.misses for one in again] == [0, 0], "the user's cached builds still hit"


def test_what_a_killed_run_left_is_removed_and_the_user_s_things_stay(
    any_engine: docker.DockerClient, busybox_image: str, tmp_path: Path
) -> None:
    with user_image(any_engine, busybox_image, tmp_path) as again:
        before = inventory(any_engine)
        killed = Trials(any_engine, busybox_image, tmp_path)
        salt = secrets.token_hex(8)
        for builder in BUILDERS:
            killed.build(salt, builder)
        assert killed.isolation.run in leftover_runs(any_engine)

        with engine_lock(describe(any_engine).id):  # as bench clean does: a run may be going on
            clean_leftovers(any_engine, killed.isolation.image_store)

        after = inventory(any_engine)
        assert killed.isolation.run not in leftover_runs(any_engine)
    assert after[:2] == before[:2]
    assert before[2] <= after[2]
    assert [one.misses for one in again] == [0, 0]


def test_images_without_the_salt_are_never_removed(
    engine_client: docker.DockerClient, default_busybox_image: str
) -> None:
    before = inventory(engine_client)

    remove_images(engine_client, {salt_diff_id(secrets.token_hex(8))}, Removed())

    assert inventory(engine_client) == before
    assert engine_client.images.get(default_busybox_image)
