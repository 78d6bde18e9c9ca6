"""Put the difference of two selections of context files into words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.cache_model.outcomes import Reason, ReasonKind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.workspace.manifest import Entry

_SHOWN = 3
_KINDS = (
    ReasonKind.FILE_CONTENT,
    ReasonKind.FILE_TYPE,
    ReasonKind.FILE_ADDED,
    ReasonKind.FILE_REMOVED,
    ReasonKind.FILE_MODE,
    ReasonKind.FILE_OWNER,
)
"""Which difference is named as the root cause where there are several: the first of these."""


def file_reason(before: Mapping[str, Entry], after: Mapping[str, Entry]) -> Reason:
    """Return what changed between two selections, as the reason of a miss."""
    found: dict[ReasonKind, list[str]] = {}
    for path in sorted({*before, *after}):
        for kind in _differences(before.get(path), after.get(path)):
            found.setdefault(kind, []).append(path)
    renamed = _renamed(found, before, after)
    kinds = [kind for kind in _KINDS if found.get(kind)]
    if not kinds:
        return Reason(ReasonKind.UNKNOWN, "the files it copies differ in something not seen here")
    words = [_words(kind, found[kind], before, after) for kind in kinds if found[kind]]
    if renamed:
        words = [f"{old} was renamed to {new}" for old, new in renamed] + [
            _words(kind, rest, before, after)
            for kind in kinds
            if (rest := _without(found[kind], kind, renamed))
        ]
    paths = dict.fromkeys(path for kind in kinds for path in found[kind])
    return Reason(kinds[0], "; ".join(words), paths=tuple(paths))


def _differences(before: Entry | None, after: Entry | None) -> list[ReasonKind]:
    if before is None:
        return [ReasonKind.FILE_ADDED]
    if after is None:
        return [ReasonKind.FILE_REMOVED]
    if before.type != after.type:
        return [ReasonKind.FILE_TYPE]
    kinds = {
        ReasonKind.FILE_CONTENT: (before.sha256, before.link_target)
        != (after.sha256, after.link_target),
        ReasonKind.FILE_MODE: before.mode != after.mode and before.type != "symlink",
        ReasonKind.FILE_OWNER: (before.uid, before.gid) != (after.uid, after.gid),
    }
    return [kind for kind, differs in kinds.items() if differs]


def _renamed(
    found: Mapping[ReasonKind, Sequence[str]],
    before: Mapping[str, Entry],
    after: Mapping[str, Entry],
) -> list[tuple[str, str]]:
    """Return the files that stand under another name now, content and mode the same."""
    gone = {
        (before[path].sha256, before[path].mode): path
        for path in found.get(ReasonKind.FILE_REMOVED, ())
        if before[path].type == "file"
    }
    pairs = []
    for path in found.get(ReasonKind.FILE_ADDED, ()):
        old = gone.pop((after[path].sha256, after[path].mode), None)
        if old is not None:
            pairs.append((old, path))
    return pairs


def _without(
    paths: Sequence[str], kind: ReasonKind, renamed: Sequence[tuple[str, str]]
) -> list[str]:
    side = {ReasonKind.FILE_REMOVED: 0, ReasonKind.FILE_ADDED: 1}.get(kind)
    hidden = set() if side is None else {pair[side] for pair in renamed}
    return [path for path in paths if path not in hidden]


def _words(
    kind: ReasonKind,
    paths: Sequence[str],
    before: Mapping[str, Entry],
    after: Mapping[str, Entry],
) -> str:
    single = len(paths) == 1
    names = listed(paths)
    if kind is ReasonKind.FILE_ADDED:
        return f"{names} {'was' if single else 'were'} added"
    if kind is ReasonKind.FILE_REMOVED:
        return f"{names} {'was' if single else 'were'} removed"
    if kind is ReasonKind.FILE_TYPE:
        return f"{names} {'is' if single else 'are'} of another type now"
    if kind is ReasonKind.FILE_MODE:
        if single:
            old, new = before[paths[0]].mode, after[paths[0]].mode
            return f"the mode of {names} changed from {old:o} to {new:o}"
        return f"the modes of {names} changed"
    if kind is ReasonKind.FILE_OWNER:
        return f"the owner of {names} changed"
    return f"{names} changed"


def listed(paths: Sequence[str]) -> str:
    """Name the first few of many paths and count the rest."""
    if len(paths) > _SHOWN + 1:
        return f"{', '.join(paths[:_SHOWN])} and {len(paths) - _SHOWN} more files"
    *most, last = paths
    return f"{', '.join(most)} and {last}" if most else last
