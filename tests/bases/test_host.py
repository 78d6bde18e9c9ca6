"""What is read of the host: its release, its apt sources, its programs."""

from __future__ import annotations

import os
import platform
import sys
from typing import TYPE_CHECKING

import pytest

from bench.bases.host import (
    AptSource,
    debian_release,
    make_rootfs,
    parse_index_targets,
    require_root,
    run,
)
from bench.bases.recipe import load_recipe
from bench.errors import BaseImageError, ExitCode

if TYPE_CHECKING:
    from pathlib import Path

MIRROR = "http://mirror.test/debian"
LISTING = f"""\
{MIRROR}-security|stable-security|main|Debian
http://vendor.test|stable|main|Vendor Inc.
{MIRROR}|stable-updates|main|Debian
{MIRROR}|stable|contrib|Debian
{MIRROR}|stable|main|Debian
{MIRROR}|stable|main|Debian
{MIRROR}|testing|main|Debian
http://vendor.test|nodistro|main|
cdrom://disc|stable|main|Debian
"""


def test_only_debians_own_suites_of_the_release_are_used_the_main_one_first() -> None:
    assert parse_index_targets(LISTING, "stable") == (
        AptSource(MIRROR, "stable", "main"),
        AptSource(MIRROR, "stable-updates", "main"),
        AptSource(f"{MIRROR}-security", "stable-security", "main"),
    )


def test_a_mirror_whose_origin_is_not_known_is_taken() -> None:
    assert parse_index_targets(f"{MIRROR}|stable|main|\n", "stable") == (
        AptSource(MIRROR, "stable", "main"),
    )


def test_a_machine_without_lists_has_no_sources() -> None:
    assert parse_index_targets("", "stable") == ()


def test_a_source_is_written_as_a_line_of_sources_list() -> None:
    assert str(AptSource(MIRROR, "stable", "main")) == f"deb {MIRROR} stable main"


def test_a_host_that_is_not_debian_gets_a_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """The release file of another system cannot be had on this one."""
    release = {"ID": "fedora", "PRETTY_NAME": "Fedora Linux 40", "VERSION_CODENAME": ""}
    monkeypatch.setattr(platform, "freedesktop_os_release", lambda: release)
    with pytest.raises(BaseImageError, match=r"Fedora Linux 40 — docker pull") as caught:
        debian_release()
    assert caught.value.exit_code is ExitCode.BUILD_FAILED


def test_without_root_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests may run as root, which cannot be put down and taken up again in one process."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(BaseImageError, match=r"needs root.*sudo"):
        require_root()


def test_a_root_made_before_is_used_again_without_root(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = load_recipe("base")
    monkeypatch.setenv("CACHEBENCH_HOME", str(tmp_path))
    release = {"ID": "debian", "VERSION_CODENAME": "stable"}
    monkeypatch.setattr(platform, "freedesktop_os_release", lambda: release)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    kept = tmp_path / "bases" / f"rootfs-stable-{platform.machine()}-{recipe.digest}.tar"
    kept.parent.mkdir()
    kept.write_bytes(b"tar")
    assert make_rootfs(recipe, print) == kept


def test_a_failing_program_is_reported_with_the_end_of_its_output() -> None:
    script = "import sys; print('first'); print('E: no room', file=sys.stderr); sys.exit(2)"
    with pytest.raises(BaseImageError, match=r"apt failed: first / E: no room — do that"):
        run([sys.executable, "-c", script], "apt failed", remedy="do that")


def test_a_missing_program_is_named() -> None:
    with pytest.raises(BaseImageError, match=r"cannot list: no-such-program: No such file"):
        run(["no-such-program"], "cannot list")
