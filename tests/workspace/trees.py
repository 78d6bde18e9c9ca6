"""Random build contexts and random changes to them."""

from __future__ import annotations

import errno
import os
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path

from hypothesis import strategies as st

from bench.workspace.tree import walk

NAMES = st.sampled_from(
    [
        "a",
        "b",
        "c.txt",
        "a b",
        "z-1",
        "long-" + "x" * 120,
        "한글",
        "caf\u00e9",
        "not-utf8-\udcff\udc80",
        "Makefile",
        "..",
        "dir.d",
    ]
).filter(lambda name: name != "..")
PATHS = st.lists(NAMES, min_size=1, max_size=4).map("/".join)
MODES = st.sampled_from([0o644, 0o755, 0o600, 0o400, 0o777, 0o4755])
CONTENT = st.binary(max_size=40)
TIMES = st.integers(min_value=0, max_value=2**33 * 10**9)


@dataclass(frozen=True)
class Action:
    """One thing done to a path: what, and with which values."""

    what: str
    path: str
    content: bytes
    mode: int
    mtime_ns: int
    other: str


def actions(what: list[str]) -> st.SearchStrategy[list[Action]]:
    """Lists of actions of the given kinds."""
    one = st.builds(Action, st.sampled_from(what), PATHS, CONTENT, MODES, TIMES, PATHS)
    return st.lists(one, max_size=12)


TREES = actions(["write", "directory", "symlink", "chmod", "touch"])
MUTATIONS = actions(
    [
        "write",
        "append",
        "directory",
        "symlink",
        "hardlink",
        "chmod",
        "touch",
        "delete",
        "rename",
        "sneak",
    ]
)


def perform(root: Path, todo: list[Action]) -> None:
    """Do all actions below ``root``; those that make no sense there do nothing."""
    for action in todo:
        try:
            _ACTIONS[action.what](root, root / action.path, action)
        except (FileExistsError, NotADirectoryError, FileNotFoundError, IsADirectoryError):
            continue
        except OSError as error:
            if error.errno != errno.ELOOP:
                raise


def _inside(root: Path, path: Path) -> bool:
    """Whether the path's folder is really below ``root`` (a link may lead elsewhere)."""
    return Path(os.path.realpath(path.parent)).is_relative_to(os.path.realpath(root))


def _write(root: Path, path: Path, action: Action) -> None:
    if not _inside(root, path) or path.is_symlink():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(action.content)
    path.chmod(action.mode)
    os.utime(path, ns=(action.mtime_ns, action.mtime_ns))


def _append(root: Path, path: Path, action: Action) -> None:
    if _inside(root, path) and path.is_file() and not path.is_symlink():
        with path.open("ab") as file:
            file.write(action.content)


def _directory(root: Path, path: Path, action: Action) -> None:
    if _inside(root, path):
        path.mkdir(parents=True)
        path.chmod(action.mode | 0o700)


def _symlink(root: Path, path: Path, action: Action) -> None:
    if _inside(root, path):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(action.other)


def _hardlink(root: Path, path: Path, action: Action) -> None:
    target = root / action.other
    if _inside(root, path) and _inside(root, target) and target.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        os.link(target, path, follow_symlinks=False)


def _chmod(root: Path, path: Path, action: Action) -> None:
    if _inside(root, path) and not path.is_symlink():
        path.chmod(action.mode | (0o700 if path.is_dir() else 0))


def _touch(root: Path, path: Path, action: Action) -> None:
    if _inside(root, path):
        os.utime(path, ns=(action.mtime_ns, action.mtime_ns), follow_symlinks=False)


def _sneak(root: Path, path: Path, _: Action) -> None:
    """Change a file's content but neither its size nor its modification time."""
    if _inside(root, path) and path.is_file() and not path.is_symlink():
        before = path.stat()
        path.write_bytes(bytes(byte ^ 1 for byte in path.read_bytes()))
        os.utime(path, ns=(before.st_mtime_ns, before.st_mtime_ns))


def _delete(root: Path, path: Path, _: Action) -> None:
    if not _inside(root, path):
        return
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def _rename(root: Path, path: Path, action: Action) -> None:
    target = root / action.other
    if _inside(root, path) and _inside(root, target) and not target.is_relative_to(path):
        try:
            path.rename(target)
        except OSError:  # a directory that is not empty
            return


_ACTIONS = {
    "write": _write,
    "append": _append,
    "directory": _directory,
    "symlink": _symlink,
    "hardlink": _hardlink,
    "chmod": _chmod,
    "touch": _touch,
    "sneak": _sneak,
    "delete": _delete,
    "rename": _rename,
}

Picture = dict[str, tuple[str, int, int, bytes]]


def picture(root: Path) -> Picture:
    """Everything that has to be equal about two trees: type, mode, time, content or target."""
    seen: Picture = {}
    for node in walk(root):
        path = root / node.path
        content = b""
        if stat.S_ISREG(path.lstat().st_mode):
            content = path.read_bytes()
        elif path.is_symlink():
            content = os.fsencode(os.readlink(path))  # noqa: PTH115 - Path would tidy it
        seen[node.path] = (node.kind.value, node.mode, node.mtime_ns, content)
    return seen
