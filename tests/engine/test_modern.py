from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from bench.engine.modern import delete_roots, release_root
from bench.engine.private import say_nothing
from bench.errors import NoEngineError

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    pytest.mark.engine,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root"),
]


def test_a_release_that_does_not_exist_is_an_error_and_leaves_no_root(home: Path) -> None:
    with pytest.raises(NoEngineError, match="debootstrap of Debian nonesuch failed"):
        release_root("nonesuch", progress=say_nothing)
    assert not (home / "roots/nonesuch").exists()


def test_a_root_that_is_there_is_used_and_deleted_on_demand(home: Path) -> None:
    said: list[str] = []
    (home / "roots/made").mkdir(parents=True)
    assert release_root("made", progress=said.append) == home / "roots/made"
    assert said == []
    delete_roots()
    assert not (home / "roots").exists()
    delete_roots()


def test_a_root_half_made_by_a_killed_command_is_never_used(home: Path) -> None:
    (home / "roots/nonesuch.partial/usr").mkdir(parents=True)
    with pytest.raises(NoEngineError):
        release_root("nonesuch", progress=say_nothing)
