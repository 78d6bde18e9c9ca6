from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bench.engine import EngineSpec, connect, ensure_engine, start
from bench.engine.describe import host_of
from bench.errors import ExitCode, NoEngineError
from tests.support.command import bench

if TYPE_CHECKING:
    from pathlib import Path

    import docker

# An interpreter in root's home cannot be started by nobody: it gives up its rights when running.
AS_NOBODY = """
import os, sys
import bench.cli, bench.cli.engine, bench.engine.install, encodings.idna, http.client
os.environ.update(HOME="/nonexistent", DOCKER_CONFIG="/nonexistent")
os.environ.pop("DOCKER_HOST", None)
os.environ.pop("XDG_CACHE_HOME", None)
os.environ.pop("CACHEBENCH_HOME", None)
os.setgroups([]); os.setresgid(65534, 65534, 65534); os.setresuid(65534, 65534, 65534)
sys.argv = ["bench", *sys.argv[1:]]
bench.cli.main()
"""


@pytest.mark.usefixtures("no_settings")
@pytest.mark.parametrize("command", [("start",), ("start", "--install")])
def test_an_unreachable_docker_host_ends_with_status_3_and_says_which(
    monkeypatch: pytest.MonkeyPatch, home: Path, command: tuple[str, ...]
) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    code, said = bench("engine", *command)
    assert code == ExitCode.NO_ENGINE
    assert "unix:///nowhere/docker.sock (DOCKER_HOST): no such file or directory" in said
    assert "Traceback" not in said
    assert not home.exists()  # no other engine was started in its place


@pytest.mark.skipif("os.geteuid() != 0", reason="only root can become nobody")
@pytest.mark.parametrize(
    "command", [("start",), ("start", "--install"), ("start", "--private"), ("install",)]
)
def test_without_root_and_engine_one_line_says_what_to_install(command: tuple[str, ...]) -> None:
    code, said = bench("engine", *command, code=AS_NOBODY)
    assert code == ExitCode.NO_ENGINE, said
    assert "docker.io" in said
    assert len(said.strip().splitlines()) == 1


def test_a_host_given_is_demanded_and_never_replaced(home: Path) -> None:
    with pytest.raises(NoEngineError, match="unix:///nowhere"):
        connect("unix:///nowhere")
    assert not home.exists()


@pytest.mark.usefixtures("no_settings", "home")
def test_without_leave_to_start_one_a_missing_engine_is_an_error(
    no_settings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_context(no_settings, monkeypatch, "unix:///nowhere/docker.sock")
    with pytest.raises(NoEngineError, match="nowhere") as caught:
        connect(start=False)
    assert "bench engine start --install" in caught.value.remedy


@pytest.mark.engine
def test_the_engine_docker_would_use_is_taken(
    engine_client: docker.DockerClient,
    no_settings: Path,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    host = host_of(engine_client)
    use_context(no_settings, monkeypatch, host)
    client = connect()
    assert host_of(client) == host
    client.close()
    assert not home.exists()


@pytest.mark.engine
def test_a_private_engine_stands_in_for_a_context_that_does_not_answer(
    no_settings: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_context(no_settings, monkeypatch, "unix:///nowhere/docker.sock")
    said: list[str] = []
    client = connect(progress=said.append)
    assert host_of(client) == start(EngineSpec()).endpoint.host
    client.close()
    assert said == ["starting the private engine default"]
    assert ensure_engine(install=False).source == "the private engine default"
    assert (home / "engines/default/data").is_dir()


def use_context(config: Path, monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    """Make ``host`` the one of docker's current context, which the user did not name himself."""
    from tests.engine.test_find import write_context

    write_context(config, "lab", host)
    (config / "config.json").write_text('{"currentContext": "lab"}')
    monkeypatch.delenv("DOCKER_HOST", raising=False)
