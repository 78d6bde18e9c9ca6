"""Fixtures of the engine room's tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bench.engine import known_engines, stop

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_DOCKER_SETTINGS = ("DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty CACHEBENCH_HOME; the engines started in it are stopped and deleted afterwards."""
    folder = tmp_path / "cachebench home"
    monkeypatch.setenv("CACHEBENCH_HOME", str(folder))
    yield folder
    for engine in known_engines():
        if engine.data.is_dir():
            stop(engine.name, purge=True)


@pytest.fixture
def no_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No docker setting in the environment and an empty folder of docker's configuration."""
    for name in _DOCKER_SETTINGS:
        monkeypatch.delenv(name, raising=False)
    folder = tmp_path / "docker"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    monkeypatch.setenv("DOCKER_CONFIG", str(folder))
    return folder
