from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from bench.engine.install import apt_sites, without_services
from bench.errors import ExitCode, NoEngineError

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
not_systemd = pytest.mark.skipif(
    Path("/run/systemd/system").is_dir(), reason="systemd starts services, as its user expects"
)


@pytest.mark.engine
def test_the_mirror_is_the_one_apt_uses_for_the_main_archive() -> None:
    sites = apt_sites("Debian")
    assert sites
    assert all("://" in site and "security" not in site for site in sites)


@pytest.mark.engine
def test_a_distribution_apt_does_not_know_is_an_error_naming_it() -> None:
    with pytest.raises(NoEngineError, match="no source of Nonesuch") as caught:
        apt_sites("Nonesuch")
    assert caught.value.exit_code is ExitCode.NO_ENGINE


@as_root
@not_systemd
@pytest.mark.engine
def test_installing_a_package_starts_no_service_and_changes_nothing_outside(
    tmp_path: Path,
) -> None:
    command = Path("/usr/sbin/invoke-rc.d")
    before = command.read_bytes()
    start = "invoke-rc.d no-such-service start; echo status $?; cat /usr/sbin/invoke-rc.d"
    wrapped = without_services(["sh", "-c", start], tmp_path)
    done = subprocess.run(wrapped, capture_output=True, text=True, timeout=20, check=True)
    assert done.stdout == "status 0\n#!/bin/sh\nexit 0\n"
    assert command.read_bytes() == before
