"""A connection that breaks in the middle of a build, as when the engine is killed."""

from __future__ import annotations

import contextlib
import secrets
import shutil
import socket
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import docker
import pytest

from bench.builders import BuildOutcome, make_builder
from bench.errors import EngineLostError
from tests.builders.contexts import plain_request
from tests.builders.test_transport import processes_running

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.engine
BUILDERS = ("classic", "buildkit")


class Forwarder:
    """A Unix socket that passes everything on to an engine's, until it is cut."""

    def __init__(self, path: Path, engine: str) -> None:
        self._engine = engine
        self._sockets: list[socket.socket] = []
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Break every connection and take no more."""
        for one in [self._listener, *self._sockets]:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.socket(socket.AF_UNIX)
                server.connect(self._engine)
                self._sockets += [client, server]
                for pair in ((client, server), (server, client)):
                    threading.Thread(target=self._pass_on, args=pair, daemon=True).start()

    @staticmethod
    def _pass_on(source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)


@pytest.fixture
def forwarder(any_engine: docker.DockerClient) -> Iterator[tuple[Forwarder, docker.DockerClient]]:
    """A forwarder to the engine and a client that speaks through it; a socket's path is short."""
    api: Any = any_engine.api
    engine = str(api._custom_adapter.socket_path)
    folder = Path("/tmp") / f"cachebench-{secrets.token_hex(4)}"
    folder.mkdir(mode=0o700)
    one = Forwarder(folder / "s", engine)
    client = docker.DockerClient(f"unix://{folder / 's'}", version="1.41")
    yield one, client
    client.close()
    one.cut()
    shutil.rmtree(folder)


@pytest.mark.parametrize("builder", BUILDERS)
def test_a_connection_that_breaks_is_one_clear_error_and_stops_the_build(
    forwarder: tuple[Forwarder, docker.DockerClient],
    any_engine: docker.DockerClient,
    busybox_image: str,
    tmp_path: Path,
    builder: str,
) -> None:
    cutter, client = forwarder
    word = secrets.token_hex(6)
    tag = f"localhost:1/cachebench-test-lost:{word}"
    text = f"FROM {busybox_image}\nRUN sleep 62; echo {word}\n"
    threading.Thread(target=cut_once_running, args=(cutter, word), daemon=True).start()

    with pytest.raises(EngineLostError) as raised:
        make_builder(builder, client).build(plain_request(tmp_path, text, {}, tag))

    assert "the engine went away" in str(raised.value)
    assert "--resume" in raised.value.remedy
    assert_ends(word)

    next_text = f"FROM {busybox_image}\nRUN echo {word}\n"
    build = make_builder(builder, any_engine).build(plain_request(tmp_path, next_text, {}, tag))
    any_engine.images.remove(tag, force=True)
    assert (build.outcome, build.misses) == (BuildOutcome.OK, 1)


def cut_once_running(forwarder: Forwarder, word: str) -> None:
    """Cut the connection as soon as the build's command runs."""
    deadline = time.monotonic() + 30
    while not processes_running(word) and time.monotonic() < deadline:
        time.sleep(0.1)
    forwarder.cut()


def assert_ends(word: str) -> None:
    """Wait for the build's command to end."""
    deadline = time.monotonic() + 15
    while processes_running(word) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert processes_running(word) == []
