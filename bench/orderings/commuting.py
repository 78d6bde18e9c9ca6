"""Whether two instructions of a stage may change places, on what condition, and if not, why.

They may where nothing that one writes is read or written by the other: then no other instruction
can tell which of them came first (the theory of traces: Mazurkiewicz, 1977). What "nothing" rests
on beyond the text of the Dockerfile is an obligation.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from bench.cache_model.profiles import Family
from bench.orderings.access import AccessSource
from bench.orderings.effects import SETS, Fact

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from bench.orderings.effects import Effects, Files
    from bench.orderings.regions import Region

_LONGEST = 40


class ConflictKind(StrEnum):
    """What two instructions that may not change places have in common."""

    UNKNOWN = "not understood"
    VARIABLE = "variable"
    STATE = "working directory, user, shell"
    CONFIG = "same setting"
    FILES = "files"
    RUN = "files of a RUN"


class ObligationKind(StrEnum):
    """What a change of places relies on."""

    ENV_ORDER = "order of variables"
    LINKS = "links"
    FOLDERS = "folders"
    CONTEXT = "build context"
    ACCESS = "access of a RUN"
    DOCKERFILE = "copied Dockerfile"


@dataclass(frozen=True)
class Premise:
    """A condition under which two instructions commute."""

    kind: ObligationKind
    text: str


@dataclass(frozen=True)
class Finding:
    """What came out for two instructions: a reason to keep their order, or premises."""

    kind: ConflictKind | None = None
    why: str = ""
    premises: tuple[Premise, ...] = ()

    @property
    def commute(self) -> bool:
        """Whether they may change places."""
        return self.kind is None


@dataclass(frozen=True)
class Surroundings:
    """What is known of the stage that two instructions stand in.

    ``has_links`` says whether something may have put links there that no instruction shows: a base
    image, or a RUN. ``is_there`` tells whether a folder certainly is there before both of them.
    ``knows_directory`` says that the folder in which the stage begins is known to be there.
    """

    family: Family
    has_links: bool
    is_there: Callable[[Region], bool]
    usual_folders: bool
    knows_directory: bool


@dataclass
class _Found:
    premises: dict[Premise, None] = field(default_factory=dict)

    def rely(self, kind: ObligationKind, text: str) -> None:
        self.premises[Premise(kind, text)] = None


class _Conflict(Exception):  # noqa: N818 - it carries a result, no error
    def __init__(self, kind: ConflictKind, why: str) -> None:
        super().__init__(why)
        self.kind = kind
        self.why = why


def compare(first: Effects, second: Effects, around: Surroundings) -> Finding:
    """Tell whether ``first`` and ``second``, which stand in this order, may change places."""
    found = _Found()
    try:
        _understood(first, second)
        _variables(first, second, found)
        _facts(first, second)
        _labels(first, second)
        _empty_cmd(first, second, around.family)
        _volumes(first, second, around.family)
        _caches(first, second)
        _files(first, second, around, found)
        _containers(first, second, around, found)
    except _Conflict as conflict:
        return Finding(conflict.kind, conflict.why)
    return Finding(premises=tuple(found.premises))


def named(effects: Effects) -> str:
    """Return an instruction's text, shortened."""
    text = effects.instruction.text
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1].rstrip()}…"


def _understood(first: Effects, second: Effects) -> None:
    for one in (first, second):
        if one.barrier:
            raise _Conflict(ConflictKind.UNKNOWN, f"{named(one)}: {one.barrier}")


def _variables(first: Effects, second: Effects, found: _Found) -> None:
    for reader, writer in ((second, first), (first, second)):
        shared = _shared(reader.names_read, writer.names_written)
        if shared and reader.keyword == "RUN":
            raise _Conflict(ConflictKind.VARIABLE, f"a RUN sees every variable, {shared} too")
        if shared:
            raise _Conflict(
                ConflictKind.VARIABLE, f"{named(reader)} uses {shared}, which {writer.keyword} sets"
            )
    twice = _shared(first.names_written, second.names_written)
    if twice:
        raise _Conflict(ConflictKind.VARIABLE, f"both set {twice}")
    if first.names_written != frozenset() and second.names_written != frozenset():
        found.rely(
            ObligationKind.ENV_ORDER,
            "no program depends on the order in which variables stand in its environment",
        )


def _shared(some: frozenset[str] | None, others: frozenset[str] | None) -> str:
    """Return the names in both as text, ``""`` if there are none; None stands for any name."""
    if some == frozenset() or others == frozenset():
        return ""
    if some is None:
        return ", ".join(sorted(others)) if others is not None else "any name"
    if others is None:
        return ", ".join(sorted(some))
    return ", ".join(sorted(some & others))


