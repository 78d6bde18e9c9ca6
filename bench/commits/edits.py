"""A weighted change as operations on a scratch copy, so that it can be built for real."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

from bench.changes import Change
from bench.changes.fields import NAME_LENGTH
from bench.changes.paths import resolve_inside
from bench.errors import ChangeError
from bench.scenario.edits import Edit, edit_of, name_fault

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from bench.commits.weights import FileEdit, WeightedChange

_LONGEST_NAME = NAME_LENGTH - 4
_GROWTH = 64
"""How many bytes a file gets that is no text."""
_TEXT = "{id}\n"
_GIT = ".git/"
_HASH_COMMENTS = re.compile(
    r"(?i)(?:\A|/)(?:(?:Docker|Container)file[^/]*|[^/]*\.dockerfile|\.(?:git|docker)ignore)\Z"
)
"""Files whose comments begin with a hash: those that a build itself reads among them."""


def as_changes(weighted: Iterable[WeightedChange], context: Path) -> list[Change]:
    """Return each change as `as_change`, with names of their own."""
    found = []
    names: Counter[str] = Counter()
    for one in weighted:
        change = as_change(one, context)
        names[change.name] += 1
        if names[change.name] > 1:
            renamed = f"{change.name}-{names[change.name]}"
            change = change.model_copy(update={"name": renamed})
        found.append(change)
    return found


def as_change(weighted: WeightedChange, context: Path) -> Change:
    """Return the edits of a weighted change as steps that make new content each time.

    A file of a known kind gets a comment, JSON another description or version, so that the build
    does as before. Files that no such edit is known of are left alone as long as the same steps
    take in another file of the change; else they get a line, or bytes if they are no text. A file
    that is not there any more is written with a comment alone. A link is edited where it leads.

    ``context`` is the folder that the state was read from; it is only read.
    """
    harmless: list[tuple[FileEdit, dict[str, Any]]] = []
    rough: list[tuple[FileEdit, dict[str, Any]]] = []
    for edit in weighted.edits:
        if name_fault(edit.path):
            continue  # no operation can name it
        known, step = _step(edit, context)
        if step is not None:
            (harmless if known else rough).append((edit, step))
    covered = {edit.takers for edit, _ in harmless}
    steps = [step for _, step in harmless]
    for edit, step in rough:
        if edit.takers not in covered and edit.takers:
            covered.add(edit.takers)
            steps.append(step)
    return Change.model_validate(
        {
            "name": _slug(weighted.name),
            "title": weighted.name,
            "weight": float(len(weighted.commits)),
            "steps": tuple(steps) or ({"none": True},),
        }
    )


def _step(edit: FileEdit, context: Path) -> tuple[bool, dict[str, Any] | None]:
    """Return a step, if there is one, and whether the build is surely none the worse for it."""
    if edit.path.startswith(_GIT):
        return True, {"write": f"{_GIT}cachebench", "text": _TEXT}
    if not edit.is_new and _HASH_COMMENTS.search(edit.path):
        return True, {"append": edit.path, "text": "\n# {id}\n"}
    content = b"" if edit.is_new else _content(context, edit.path)
    if content is None:
        return False, None
    found = edit_of(edit.path, content)
    if isinstance(found, Edit):
        step = dict(found.step)
        return True, {"write": edit.path, "text": step["text"]} if edit.is_new else step
    if edit.is_new:
        return False, {"write": edit.path, "text": _TEXT}
    try:
        content.decode()
    except UnicodeDecodeError:
        return False, {"grow": edit.path, "bytes": _GROWTH}
    return False, {"append": edit.path, "text": _TEXT}


def _content(context: Path, path: str) -> bytes | None:
    """Return the content of a file, also through a link; None where there is none inside."""
    try:
        return resolve_inside(context, path).read_bytes()
    except (OSError, ChangeError):
        return None


def _slug(text: str) -> str:
    """Turn a name into one that fits file names and image tags."""
    what = text.partition(" (")[0]
    return re.sub(r"[^a-z0-9]+", "-", what.lower()).strip("-")[:_LONGEST_NAME].strip("-") or "edit"
