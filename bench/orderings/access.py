"""What a RUN reads and writes, where somebody declared it or a real build was watched."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class AccessSource(StrEnum):
    """How it is known what a RUN reads and writes."""

    DECLARED = "declared"
    """The scenario says so (``[[access]]``)."""
    OBSERVED = "observed"
    """A real build was watched while it ran."""


@dataclass(frozen=True)
class Access:
    """The files that one RUN reads and writes.

    Both are absolute paths in the image, each of a file or of a folder with all that is below it;
    a path may end in ``*`` patterns as those of COPY. A path that ends in ``/.`` is a folder or a
    link without what is in it: that it is there, its mode and its owner. ``reads`` matter only
    where another instruction of the same Dockerfile writes: what the base image holds may be read
    always. Looking for a file that is not there, or listing a folder, is reading it.
    """

    reads: tuple[str, ...]
    writes: tuple[str, ...]
    source: AccessSource
