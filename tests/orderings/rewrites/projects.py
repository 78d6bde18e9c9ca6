"""Small projects for the tests of rewrites: a Dockerfile, a context and what is known of them."""

from __future__ import annotations

import hashlib
import posixpath
from typing import TYPE_CHECKING

from bench.cache_model import BaseImage, BuildInput, StepPlace
from bench.cache_model.profiles import BUILDKIT_08, BUILDKIT_28, CLASSIC_20, CLASSIC_26
from bench.dockerfile import parse
from bench.orderings.access import Access, AccessSource
from bench.orderings.rewrites import Facts, find_rewrite
from bench.workspace import Manifest
from bench.workspace.manifest import Entry

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.cache_model import Profile
    from bench.orderings.rewrites import Proposal, Refusal

ALL = (CLASSIC_20, CLASSIC_26, BUILDKIT_08, BUILDKIT_28)
MODERN = (BUILDKIT_28,)

NODE = {
    "package.json": '{"name": "x", "dependencies": {"a": "1.0.0"}}',
    "package-lock.json": '{"lockfileVersion": 3, "packages": {"": {}, '
    '"node_modules/a": {"resolved": "https://registry/a.tgz"}}}',
    "server.js": "1",
    "src/app.js": "2",
}
"""A Node project whose installation reads two files."""


def facts_of(
    text: str,
    files: Mapping[str, str],
    *,
    profiles: Sequence[Profile] = ALL,
    access: Mapping[tuple[int, int], tuple[Sequence[str], Sequence[str]]] | None = None,
    modes: Mapping[str, int] | None = None,
    links: Mapping[str, str] | None = None,
    dockerignore: str | None = None,
    target: str | None = None,
    network: str = "",
    bases: Mapping[str, BaseImage] | None = None,
) -> Facts:
    """Return the facts of a build; ``access`` maps (stage, step) to reads and writes."""
    declared = {
        StepPlace(*place): Access(tuple(reads), tuple(writes), AccessSource.DECLARED)
        for place, (reads, writes) in (access or {}).items()
    }
    manifest = manifest_of({**files, "Dockerfile": text}, modes or {}, links or {})
    return Facts(
        build=BuildInput(parse(text), manifest, target=target, network=network, bases=bases or {}),
        profiles=tuple(profiles),
        access=declared,
        contents=dict(files),
        dockerignore=dockerignore,
    )


def manifest_of(
    files: Mapping[str, str], modes: Mapping[str, int], links: Mapping[str, str]
) -> Manifest:
    """Return the manifest of a context: files by path, the folders that hold them, and links."""
    entries: dict[str, Entry] = {}
    for path in [*files, *links]:
        folder = path
        while folder := posixpath.dirname(folder):
            entries[folder] = Entry(folder, "dir", modes.get(folder, 0o755), 0, None, None, 0)
    for path, text in files.items():
        digest = hashlib.sha256(text.encode()).hexdigest()
        mode = modes.get(path, 0o644)
        entries[path] = Entry(path, "file", mode, len(text), None, digest, 0)
    for path, end in links.items():
        entries[path] = Entry(path, "symlink", 0o777, 0, end, None, 0)
    return Manifest(entries[path] for path in sorted(entries, key=str.encode))


def proposed(name: str, facts: Facts) -> Proposal:
    """Return the one proposal of a rewrite, which must be there."""
    proposals = find_rewrite(name).proposals(facts)
    assert len(proposals) == 1, (proposals, refused(name, facts))
    return proposals[0]


def refused(name: str, facts: Facts) -> list[Refusal]:
    """Return why a rewrite left something as it is."""
    return find_rewrite(name).why_not(facts)


def assert_refused(name: str, facts: Facts, why: str) -> None:
    """Check that a rewrite proposes nothing, and that one of its reasons holds ``why``."""
    assert find_rewrite(name).proposals(facts) == []
    reasons = [one.why for one in refused(name, facts)]
    assert any(why in one for one in reasons), reasons