def _facts(first: Effects, second: Effects) -> None:
    for reader, writer in ((second, first), (first, second)):
        for fact in sorted(reader.reads & writer.writes):
            kind = ConflictKind.STATE
            if fact is Fact.VOLUMES:
                why = "what a RUN writes below a volume is lost on this builder"
            elif fact is Fact.USER and reader.keyword == "WORKDIR":
                why = "a folder that WORKDIR makes belongs to the user in force"
            else:
                why = f"{named(reader)} depends on {fact}, which {writer.keyword} sets"
            raise _Conflict(kind, why)
    for fact in sorted(first.writes & second.writes - SETS):
        kind = ConflictKind.STATE if fact in _STATE else ConflictKind.CONFIG
        why = (
            "the triggers run in the order in which they stand"
            if fact is Fact.ONBUILD
            else f"both set {fact}: the later one counts"
        )
        raise _Conflict(kind, why)


_STATE = frozenset({Fact.WORKDIR, Fact.USER, Fact.SHELL})


def _labels(first: Effects, second: Effects) -> None:
    if "LABEL" in {first.keyword, second.keyword}:
        twice = _shared(first.labels, second.labels)
        if twice:
            raise _Conflict(ConflictKind.CONFIG, f"both set the label {twice}")


def _empty_cmd(first: Effects, second: Effects, family: Family) -> None:
    """Keep ``CMD []`` and ENTRYPOINT in order where the first counts as no CMD at all.

    An ENTRYPOINT clears a CMD that was not set in the stage; an empty one does not count as set on
    the classic builder (moby ``builder/dockerfile/dispatchers.go`` dispatchCmd).
    """
    if family is Family.BUILDKIT:
        return
    by_keyword = {first.keyword: first, second.keyword: second}
    if by_keyword.keys() == {"CMD", "ENTRYPOINT"} and not by_keyword["CMD"].instruction.arguments:
        raise _Conflict(ConflictKind.CONFIG, "an ENTRYPOINT clears a CMD that is empty")


def _volumes(first: Effects, second: Effects, family: Family) -> None:
    """Keep a VOLUME and what is put below it in order, where volumes are mounted at build time."""
    if family is Family.BUILDKIT:
        return
    for volume, other in ((first, second), (second, first)):
        if not volume.volumes or other.files is None:
            continue
        touched = [*other.files.writes, *other.files.makes]
        for region in volume.volumes:
            if any(region.covers(one) for one in touched):
                why = f"{named(other)} puts something at or below the volume {region.shown}"
                raise _Conflict(ConflictKind.FILES, why)


def _caches(first: Effects, second: Effects) -> None:
    shared = first.caches & second.caches
    if shared:
        raise _Conflict(ConflictKind.RUN, f"both use the cache mount {', '.join(sorted(shared))}")


def _files(first: Effects, second: Effects, around: Surroundings, found: _Found) -> None:
    if first.files is None or second.files is None:
        return
    _unknown_runs(first, second)
    for writer, other in ((first, second), (second, first)):
        _written(writer, other, found)
        _made(writer, other, around, found)
    _made_alike(first, second, around, found)
    for one in (first, second):
        if one.keyword == "RUN":
            found.rely(ObligationKind.ACCESS, _access_text(one))
    if around.has_links and _touched(first.files) and _touched(second.files):
        found.rely(
            ObligationKind.LINKS,
            "no link in the base image, or made by a RUN above, leads from a place that one of "
            f"{named(first)} and {named(second)} writes to a place that the other one uses",
        )


def _unknown_runs(first: Effects, second: Effects) -> None:
    unknown = [
        one
        for one in (first, second)
        if one.keyword == "RUN" and one.files is not None and one.files.access is None
    ]
    if len(unknown) == 2:
        raise _Conflict(ConflictKind.RUN, "the later RUN may use whatever the earlier one writes")
    for one in unknown:
        other = second if one is first else first
        why = f"{named(one)} may read or write whatever {named(other)} writes"
        raise _Conflict(ConflictKind.RUN, why)


def _touched(files: Files) -> bool:
    return bool(files.writes or files.makes)


def _access_text(one: Effects) -> str:
    access = one.files.access if one.files is not None else None
    declared = access is None or access.source is AccessSource.DECLARED
    source = "the scenario declares" if declared else "were seen in a real build"
    if one.keyword == "RUN":
        return f"{named(one)} depends on and changes nothing but the files that {source}"
    return f"{named(one)} writes nothing but the files that {source}"


def _written(writer: Effects, other: Effects, found: _Found) -> None:
    """Hold what ``writer`` puts into the image against what ``other`` reads and writes."""
    assert writer.files is not None and other.files is not None  # noqa: S101, PT018 - see _files
    mine, theirs = writer.files, other.files
    if _clash(mine.writes, (*theirs.reads, *theirs.writes)) is None:
        return
    clash = _clash(mine.written, (*theirs.reads, *theirs.written))
    if clash is not None:
        raise _Conflict(_kind(writer, other), _clash_text(writer, other, *clash))
    if mine.follows_context or theirs.follows_context:
        found.rely(ObligationKind.CONTEXT, _apart(writer, other))
    for one in (writer, other):
        if one.keyword != "RUN" and one.files is not None and one.files.access is not None:
            found.rely(ObligationKind.ACCESS, _access_text(one))


