"""Every rewrite there is, in the order in which they are made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.errors import UsageError
from bench.orderings.rewrites.bind_manifests import BIND_MANIFESTS
from bench.orderings.rewrites.dockerignore import DOCKERIGNORE
from bench.orderings.rewrites.late_variables import LATE_VARIABLES
from bench.orderings.rewrites.metadata_last import METADATA_LAST
from bench.orderings.rewrites.narrow_copy import NARROW_COPY
from bench.orderings.rewrites.package_caches import PACKAGE_CACHES
from bench.orderings.rewrites.split_copy import SPLIT_COPY

if TYPE_CHECKING:
    from bench.orderings.rewrites.base import Rewrite

REWRITES: tuple[Rewrite, ...] = (
    SPLIT_COPY,
    NARROW_COPY,
    DOCKERIGNORE,
    PACKAGE_CACHES,
    BIND_MANIFESTS,
    LATE_VARIABLES,
    METADATA_LAST,
)
"""A rewrite may make room for those after it: COPY is narrowed once it has been split."""


def find_rewrite(name: str) -> Rewrite:
    """Return the rewrite called ``name``.

    Raises:
        UsageError: there is none of that name.

    """
    for rewrite in REWRITES:
        if rewrite.name == name:
            return rewrite
    names = ", ".join(rewrite.name for rewrite in REWRITES)
    raise UsageError(f"there is no rewrite {name!r}", remedy=f"choose of {names}")
