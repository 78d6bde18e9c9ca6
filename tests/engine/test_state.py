from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.engine.state import (
    EngineFolder,
    EngineProcess,
    EngineSpec,
    ImageStore,
    engine_folder,
    known_engines,
    state_dir,
)
from bench.errors import NoEngineError, UsageError

# Linux: sun_path holds 108 bytes with the closing zero; containerd appends ".ttrpc" to its socket.
LONGEST_SOCKET = 107
CONTAINERD_SOCKET = "exec/containerd/containerd-debug.sock.ttrpc"


def test_state_dir_is_cachebench_home_before_the_xdg_cache(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("CACHEBENCH_HOME", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", "/xdg")
    assert state_dir() == Path("/xdg/cachebench")
    monkeypatch.setenv("CACHEBENCH_HOME", "/here")
    assert state_dir() == Path("/here")


def test_state_dir_is_below_the_home_folder_when_nothing_is_set(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("CACHEBENCH_HOME", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", "/home/someone")
    assert state_dir() == Path("/home/someone/.cache/cachebench")


@pytest.mark.parametrize("name", ["", "..", "a/b", "../x", "UPPER", "-x", "a b", "x" * 42])
def test_a_name_that_is_no_plain_folder_name_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="not a usable name"):
        EngineSpec(name)


def test_a_release_that_is_no_plain_folder_name_is_refused() -> None:
    with pytest.raises(UsageError, match="not a usable name"):
        EngineSpec("fine", release="../../etc")


@given(
    st.text(min_size=1, max_size=300), st.from_regex(r"[a-z0-9][a-z0-9._-]{0,40}", fullmatch=True)
)
def test_sockets_and_bridge_fit_the_kernels_limits_wherever_the_state_is(
    state: str, name: str
) -> None:
    folder = EngineFolder(name, Path("/") / state)
    assert len(bytes(folder.socket)) <= LONGEST_SOCKET
    assert len(bytes(folder.run / CONTAINERD_SOCKET)) <= LONGEST_SOCKET
    assert re.fullmatch(r"[a-z0-9]{1,15}", folder.bridge)


def test_engines_of_different_names_or_homes_share_nothing() -> None:
    folders = [EngineFolder(name, Path(home)) for name in ("one", "two") for home in ("/a", "/b")]
    for attribute in ("path", "data", "run", "socket", "pidfile", "bridge", "lock"):
        assert len({getattr(folder, attribute) for folder in folders}) == len(folders)


def test_what_an_engine_is_and_its_process_are_remembered(home: Path) -> None:
    spec = EngineSpec("odd.one", "sid", ImageStore.CONTAINERD)
    process = EngineProcess(12, 3456, "boot")
    folder = engine_folder("odd.one")
    assert folder.read_spec() is None
    assert folder.read_process() is None
    folder.write_spec(spec)
    folder.write_process(process)
    assert folder.read_spec() == spec
    assert folder.read_process() == process
    assert [known.name for known in known_engines()] == ["odd.one"]
    folder.forget_process()
    assert folder.read_process() is None
    assert folder.path.is_relative_to(home)


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"name": "x", "release": 3}'])
def test_a_damaged_record_names_its_file_and_the_remedy(home: Path, content: str) -> None:
    folder = engine_folder("broken")
    folder.path.mkdir(parents=True)
    (folder.path / "engine.json").write_text(content)
    with pytest.raises(NoEngineError, match=re.escape(str(home))) as caught:
        folder.read_spec()
    assert "bench engine stop broken --purge" in caught.value.remedy
