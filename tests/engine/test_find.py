from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING

import pytest
from docker.context.config import get_context_id

from bench.engine.find import DEFAULT_HOST, PING_TIMEOUT_SECONDS, Endpoint, cli_endpoint, why_silent
from bench.errors import NoEngineError

if TYPE_CHECKING:
    from pathlib import Path


def write_context(config: Path, name: str, host: str) -> None:
    folder = config / "contexts/meta" / get_context_id(name)
    folder.mkdir(parents=True)
    content = {"Name": name, "Metadata": {}, "Endpoints": {"docker": {"Host": host}}}
    (folder / "meta.json").write_text(json.dumps(content))


def test_without_any_setting_it_is_the_default_socket(no_settings: Path) -> None:
    assert no_settings.is_dir()
    assert cli_endpoint() == Endpoint(DEFAULT_HOST, "the default socket")


def test_the_current_context_of_the_configuration_counts(no_settings: Path) -> None:
    write_context(no_settings, "lab", "tcp://lab.invalid:2375")
    (no_settings / "config.json").write_text(json.dumps({"currentContext": "lab"}))
    endpoint = cli_endpoint()
    assert endpoint.host == "tcp://lab.invalid:2375"
    assert "lab" in endpoint.source
    assert not endpoint.demanded


def test_docker_context_beats_the_configuration(
    no_settings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_context(no_settings, "lab", "unix:///lab.sock")
    write_context(no_settings, "other", "unix:///other.sock")
    (no_settings / "config.json").write_text(json.dumps({"currentContext": "lab"}))
    monkeypatch.setenv("DOCKER_CONTEXT", "other")
    endpoint = cli_endpoint()
    assert endpoint.host == "unix:///other.sock"
    assert endpoint.demanded


def test_docker_host_beats_every_context(
    no_settings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_context(no_settings, "lab", "unix:///lab.sock")
    monkeypatch.setenv("DOCKER_CONTEXT", "lab")
    monkeypatch.setenv("DOCKER_HOST", "unix:///named.sock")
    assert cli_endpoint() == Endpoint("unix:///named.sock", "DOCKER_HOST", demanded=True)


@pytest.mark.usefixtures("no_settings")
def test_a_context_that_is_not_there_is_an_error_naming_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DOCKER_CONTEXT", "gone")
    with pytest.raises(NoEngineError, match="DOCKER_CONTEXT = gone: there is no such context"):
        cli_endpoint()


def test_a_damaged_context_is_an_error_with_a_remedy(
    no_settings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_context(no_settings, "lab", "unix:///lab.sock")
    (no_settings / "contexts/meta" / get_context_id("lab") / "meta.json").write_text("{")
    monkeypatch.setenv("DOCKER_CONTEXT", "lab")
    with pytest.raises(NoEngineError, match="DOCKER_CONTEXT") as caught:
        cli_endpoint()
    assert "DOCKER_HOST" in caught.value.remedy


@pytest.mark.usefixtures("no_settings")
def test_tls_without_certificates_is_an_error_naming_the_setting(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
    monkeypatch.setenv("DOCKER_TLS_VERIFY", "1")
    monkeypatch.setenv("DOCKER_CERT_PATH", str(tmp_path / "none"))
    with pytest.raises(NoEngineError, match="DOCKER_TLS_VERIFY") as caught:
        cli_endpoint()
    assert "ca.pem" in caught.value.remedy


def test_a_socket_that_is_not_there_is_told_in_words(tmp_path: Path) -> None:
    assert why_silent(Endpoint(f"unix://{tmp_path}/no.sock", "")) == "no such file or directory"


def test_a_socket_nobody_listens_on_is_told_in_words(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(tmp_path / "s"))
    assert why_silent(Endpoint(f"unix://{tmp_path}/s", "")) == "connection refused"


def test_a_host_that_is_no_address_is_told() -> None:
    assert why_silent(Endpoint("nonsense://", "")) is not None


@pytest.mark.slow
def test_an_engine_that_takes_the_connection_and_is_silent_is_given_up(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as mute:
        mute.bind(str(tmp_path / "s"))
        mute.listen()
        reason = why_silent(Endpoint(f"unix://{tmp_path}/s", ""))
    assert reason is not None
    assert "timed out" in reason.lower()
    assert PING_TIMEOUT_SECONDS <= 5
