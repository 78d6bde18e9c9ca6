"""The busybox root file system."""

from __future__ import annotations

import io
import os
import shutil
import sys
import tarfile
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.bases.busybox import busybox_tar, is_static, pack_rootfs

applet_lists = st.lists(
    st.builds(
        "{}/{}".format,
        st.sampled_from(["bin", "usr/bin", "sbin", "a/b/c"]),
        st.from_regex(r"[a-z\[][a-z0-9_-]{0,8}", fullmatch=True),
    ),
    unique=True,
)


def members(archive: bytes) -> list[tarfile.TarInfo]:
    with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
        return opened.getmembers()


@given(applet_lists)
def test_every_applet_is_a_link_in_a_folder_that_comes_first(applets: list[str]) -> None:
    seen = {"."}
    links = set()
    for member in members(pack_rootfs(b"program", applets)):
        assert str(PurePosixPath(member.name).parent) in seen
        seen.add(member.name)
        if member.issym():
            assert member.linkname == "/bin/busybox"
            links.add(member.name)
    assert links == set(applets) - {"bin/busybox"}


@given(applet_lists)
def test_the_order_of_applets_does_not_change_a_byte(applets: list[str]) -> None:
    assert pack_rootfs(b"x", applets) == pack_rootfs(b"x", list(reversed(applets)))


def test_the_program_is_executable_and_whole() -> None:
    archive = pack_rootfs(b"\x7fELF program", ["bin/sh"])
    with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
        info = opened.getmember("bin/busybox")
        content = opened.extractfile(info)
        assert content is not None
        assert content.read() == b"\x7fELF program"
    assert info.mode == 0o755


def test_a_program_that_needs_libraries_is_not_static() -> None:
    shell = shutil.which("bash") or sys.executable
    assert not is_static(Path(shell))


@pytest.mark.engine
@pytest.mark.parametrize("installed", [True, False])
def test_the_hosts_or_the_distributions_busybox_is_static(
    installed: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Marked engine: where none is installed it comes from the distribution's mirror."""
    if not installed:
        monkeypatch.setenv("PATH", programs_but_busybox(tmp_path / "bin"))
    with tarfile.open(fileobj=io.BytesIO(busybox_tar())) as opened:
        program = opened.extractfile("bin/busybox")
        assert program is not None
        (tmp_path / "busybox").write_bytes(program.read())
        names = opened.getnames()
    assert is_static(tmp_path / "busybox")
    assert "bin/sh" in names or "usr/bin/sh" in names


def programs_but_busybox(folder: Path) -> str:
    """Return a PATH that has every program of the machine except busybox."""
    folder.mkdir()
    for place in os.environ["PATH"].split(os.pathsep):
        for program in Path(place).glob("*"):
            link = folder / program.name
            if program.name != "busybox" and not link.is_symlink():
                link.symlink_to(program)
    return str(folder)
