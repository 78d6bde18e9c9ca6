"""From what the RUNs of one stage touched to what may be said of each of them.

Pure. The lists are made short: where no other instruction of the stage touches anything in a
folder, the folder stands for all that was touched in it. That says more than was seen, never less.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bench.orderings.access import Access, AccessSource
from bench.tracing.paths import ancestors, covered, is_below

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from bench.tracing.paths import Links
    from bench.tracing.touching import Touched

ITSELF = "/."
"""The end of a path that stands for a folder or link without what is in it; see `Access`."""
ALWAYS_READ = frozenset({"/etc/passwd", "/etc/group"})
"""The engine looks the user of every RUN up there (runc ``libcontainer/user``)."""
_PATTERN = re.compile(r"[*?\[\\]")


@dataclass(frozen=True)
class RunFacts:
    """One RUN: what it touched, the folder it began in, and the links there were meanwhile."""

    touched: Touched
    cwd: str
    links: Links


@dataclass(frozen=True)
class StageFacts:
    """What is known of a stage: its RUNs by step, and what its other instructions may write.

    ``folders`` were there at the beginning of the stage. ``destinations`` are absolute paths as
    the instructions name them.
    """

    runs: Mapping[int, RunFacts]
    folders: Collection[str] = frozenset()
    destinations: Collection[str] = field(default=())


def conclude(stage: StageFacts) -> dict[int, Access]:
    """Return what each RUN reads and writes."""
    folders = set(stage.folders) | {"/"}
    writes = {step: _written(run) for step, run in stage.runs.items()}
    reads = {step: _read(run, writes[step], folders) for step, run in stage.runs.items()}
    meanings = _meanings(stage)
    found = {}
    for step in stage.runs:
        others = [other for other in stage.runs if other != step]
        foreign = {path for other in others for path in writes[other]}
        foreign |= set(meanings) | {path for paths in meanings.values() for path in paths}
        read_elsewhere = {path for other in others for path in reads[other]}
        written = shorten(writes[step], foreign | read_elsewhere)
        read = shorten(reads[step], foreign)
        found[step] = Access(
            reads=tuple(sorted(_with_names(read, meanings))),
            writes=tuple(sorted(_with_names(written, meanings))),
            source=AccessSource.OBSERVED,
        )
    return found


def _written(run: RunFacts) -> set[str]:
    return _outermost({_plain(path) for path in run.touched.written})


def _read(run: RunFacts, written: set[str], folders: set[str]) -> set[str]:
    """Return what was read, but for what the RUN itself had written: that conflicts already."""
    touched = run.touched
    there = {path for path in touched.found if not covered(path, written)}
    kept_up = {above for path in there | {run.cwd} for above in ancestors(path)} | {run.cwd}
    read = {_plain(path) for path in touched.read | touched.listed | ALWAYS_READ}
    for path in touched.entries:
        # Others may write in a folder without changing what is seen of it, if it is there anyway:
        # from the beginning of the stage, as the working directory, or with a file it must hold.
        is_there = path in folders or path in kept_up or path in run.links.targets
        read.add(_itself(path) if is_there and not _PATTERN.search(path) else _plain(path))
    return _outermost({path for path in read if not covered(path, written)})


def _itself(path: str) -> str:
    return ITSELF if path == "/" else path + ITSELF


def _plain(path: str) -> str:
    """Return the path, or the folder above it where its name would be taken for a pattern."""
    match = _PATTERN.search(path)
    return path if match is None else posixpath.dirname(path[: match.start()] + "x")


def _outermost(paths: set[str]) -> set[str]:
    """Leave out what is in a folder that is named with all that is in it."""
    return {path for path in paths if not any(above in paths for above in ancestors(path))}


def shorten(paths: set[str], foreign: set[str]) -> set[str]:
    """Let a folder stand for several paths in it where nothing ``foreign`` is in or above it."""
    named = {path.removesuffix(ITSELF) or "/" for path in foreign}
    touched = named | {above for path in named for above in ancestors(path)}
    chosen = {path: _folder_for(path, named, touched) for path in paths}
    members: dict[str, int] = {}
    for folder in chosen.values():
        members[folder] = members.get(folder, 0) + 1
    return {
        folder if members[folder] > 1 or folder == path else path for path, folder in chosen.items()
    }


def _folder_for(path: str, named: set[str], touched: set[str]) -> str:
    """Return the outermost folder of ``path`` that nothing foreign touches, else the path."""
    for folder in reversed(ancestors(path)):
        if folder in named:
            break
        if folder not in touched and folder != "/":
            return folder
    return path


def _meanings(stage: StageFacts) -> dict[str, set[str]]:
    """Return every destination with the places it leads to through links."""
    return {
        path: {
            place
            for run in stage.runs.values()
            for place in run.links.resolve(path, follow=True).paths
        }
        or {path}
        for path in stage.destinations
    }


def _with_names(paths: set[str], meanings: Mapping[str, Iterable[str]]) -> set[str]:
    """Add the name by which an instruction calls a place that it shares with ``paths``."""
    named = {
        name
        for name, places in meanings.items()
        for place in places
        if place != name and any(_overlap(path, place) for path in paths)
    }
    return paths | named


def _overlap(path: str, other: str) -> bool:
    return is_below(path, other) or is_below(other, path)
