from __future__ import annotations

import os
import shutil
import sys
from typing import TYPE_CHECKING

import pytest

from bench.tracing.programs import interpreters
from bench.tracing.survey import survey

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def root(tmp_path: Path) -> Iterator[int]:
    opened = os.open(tmp_path, os.O_PATH | os.O_DIRECTORY)
    yield opened
    os.close(opened)


def test_a_script_needs_its_interpreter(tmp_path: Path, root: int) -> None:
    (tmp_path / "go").write_text("#! /usr/bin/env  python3\nprint()\n")
    assert interpreters(root, ["/go"]) == ({"/usr/bin/env"}, set())


def test_a_program_needs_the_loader_that_it_names(tmp_path: Path, root: int) -> None:
    shutil.copy(os.path.realpath(sys.executable), tmp_path / "python")
    found, gone = interpreters(root, ["/python"])
    assert not gone
    assert all(os.path.exists(path) for path in found)  # noqa: PTH110
    assert any("ld-" in path for path in found)


def test_what_is_neither_needs_nothing(tmp_path: Path, root: int) -> None:
    (tmp_path / "text").write_text("just text")
    (tmp_path / "cut").write_bytes(b"\x7fELF\x02\x01")
    assert interpreters(root, ["/text", "/cut"]) == (set(), set())


def test_a_program_that_is_gone_is_named(root: int) -> None:
    assert interpreters(root, ["/conftest"]) == (set(), {"/conftest"})


def test_no_link_is_followed_out_of_the_root(tmp_path: Path, root: int) -> None:
    (tmp_path / "link").symlink_to("/bin/sh")
    (tmp_path / "folder").symlink_to("/bin")
    assert interpreters(root, ["/link", "/folder/sh"])[1] == {"/link", "/folder/sh"}


def test_a_survey_tells_folders_links_and_loaders(tmp_path: Path, root: int) -> None:
    (tmp_path / "usr/lib").mkdir(parents=True)
    (tmp_path / "usr/lib/ld-linux-x86-64.so.2").touch()
    (tmp_path / "usr/lib/ld-musl-x86_64.so.1").touch()
    (tmp_path / "usr/lib/libc.so.6").touch()
    (tmp_path / "lib").symlink_to("usr/lib")
    (tmp_path / "proc/1").mkdir(parents=True)
    found = survey(root)
    assert found.folders == {"/", "/usr", "/usr/lib", "/proc"}
    assert found.links == {"/lib": "usr/lib"}
    assert found.loaders == {"/usr/lib/ld-linux-x86-64.so.2", "/usr/lib/ld-musl-x86_64.so.1"}
