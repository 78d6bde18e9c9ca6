"""WORKDIR onto nothing is a vertex without inputs: its own events do not tell hits from runs."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import pytest

from bench.builders import make_builder
from tests.builders.contexts import plain_request

if TYPE_CHECKING:
    from pathlib import Path

    import docker

pytestmark = pytest.mark.engine


def test_a_first_workdir_on_scratch_is_scored_by_what_stands_on_it(
    any_engine: docker.DockerClient, tmp_path: Path
) -> None:
    tag = f"localhost:1/cachebench-test:{secrets.token_hex(6)}"
    unique = f"FROM scratch\nWORKDIR /{secrets.token_hex(8)}\n"

    def outcomes(text: str) -> str:
        request = plain_request(tmp_path, unique + text, {"a": "a"}, tag)
        build = make_builder("buildkit", any_engine).build(request)
        return "".join(step.outcome.value[0] for step in build.steps[1:])

    try:
        assert outcomes("COPY a /a\n") == "mm"
        assert outcomes("COPY a /a\n") == "hh"  # neither run nor loaded
        assert outcomes("COPY a /b\n") == "hm"  # loaded
    finally:
        any_engine.images.remove(tag, force=True)
