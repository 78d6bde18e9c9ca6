"""Dockerfiles to be watched, in a scratch copy of a small context."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.dockerfile import parse
from bench.tracing import Subject
from bench.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

CONTEXT = {
    "a.txt": "a\n",
    "build.sh": "cat src/one >out\n",
    "docs/page": "p\n",
    "lonely/file": "x\n",
    "src/one": "1\n",
    "src/two": "2\n",
}


def subject(
    text: str, scratch: Path, *, files: Mapping[str, str] = CONTEXT, timeout: float = 120.0
) -> Subject:
    """Return what ``text`` builds in a context with these files."""
    source = scratch / "source"
    for path, content in files.items():
        (source / path).parent.mkdir(parents=True, exist_ok=True)
        (source / path).write_text(content)
    workspace = Workspace.create(
        source, scratch / "work", dockerfile_text=text, dockerfile_path="Dockerfile"
    )
    return Subject(workspace, parse(text), timeout_seconds=timeout)
