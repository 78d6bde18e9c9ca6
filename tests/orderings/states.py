"""States to build for tests of orderings, from a text and the contents of files."""

from __future__ import annotations

from bench.dockerfile import parse
from bench.predicting import BuildState
from bench.workspace import ClientRule
from tests.cache_model.states import context, file


def state(text: str, *, change: str = "", **files: str) -> BuildState:
    """Return a state whose context holds ``files`` by name and content."""
    manifest = context(*(file(name, content) for name, content in files.items()))
    return BuildState(
        change=change,
        dockerfile=parse(text),
        manifests=dict.fromkeys(ClientRule, manifest),
        network="none",
    )
