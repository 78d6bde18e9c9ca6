"""Trials do not see each other's cache, and the engine is left as it was."""

from __future__ import annotations

import io
import secrets
import tarfile
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import pytest
from docker.errors import ImageNotFound

from bench.bases.cleanup import Removed, cache_records, remove_images
from bench.bases.isolation import Isolation, clean_leftovers, leftover_runs
from bench.bases.salt import Salter, salt_diff_id
from bench.builders import BuildOutcome, make_builder
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
RUN = "cat /a > /made"
FILES = {"a.txt": "a\n"}
LOCK_SECONDS = 120


@pytest.fixture(autouse=True)
def alone(any_engine: docker.DockerClient) -> Iterator[None]:
    """Hold the engine, as every run and every clean-up does: what others leave is removed here."""
    with engine_lock(describe(any_engine).id, wait_seconds=LOCK_SECONDS):
        yield


def inventory(client: docker.DockerClient) -> tuple[set[str], set[str], set[str]]:
    """Return the images, containers and build-cache records of an engine."""
    images = {f"{image.id} {sorted(image.tags)}" for image in client.images.list(all=True)}
    containers = {
        str(container.id) for container in client.containers.list(all=True, ignore_removed=True)
    }
    return images, containers, {record.id for record in cache_records(client)}


class Trials:
    """Builds one Dockerfile on salts of one isolated run."""

    def __init__(
        self, client: docker.DockerClient, base: str, folder: Path, text: str = DOCKERFILE
    ) -> None:
        self.client = client
        self.dockerfile = parse(text.replace("BASE", base))
        self.folder = folder
        self.isolation = Isolation(
            client, f"test-{secrets.token_hex(4)}", describe(client).image_store, {}
        )

    def build(self, salt: str, builder: str) -> Build:
        salted = self.isolation.salted(self.dockerfile, salt, {}, {})
        tag = self.isolation.built_tag(salt, "v", builder)
        request = salted_request(self.folder, salted, FILES, tag)
        with self.isolation.building():
            build = make_builder(builder, self.client).build(request)
        assert build.outcome is BuildOutcome.OK, build.error
        return build


@contextmanager
def user_image(client: docker.DockerClient, base: str, folder: Path) -> Iterator[list[Build]]:
    """A user's own image, built before with both builders; yields a way to build it again."""
    secret = secrets.token_hex(6)
    text = f"FROM {base}\nRUN echo {secret} > /user\nCOPY a.txt /a\n"
    tags = {name: f"localhost:1/cachebench-user:{secret}-{name}" for name in BUILDERS}

    def build() -> list[Build]:
        return [
            make_builder(name, client).build(plain_request(folder, text, FILES, tag))
            for name, tag in tags.items()
        ]

    try:
        assert [one.misses for one in build()] == [2, 2]
        again: list[Build] = []
        yield again
        again += build()
    finally:
        for tag in tags.values():
            with suppress(ImageNotFound):
                client.images.remove(tag, force=True)


def test_a_salt_isolates_both_builders_and_leaves_nothing(
    any_engine: docker.DockerClient, busybox_image: str, tmp_path: Path
) -> None:
    with user_image(any_engine, busybox_image, tmp_path) as again:
        before = inventory(any_engine)
        trials = Trials(any_engine, busybox_image, tmp_path)
        one, other = secrets.token_hex(8), secrets.token_hex(8)

        for builder in BUILDERS:
            cold, warm = trials.build(one, builder), trials.build(one, builder)
            assert (cold.hits, cold.misses) == (0, 4)
            assert (warm.hits, warm.misses) == (4, 0)
            assert trials.build(other, builder).hits == 0, f"{builder} saw another trial's cache"

        removed = trials.isolation.clean()
        assert removed.left == []
        after = inventory(any_engine)
    assert after[:2] == before[:2]
    assert before[2] <= after[2]
    if trials.isolation.image_store == "graphdriver":
        assert after[2] == before[2]
    assert [(one.hits, one.misses) for one in again] == [(2, 0)] * 2, "the user's still hit"