def _kind(first: Effects, second: Effects) -> ConflictKind:
    has_run = "RUN" in {first.keyword, second.keyword}
    return ConflictKind.RUN if has_run else ConflictKind.FILES


def _apart(first: Effects, second: Effects) -> str:
    one, other = sorted((first, second), key=lambda effects: effects.place.step)
    return (
        f"{named(one)} and {named(other)} have no place in common: true of the build context as "
        "it is"
    )


def _clash(some: Iterable[Region], others: Iterable[Region]) -> tuple[Region, Region] | None:
    return next(((one, other) for one in some for other in others if one.overlaps(other)), None)


def _clash_text(writer: Effects, other: Effects, mine: Region, theirs: Region) -> str:
    if mine.root != theirs.root:
        unknown = mine if mine.root else theirs
        return f"{unknown.shown} is not known, so both may mean one place"
    where = theirs.shown if mine.covers(theirs) else mine.shown
    return f"{named(writer)} writes {where}, which {named(other)} uses too"


def _made(maker: Effects, other: Effects, around: Surroundings, found: _Found) -> None:
    """Hold the folders that ``maker`` makes where they are missing against the other's files."""
    assert maker.files is not None and other.files is not None  # noqa: S101, PT018 - see _files
    theirs = other.files
    # What COPY needs above its target, and that itself, is among the folders that it makes.
    above = (*theirs.reads, *theirs.writes) if other.keyword == "RUN" else ()
    for folder in maker.files.makes:
        if any(folder.covers(one) for one in above) or any(
            one.covers(folder) for one in theirs.reads
        ):
            _settle(maker, other, folder, around, found)
        elif folder not in theirs.makes and any(one.covers(folder) for one in theirs.writes):
            if any(one.covers(folder) for one in theirs.written):
                _settle(maker, other, folder, around, found)
            else:
                found.rely(ObligationKind.CONTEXT, _apart(maker, other))


def _made_alike(first: Effects, second: Effects, around: Surroundings, found: _Found) -> None:
    """Refuse two ways of making one folder: the earlier one decides how it looks."""
    assert first.files is not None and second.files is not None  # noqa: S101, PT018 - see _files
    for folder, looks in first.files.makes.items():
        for other, others in second.files.makes.items():
            if folder.may_be(other) and (looks is None or looks != others):
                _settle(first, second, folder, around, found)


def _settle(
    maker: Effects, other: Effects, folder: Region, around: Surroundings, found: _Found
) -> None:
    """Accept a folder that is there before both instructions; refuse any other."""
    forced = any(one.files is not None and one.files.forces for one in (maker, other))
    if around.is_there(folder) and not forced:
        return
    if around.usual_folders and not forced and folder.shown.strip("/") in USUAL_FOLDERS:
        found.rely(ObligationKind.FOLDERS, f"the base image has the folder {folder.shown}")
        return
    raise _Conflict(
        _kind(maker, other),
        f"both may make the folder {folder.shown}, and the first decides whose it is",
    )


USUAL_FOLDERS = frozenset(
    {
        *("bin", "dev", "etc", "home", "lib", "opt", "root", "sbin", "srv", "tmp", "usr", "var"),
        *("usr/bin", "usr/lib", "usr/local", "usr/local/bin", "usr/local/lib", "usr/local/share"),
        *("usr/sbin", "usr/share", "usr/src", "var/cache", "var/lib", "var/log", "var/tmp"),
    }
)
"""Folders that every distribution's image has (the Filesystem Hierarchy Standard, 3.0)."""


def _containers(first: Effects, second: Effects, around: Surroundings, found: _Found) -> None:
    """Note what the container of an instruction does to files.

    With a container comes the working directory, if that is missing (moby ``daemon/create_unix.go``
    createContainerOSSpecificSettings). It is missing only where a RUN removed it or the base image
    never had it. BuildKit makes one for RUN, the classic builder for all but COPY and ADD.
    """
    buildkit = around.family is Family.BUILDKIT
    for one, other in ((first, second), (second, first)):
        has_container = one.keyword == "RUN" or (one.is_config_only and not buildkit)
        if not has_container or other.files is None:
            continue
        if other.keyword == "RUN":
            if one.is_config_only:
                found.rely(
                    ObligationKind.FOLDERS,
                    f"{named(other)} does not remove the working directory: the classic builder "
                    "makes it again with the next instruction",
                )
        elif not around.knows_directory and _minds(other):
            found.rely(
                ObligationKind.FOLDERS,
                "the working directory that the base image names is there",
            )


def _minds(other: Effects) -> bool:
    """Tell whether it may matter to an instruction that the working directory is made first."""
    if other.keyword == "WORKDIR":
        return True  # from then on it is another one
    files = other.files
    return files is not None and any(looks != "0:0 755" for looks in files.makes.values())
