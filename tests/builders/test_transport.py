"""One request, however it ends: too slow, refused, or answered by an engine that goes away."""

from __future__ import annotations

import secrets
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bench.builders import BuildOutcome, StepOutcome, make_builder
from tests.builders.contexts import plain_request

if TYPE_CHECKING:
    import docker

pytestmark = pytest.mark.engine
BUILDERS = ("classic", "buildkit")


def processes_running(word: str) -> list[str]:
    """Return the command lines of this machine's processes that hold ``word``."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue  # it ended meanwhile
        if word in line:
            found.append(line)
    return found


def _containers(client: docker.DockerClient, image: str) -> list[str]:
    found = client.containers.list(all=True, ignore_removed=True, filters={"ancestor": image})
    return [str(container.id) for container in found]


@pytest.mark.parametrize("builder", BUILDERS)
def test_a_build_that_times_out_is_stopped_in_the_engine(
    any_engine: docker.DockerClient, busybox_image: str, tmp_path: Path, builder: str
) -> None:
    """Its process ends, no container stays, and the next build is not disturbed."""
    word = secrets.token_hex(6)
    tag = f"localhost:1/cachebench-test-timeout:{word}"
    text = f"FROM {busybox_image}\nRUN sleep 61; echo {word}\n"
    request = plain_request(tmp_path, text, {}, tag, timeout_seconds=2.0)

    build = make_builder(builder, any_engine).build(request)

    assert build.outcome is BuildOutcome.TIMEOUT
    assert build.wall_seconds < 5
    assert build.steps[1].outcome is StepOutcome.FAILED
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        left = [*processes_running(word), *_containers(any_engine, busybox_image)]
        if not left:
            break
        time.sleep(0.1)
    assert left == []

    next_text = f"FROM {busybox_image}\nRUN echo {word}\n"
    build = make_builder(builder, any_engine).build(plain_request(tmp_path, next_text, {}, tag))
    any_engine.images.remove(tag, force=True)
    assert (build.outcome, build.misses) == (BuildOutcome.OK, 1)


@pytest.mark.parametrize("builder", BUILDERS)
def test_a_dockerfile_that_the_engine_refuses_is_a_failed_build_with_its_words(
    any_engine: docker.DockerClient, busybox_image: str, tmp_path: Path, builder: str
) -> None:
    text = f"FROM {busybox_image}\nCOPY --bogus=1 a b\n"
    request = plain_request(tmp_path, text, {"a": "a"}, "localhost:1/cachebench-test-refused:1")

    build = make_builder(builder, any_engine).build(request)

    assert build.outcome is BuildOutcome.FAILED
    assert "bogus" in build.error
    assert build.hits + build.misses == 0
