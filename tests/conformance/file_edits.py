"""Changes of a build context by chance."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tests.conformance.case import IGNORE_FILE, File, Kind, directory

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

Files = dict[str, File]
_EVERY: tuple[Kind, ...] = ("file", "dir", "link", "tar")


def _of_kind(files: Files, *kinds: Kind) -> list[str]:
    return sorted(path for path, one in files.items() if one.kind in kinds and path != IGNORE_FILE)


def _draw(random: Random, paths: list[str]) -> str | None:
    return paths[random.randrange(len(paths))] if paths else None


def _edit_one(
    random: Random, files: Files, kinds: tuple[Kind, ...], edit: Callable[[File], File]
) -> Files | None:
    path = _draw(random, _of_kind(files, *kinds))
    if path is None:
        return None
    files[path] = edit(files[path])
    return files


def content(random: Random, files: Files) -> Files | None:
    """Change what a file holds, and its size."""
    path = _draw(random, _of_kind(files, "file", "tar"))
    if path is None:
        return None
    old = files[path]
    files[path] = replace(old, content=old.content + f"more {random.randrange(9)}\n")
    return files


def same_size(random: Random, files: Files) -> Files | None:
    """Change what a file holds, not its size."""
    path = _draw(random, _of_kind(files, "file"))
    if path is None or not files[path].content:
        return None
    old = files[path].content
    first = chr(ord("a") + random.randrange(26))
    files[path] = replace(files[path], content=first + old[1:])
    return files


def mtime(random: Random, files: Files) -> Files | None:
    """Touch a path."""
    when = 1_600_000_000 + random.randrange(1, 1000)
    return _edit_one(random, files, _EVERY, lambda one: replace(one, mtime=when))


def all_mtimes(random: Random, files: Files) -> Files:
    """Touch everything, like a fresh checkout."""
    when = 1_600_000_000 + random.randrange(1, 1000)
    return {path: replace(one, mtime=when) for path, one in files.items()}


def file_mode(random: Random, files: Files) -> Files | None:
    """Change the mode of a file."""
    mode = (0o600, 0o644, 0o664, 0o755, 0o4755)[random.randrange(5)]
    return _edit_one(random, files, ("file", "tar"), lambda one: replace(one, mode=mode))


def directory_mode(random: Random, files: Files) -> Files | None:
    """Change the mode of a directory."""
    mode = (0o700, 0o755, 0o775, 0o1777)[random.randrange(4)]
    return _edit_one(random, files, ("dir",), lambda one: replace(one, mode=mode))


def owner(random: Random, files: Files) -> Files | None:
    """Change the owner of a path."""
    uid, gid = random.randrange(3) * 500, random.randrange(3) * 500
    return _edit_one(random, files, _EVERY, lambda one: replace(one, uid=uid, gid=gid))


def link_target(random: Random, files: Files) -> Files | None:
    """Let a link point elsewhere."""
    target = ("a.txt", "b.txt", "src", "nowhere", "a.c", "b.c")[random.randrange(6)]
    return _edit_one(random, files, ("link",), lambda one: replace(one, content=target))


def rename(random: Random, files: Files) -> Files | None:
    """Rename a path, a directory with all that is in it."""
    path = _draw(random, [one for one in sorted(files) if one != IGNORE_FILE])
    if path is None:
        return None
    new = path + "2"
    if new in files:
        return None
    moved = {one: file for one, file in files.items() if one == path or one.startswith(path + "/")}
    rest = {one: file for one, file in files.items() if one not in moved}
    return {**rest, **{new + one[len(path) :]: file for one, file in moved.items()}}


def added(random: Random, files: Files) -> Files | None:
    """Add a file somewhere."""
    folder = _draw(random, ["", *_of_kind(files, "dir")]) or ""
    name = ("new.txt", "b.c", "z", "a.md")[random.randrange(4)]
    path = f"{folder}/{name}" if folder else name
    if path in files:
        return None
    files[path] = File(content="new\n")
    return files


def removed(random: Random, files: Files) -> Files | None:
    """Remove a path, a directory with all that is in it."""
    path = _draw(random, [one for one in sorted(files) if one != IGNORE_FILE])
    return {
        one: file
        for one, file in files.items()
        if path is None or (one != path and not one.startswith(path + "/"))
    }


def empty_directory(random: Random, files: Files) -> Files | None:
    """Add an empty directory somewhere."""
    folder = _draw(random, ["", *_of_kind(files, "dir")]) or ""
    path = f"{folder}/void" if folder else "void"
    if path in files:
        return None
    files[path] = directory()
    return files


def kind(random: Random, files: Files) -> Files | None:
    """Turn a file into a link, a link into a file."""
    path = _draw(random, _of_kind(files, "file", "link"))
    if path is None:
        return None
    is_link = files[path].kind == "link"
    files[path] = File(content="was a link\n") if is_link else File("link", "a.txt", 0o777)
    return None if path == "a.txt" else files


FILE_EDITS: dict[str, Callable[[Random, Files], Files | None]] = {
    "content": content,
    "same-size content": same_size,
    "mtime": mtime,
    "all mtimes": all_mtimes,
    "file mode": file_mode,
    "directory mode": directory_mode,
    "owner": owner,
    "link target": link_target,
    "rename": rename,
    "file added": added,
    "file removed": removed,
    "empty directory added": empty_directory,
    "type": kind,
}
