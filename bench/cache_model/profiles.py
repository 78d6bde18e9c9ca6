"""Builders by the rules they follow: the rules changed between versions.

Each field says where its rule comes from. Engine versions to BuildKit versions: Engine 20.10 holds
BuildKit 0.8, 23.0 holds 0.10, 24.0 holds 0.11, 28.x holds 0.20 to 0.25 (moby ``vendor.mod``).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import StrEnum

from bench.errors import UsageError


class Family(StrEnum):
    """The three ways of caching."""

    CLASSIC = "classic"
    BUILDKIT = "buildkit"
    BUILDAH = "buildah"


@dataclass(frozen=True)
class Profile:
    """The rules of one builder in one range of versions."""

    name: str
    family: Family
    title: str
    owner_is_content: bool = True
    """Whether uid and gid enter the content hash. BuildKit before 0.11 left them out (moby/buildkit
    commit f84058eb1 ``cache/contenthash``: fix uid/gid)."""
    link_is_merge: bool = False
    """Whether ``COPY --link`` is a copy of its own merged with what stood before. It needs
    BuildKit's MergeOp, which the engine offers with the containerd image store alone (moby
    ``builder/builder-next/controller.go``)."""
    understands_link: bool = False
    """BuildKit 0.10 and later (Dockerfile syntax 1.4)."""
    understands_heredocs: bool = False
    """BuildKit 0.10 and later (Dockerfile syntax 1.4)."""
    lists_wildcard_files: bool = False
    """Whether a directory that a wildcard matches counts file by file (moby/buildkit
    ``cache/contenthash/checksum.go`` includedPaths, 0.9 and later) instead of as a whole."""
    epoch_in_workdir: bool = False
    """Whether the build argument SOURCE_DATE_EPOCH is part of WORKDIR (moby/buildkit
    ``dockerfile2llb/convert.go`` dispatchWorkdir, 0.11 and later)."""
    cleans_workdir: bool = False
    """Whether an absolute WORKDIR is cleaned, so that ``/a/`` is ``/a``: the classic builder since
    Engine 26 (moby ``builder/dockerfile/dispatchers_unix.go``). BuildKit keeps it as written for
    RUN (moby/buildkit ``util/system/path.go`` NormalizePath) and cleans it for the folder it
    makes."""
    keeps_dot_of_destination: bool = False
    """Whether the destination ``/a/.`` is another one than ``/a``: since BuildKit 0.12
    (``dockerfile2llb/convert.go`` pathRelativeToWorkingDir)."""
    cache_id_in_key: bool = False
    """Whether the id and sharing of a cache mount enter RUN's key: until BuildKit 0.13
    (moby/buildkit ``solver/llbsolver/ops/exec.go`` checkShouldClearCacheOpts)."""
    own_mount_is_content: bool = False
    """Whether a RUN that mounts the very state it stands on counts that state by its files: since
    BuildKit 0.13 (``solver/llbsolver/ops/exec.go`` getMountDeps)."""


CLASSIC_20 = Profile("classic-20.10", Family.CLASSIC, "classic builder, Engine 20.10 to 25.0.1")
CLASSIC_25 = replace(
    CLASSIC_20, name="classic-25.0.2", title="classic builder, Engine 25.0.2 to 25.0.x"
)
CLASSIC_26 = replace(
    CLASSIC_25,
    name="classic-26",
    title="classic builder, Engine 26 and later",
    cleans_workdir=True,
)
BUILDKIT_08 = Profile(
    "buildkit-0.8",
    Family.BUILDKIT,
    "BuildKit 0.8 (Engine 20.10)",
    owner_is_content=False,
    cache_id_in_key=True,
)
BUILDKIT_010 = Profile(
    "buildkit-0.10",
    Family.BUILDKIT,
    "BuildKit 0.10 (Engine 23)",
    owner_is_content=False,
    cache_id_in_key=True,
    understands_link=True,
    understands_heredocs=True,
    lists_wildcard_files=True,
)
BUILDKIT_011 = replace(
    BUILDKIT_010,
    name="buildkit-0.11",
    title="BuildKit 0.11 (Engine 24)",
    owner_is_content=True,
    epoch_in_workdir=True,
)
BUILDKIT_012 = replace(
    BUILDKIT_011,
    name="buildkit-0.12",
    title="BuildKit 0.12 (Engine 25)",
    keeps_dot_of_destination=True,
)
BUILDKIT_28 = Profile(
    "buildkit-28",
    Family.BUILDKIT,
    "BuildKit of Engine 26 to 28 with a graph driver",
    understands_link=True,
    understands_heredocs=True,
    lists_wildcard_files=True,
    epoch_in_workdir=True,
    own_mount_is_content=True,
    keeps_dot_of_destination=True,
)
BUILDKIT_28_CONTAINERD = replace(
    BUILDKIT_28,
    name="buildkit-28-containerd",
    title="BuildKit of Engine 26 to 28 with the containerd image store",
    link_is_merge=True,
)
BUILDAH = Profile("buildah", Family.BUILDAH, "buildah build --layers")

PROFILES = {
    profile.name: profile
    for profile in (
        CLASSIC_20,
        CLASSIC_25,
        CLASSIC_26,
        BUILDKIT_08,
        BUILDKIT_010,
        BUILDKIT_011,
        BUILDKIT_012,
        BUILDKIT_28,
        BUILDKIT_28_CONTAINERD,
        BUILDAH,
    )
}
DEFAULT_PROFILES = {"classic": CLASSIC_26, "buildkit": BUILDKIT_28, "buildah": BUILDAH}
"""What is assumed of a builder where no engine says its version."""


def find_profile(name: str) -> Profile:
    """Return the profile called ``name``; a builder's name means its newest.

    Raises:
        UsageError: there is none of that name.

    """
    profile = PROFILES.get(name) or DEFAULT_PROFILES.get(name)
    if profile is None:
        raise UsageError(
            f"there is no builder profile {name!r}",
            remedy=f"choose one of {', '.join([*DEFAULT_PROFILES, *PROFILES])}",
        )
    return profile


def profile_of(builder: str, engine_version: str, image_store: str) -> Profile:
    """Return the rules that ``builder`` follows in an engine.

    ``engine_version`` is what the engine calls itself (``28.5.2+dfsg4``), ``image_store`` is
    ``graphdriver`` or ``containerd``. An engine between two known ones gets the nearest rules.

    Raises:
        UsageError: there is no such builder.

    """
    version = tuple(int(part) for part in re.findall(r"\d+", engine_version)[:3])
    if builder == Family.CLASSIC:
        if version >= (26,):
            return CLASSIC_26
        return CLASSIC_25 if version >= (25, 0, 2) else CLASSIC_20
    if builder != Family.BUILDKIT:
        return find_profile(builder)
    first = {(26,): BUILDKIT_28, (25,): BUILDKIT_012, (24,): BUILDKIT_011, (23,): BUILDKIT_010}
    profile = next((one for since, one in first.items() if version >= since), BUILDKIT_08)
    if image_store != "containerd":
        return profile
    if profile is BUILDKIT_28:
        return BUILDKIT_28_CONTAINERD
    return replace(profile, name=f"{profile.name}-containerd", link_is_merge=True)
