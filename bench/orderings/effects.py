"""What each instruction of a stage reads and writes, for each family of builders.

Two instructions commute where nothing that one writes is read or written by the other; see
`bench.orderings.commuting`. What is not understood is a barrier: it reads and writes everything.

Sources: moby/buildkit ``frontend/dockerfile/dockerfile2llb/convert.go`` (dispatch*), moby
``builder/dockerfile/dispatchers.go`` and ``daemon/create_unix.go``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from bench.cache_model.profiles import Family

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench.cache_model import StepPlace
    from bench.dockerfile import Instruction
    from bench.orderings.access import Access
    from bench.orderings.regions import Region

_NAME = re.compile(r"\$\{?([A-Za-z_]\w*)")


class Fact(StrEnum):
    """One thing that a stage has, apart from its files, variables and labels."""

    WORKDIR = "the working directory"
    USER = "the user"
    SHELL = "the shell"
    CMD = "CMD"
    ENTRYPOINT = "ENTRYPOINT"
    STOPSIGNAL = "STOPSIGNAL"
    HEALTHCHECK = "HEALTHCHECK"
    ONBUILD = "the list of ONBUILD"
    AUTHOR = "the author"
    VOLUMES = "the set of volumes"


SETS = frozenset({Fact.VOLUMES})
"""Facts that are only ever added to: the order of two additions is lost."""


@dataclass(frozen=True)
class Files:
    """What an instruction does to the files of its stage.

    ``writes`` are the places that it puts anything at, whatever its sources hold. ``writes_now``
    are those by what the sources hold at present, where that says more. ``reads`` are places it
    looks at. ``makes`` are the folders that it makes where they are missing, each with the owner
    and mode they get; None: not known.
    ``forces`` says that these folders get that owner and mode even where they are there.
    """

    reads: tuple[Region, ...] = ()
    writes: tuple[Region, ...] = ()
    writes_now: tuple[Region, ...] | None = None
    makes: Mapping[Region, str | None] = field(default_factory=dict)
    forces: bool = False
    access: Access | None = None
    """What somebody says of the files of this very step, where somebody does."""

    @property
    def follows_context(self) -> bool:
        """Whether the places that it writes to at present are those of this build context."""
        return self.writes_now is not None and self.access is None

    @property
    def written(self) -> tuple[Region, ...]:
        """The places it writes to, by all that is known at present."""
        return self.writes if self.writes_now is None else self.writes_now


@dataclass(frozen=True)
class Effects:
    """What one instruction reads and writes.

    ``names_read`` and ``names_written`` are variables, of ENV and ARG alike; None means any of
    them. ``labels`` are the keys that LABEL sets; None means any. ``barrier`` is why nothing is
    known, ``""`` where something is. ``caches`` are the ids of the cache mounts of RUN.
    """

    place: StepPlace
    instruction: Instruction
    reads: frozenset[Fact] = frozenset()
    writes: frozenset[Fact] = frozenset()
    names_read: frozenset[str] | None = frozenset()
    names_written: frozenset[str] | None = frozenset()
    labels: frozenset[str] | None = frozenset()
    files: Files | None = None
    caches: frozenset[str] = frozenset()
    volumes: tuple[Region, ...] = ()
    takes_dockerfile: bool = False
    """Whether the Dockerfile itself is among the files that it copies or mounts."""
    barrier: str = ""

    @property
    def keyword(self) -> str:
        """The instruction's keyword."""
        return self.instruction.keyword

    @property
    def is_config_only(self) -> bool:
        """Whether it changes the image's config and the state of the build, and no file."""
        return self.files is None and not self.barrier


def names_in(*texts: str) -> frozenset[str]:
    """Return every name that stands behind a ``$``: at least those that are filled in."""
    return frozenset(name for text in texts for name in _NAME.findall(text))


def is_shell_form(instruction: Instruction) -> bool:
    """Tell whether the words of a RUN, CMD or ENTRYPOINT are given to the shell."""
    return instruction.keyword in {"RUN", "CMD", "ENTRYPOINT"} and not instruction.exec_form


def user_owns_workdir(family: Family) -> bool:
    """Tell whether a folder that WORKDIR makes belongs to the user in force.

    On BuildKit it does (dispatchWorkdir, WithUser), on the classic builder root owns it (moby
    ``container/container_unix.go`` SetupWorkingDirectory). Of Buildah it is taken to be so.
    """
    return family is not Family.CLASSIC


def volumes_matter(family: Family) -> bool:
    """Tell whether what a RUN writes below a VOLUME is lost: not on BuildKit."""
    return family is not Family.BUILDKIT
