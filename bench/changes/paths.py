"""Paths that a change names: relative, and never leading out of the scratch copy."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from bench.errors import ChangeError


def path_fault(relative: str) -> str:
    """Say why ``relative`` cannot name something inside a tree; "" where its spelling is fine.

    Only the text is judged, so this works without the tree.
    """
    if not relative.strip():
        return "is empty"
    if "\0" in relative:
        return "holds a NUL character"
    path = PurePosixPath(relative)
    if path.is_absolute():
        return "is absolute"
    if ".." in path.parts:
        return "climbs out with '..'"
    if not path.parts:
        return "names the whole context"
    return ""


def resolve_inside(root: Path, relative: str) -> Path:
    """Return where ``relative`` really is inside ``root``; it need not exist.

    Symlinks are followed, the last component too, so the result is where a write would land.

    Raises:
        ChangeError: the path is absolute, climbs, or a symlink on it leads out of ``root``.

    """
    _refuse(relative, path_fault(relative))
    real_root = root.resolve()
    try:
        real = (real_root / relative).resolve()
    except (OSError, RuntimeError, ValueError) as error:
        # A loop of symlinks, a name too long, or text that no file name can hold.
        raise ChangeError(
            f"{relative!r} cannot be followed: {error}", remedy="name a plain path in the context"
        ) from error
    if not real.is_relative_to(real_root):
        _refuse(relative, "leads out of the context through a symlink")
    if real == real_root:
        _refuse(relative, "names the whole context")
    return real


def entry_inside(root: Path, relative: str) -> Path:
    """Return the directory entry ``relative``, not following a symlink in its last component.

    For operations on the entry itself (delete, rename, copy). A symlink that leads out is refused
    here too, so that no operation depends on what lies outside.

    Raises:
        ChangeError: as `resolve_inside`.

    """
    resolve_inside(root, relative)
    path = PurePosixPath(relative)
    if len(path.parts) == 1:
        return root.resolve() / path.name
    return resolve_inside(root, str(path.parent)) / path.name


def _refuse(relative: str, fault: str) -> None:
    if fault:
        raise ChangeError(
            f"path {relative!r} {fault}",
            remedy="give a path relative to the context that stays inside it",
        )
