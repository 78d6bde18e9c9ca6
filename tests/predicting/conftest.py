"""Manifests and states made of nothing but text, for the tests of this room."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from bench.dockerfile import parse
from bench.predicting import BuildState
from bench.workspace import ClientRule, Entry, Manifest

if TYPE_CHECKING:
    from collections.abc import Mapping


class MakeState:
    """Makes a state from the text of a Dockerfile and the files of its context."""

    def __call__(
        self,
        text: str,
        files: Mapping[str, str] | None = None,
        *,
        change: str = "",
        target: str | None = None,
        build_args: Mapping[str, str] | None = None,
        base_layers: Mapping[str, str] | None = None,
    ) -> BuildState:
        """Make it."""
        folders = {path[:cut] for path in files or () for cut, one in enumerate(path) if one == "/"}
        entries = [Entry(path, "dir", 0o755, 0, None, None, 0) for path in folders]
        for path, content in (files or {}).items():
            digest = hashlib.sha256(content.encode()).hexdigest()
            entries.append(Entry(path, "file", 0o644, len(content), None, digest, 0))
        return BuildState(
            change=change,
            dockerfile=parse(text),
            manifests=dict.fromkeys(ClientRule, Manifest(sorted(entries))),
            build_args=build_args or {},
            target=target,
            base_layers=base_layers or {},
        )


@pytest.fixture
def make_state() -> MakeState:
    """Make states."""
    return MakeState()