MOUNTS = """\
FROM BASE AS builder
RUN --mount=type=cache,target=/kept echo >> /kept/lines; wc -l < /kept/lines > /count
RUN --mount=type=cache,target=/x,id=/kept test $(wc -l < /x/lines) = $(cat /count)
FROM SHELL-LESS
COPY --from=builder /count /count
FROM TRIGGERING
COPY --from=1 /count /count
"""


def test_cache_mounts_and_bases_that_run_nothing_are_isolated_and_cleaned_too(
    any_engine: docker.DockerClient, busybox_image: str, tmp_path: Path
) -> None:
    """The count is the number of times the RUN found its mount: 1 wherever a cache is cold."""
    with odd_bases(any_engine, busybox_image) as (shell_less, triggering):
        before = inventory(any_engine)
        text = MOUNTS.replace("SHELL-LESS", shell_less).replace("TRIGGERING", triggering)
        trials = Trials(any_engine, busybox_image, tmp_path, text)
        for salt in (secrets.token_hex(8), secrets.token_hex(8)):
            assert trials.build(salt, "buildkit").hits == 0
            assert trials.build(salt, "buildkit").misses == 0
            tag = trials.isolation.built_tag(salt, "v", "buildkit")
            assert read_file(any_engine, tag, "/count") == b"1\n"
        assert trials.isolation.clean().left == []
        after = inventory(any_engine)
    assert after[:2] == before[:2]
    if trials.isolation.image_store == "graphdriver":
        assert after[2] == before[2]


@contextmanager
def odd_bases(client: docker.DockerClient, base: str) -> Iterator[tuple[str, str]]:
    """Make a base that holds one empty file and one with a trigger that needs the context."""
    word, repository = secrets.token_hex(4), "localhost:1/cachebench-odd"
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.addfile(tarfile.TarInfo(word))
    client.api.import_image_from_data(buffer.getvalue(), repository=repository, tag=word)
    container = client.containers.create(base, ["true"])
    container.commit(repository, f"{word}-t", changes="ONBUILD COPY a.txt /triggered")
    container.remove()
    tags = f"{repository}:{word}", f"{repository}:{word}-t"
    try:
        yield tags
    finally:
        for tag in tags:
            client.images.remove(tag, force=True)


def read_file(client: docker.DockerClient, image: str, path: str) -> bytes:
    container = client.containers.create(image, ["x"])
    try:
        chunks, _ = container.get_archive(path)
        with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as archive:
            member = archive.extractfile(archive.next() or "")
            return b"" if member is None else member.read()
    finally:
        container.remove()


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
        assert records_of_run(any_engine) - before[2], "nothing to remove shows nothing"

        clean_leftovers(any_engine, killed.isolation.image_store)

        after = inventory(any_engine)
        if killed.isolation.image_store == "graphdriver":
            assert records_of_run(any_engine) <= before[2]
        assert killed.isolation.run not in leftover_runs(any_engine)
    assert after[:2] == before[:2]
    assert before[2] <= after[2]
    assert [(one.hits, one.misses) for one in again] == [(2, 0)] * 2


def records_of_run(client: docker.DockerClient) -> set[str]:
    """Return the records of the trials' RUN, whosever they are."""
    return {record.id for record in cache_records(client) if RUN in record.description}


def test_images_without_the_salt_are_never_removed(
    any_engine: docker.DockerClient, busybox_image: str
) -> None:
    removed = Removed()

    remove_images(any_engine, {salt_diff_id(secrets.token_hex(8))}, removed)

    assert removed == Removed()
    assert any_engine.images.get(busybox_image)


def test_an_image_that_somebody_removes_meanwhile_does_not_stop_the_clean_up(
    any_engine: docker.DockerClient, busybox_image: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    salt, tag = secrets.token_hex(8), f"localhost:1/cachebench/run-test:{secrets.token_hex(8)}"
    Salter(any_engine, describe(any_engine).image_store).salt(busybox_image, salt, tag)
    listed = any_engine.api.images
    gone = {"Id": f"sha256:{'0' * 64}", "RepoTags": None}
    monkeypatch.setattr(any_engine.api, "images", lambda **asked: [gone, *listed(**asked)])
    removed = Removed()

    assert "test" in leftover_runs(any_engine)
    remove_images(any_engine, {salt_diff_id(salt)}, removed)

    assert removed.images == 1
    with pytest.raises(ImageNotFound):
        any_engine.images.get(tag)
