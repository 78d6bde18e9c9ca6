"""One operation at work: its change, the state it alters and the ids of this application."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.changes.paths import entry_inside, resolve_inside
from bench.changes.placeholders import ChangeIds, fill
from bench.errors import ChangeError

if TYPE_CHECKING:
    from pathlib import Path

    from bench.changes.state import SourceState


@dataclass(frozen=True)
class Work:
    """What an operation is given beside its own fields."""

    state: SourceState
    ids: ChangeIds

    def fill(self, text: str) -> str:
        """Return ``text`` with the placeholders filled in."""
        return fill(text, self.ids)

    def file(self, relative: str) -> Path:
        """Return the regular file at a path of the context, symlinks inside followed.

        Raises:
            ChangeError: it leads out, is not there, or is no regular file.

        """
        path = self.fill(relative)
        file = resolve_inside(self.state.root, path)
        if not file.is_file():
            kind = "is a folder" if file.is_dir() else "is no regular file"
            message = kind if file.exists() else "does not exist in the context"
            raise ChangeError(f"{path!r} {message}", remedy="name a file of the context")
        return file

    def existing(self, relative: str) -> Path:
        """Return a file or folder of the context, symlinks inside followed.

        Raises:
            ChangeError: it leads out, or is not there.

        """
        path = self.fill(relative)
        found = resolve_inside(self.state.root, path)
        if not found.exists():
            raise _missing(path)
        return found

    def entry(self, relative: str) -> Path:
        """Return an entry of the context; a symlink in the last place is the link itself.

        Raises:
            ChangeError: it leads out, or is not there.

        """
        path = self.fill(relative)
        found = entry_inside(self.state.root, path)
        if not found.exists() and not found.is_symlink():
            raise _missing(path)
        return found

    def vacancy(self, relative: str) -> Path:
        """Return a path of the context where nothing is yet; its folder is made.

        Raises:
            ChangeError: it leads out, or something is there.

        """
        path = self.fill(relative)
        found = entry_inside(self.state.root, path)
        if found.exists() or found.is_symlink():
            raise ChangeError(
                f"{path!r} is already there",
                remedy="name a path where nothing is, or delete it in an earlier step",
            )
        found.parent.mkdir(parents=True, exist_ok=True)
        return found


def _missing(path: str) -> ChangeError:
    return ChangeError(
        f"{path!r} does not exist in the context", remedy="name something that is there"
    )


def nothing_changed(what: str, remedy: str) -> ChangeError:
    """Make the error of an operation that would leave everything as it is."""
    return ChangeError(f"changes nothing: {what}", remedy=remedy)
