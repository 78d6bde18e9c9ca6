"""`git`: bringing the scratch copy to another commit; the user's repository is only read."""

from __future__ import annotations

import hashlib
import os
import subprocess
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from bench.changes.files import move_forward, remove, write_content
from bench.changes.paths import path_fault
from bench.errors import ChangeError

if TYPE_CHECKING:
    from pathlib import Path

    from bench.changes.state import SourceState

_SYMLINK = "120000"
_SUBMODULE = "160000"
_EXECUTABLE = "100755"


@dataclass(frozen=True)
class Blob:
    """A file of a commit: git's mode, and the id of its content."""

    mode: str
    oid: str


def git_environment() -> dict[str, str]:
    """Return the environment for git: nothing that points it elsewhere, and no lock taken."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return {**kept, "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}


def read_git(source: Path, *arguments: str) -> bytes:
    """Return what a reading git command prints, run in ``source``.

    Raises:
        ChangeError: git is missing, or the command fails.

    """
    # A file system monitor that the repository names would be a program of its own, and log.follow
    # would take a folder for a single file.
    settings = ("-c", "core.fsmonitor=false", "-c", "log.follow=false")
    command = ["git", *settings, "-C", str(source), *arguments]
    try:
        done = subprocess.run(command, env=git_environment(), capture_output=True, check=True)
    except OSError as error:
        raise ChangeError(f"git cannot be run: {error}", remedy="install git") from error
    except subprocess.CalledProcessError as error:
        said = error.stderr.decode("utf-8", "replace").strip()
        raise ChangeError(
            f"git {arguments[0]} failed in {source}: {said}",
            remedy="the context must lie in a git repository that has this commit",
        ) from error
    return done.stdout


def tree_of(source: Path, revision: str) -> str:
    """Return git's name of the context's folder in that commit.

    Raises:
        ChangeError: there is no such commit, or it does not have the folder.

    """
    commit = read_git(source, "rev-parse", "--verify", "--end-of-options", f"{revision}^{{commit}}")
    prefix = os.fsdecode(read_git(source, "rev-parse", "--show-prefix")).rstrip("\n").rstrip("/")
    tree = f"{commit.decode().strip()}:{prefix}"
    kind = read_git(source, "cat-file", "-t", tree).decode().strip()
    if kind != "tree":
        raise ChangeError(
            f"{prefix!r} is no folder in {revision}", remedy="name a commit that has the context"
        )
    return tree


def check_out(state: SourceState, revision: str) -> bool:
    """Bring ``state.root`` to ``revision``; tell whether a file changed.

    Files that git tracks (now, or in a commit checked out before) become those of the commit;
    others stay, and so does the variant's Dockerfile: it is what is compared.

    Raises:
        ChangeError: the commit or the repository cannot be had, or a path leads out.

    """
    blobs = _blobs(state.source, tree_of(state.source, revision))
    blobs.pop(state.dockerfile, None)
    tracked = set(_names(read_git(state.source, "ls-files", "-z"))) - {state.dockerfile}
    gone = [
        name
        for name in sorted((tracked | state.placed) - blobs.keys())
        if drop_file(state.root, name)
    ]
    changed = [name for name, blob in blobs.items() if not _is_as_in(state.root, name, blob)]
    if changed:
        _write(state, {name: blobs[name] for name in changed})
    state.placed |= blobs.keys()
    return bool(gone or changed)


def _names(listing: bytes) -> list[str]:
    return [os.fsdecode(name) for name in listing.split(b"\0") if name]


def _blobs(source: Path, tree: str) -> dict[str, Blob]:
    found = {}
    for line in _names(read_git(source, "ls-tree", "-r", "-z", "--full-tree", tree)):
        head, _, name = line.partition("\t")
        mode, _, oid = head.split(" ")
        if mode != _SUBMODULE:
            found[name] = Blob(mode, oid)
    return found


def _there(root: Path, name: str) -> Path | None:
    """Return the entry if it is there behind real folders; no symlink is ever followed."""
    if path_fault(name):
        raise ChangeError(f"the commit holds the path {name!r}", remedy="name another commit")
    *folders, last = name.split("/")
    folder = root.resolve()
    for part in folders:
        folder /= part
        if folder.is_symlink() or not folder.is_dir():
            return None
    path = folder / last
    return path if path.is_symlink() or path.exists() else None


def drop_file(root: Path, name: str) -> bool:
    """Remove a file that a commit does not have, and the folders below ``root`` left empty by it.

    Raises:
        ChangeError: the path leads out.

    """
    path = _there(root, name)
    if path is None or (path.is_dir() and not path.is_symlink()):
        return False  # gone already, or a folder of untracked files has taken the name
    path.unlink()
    folder = path.parent
    while folder != root.resolve() and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent
    return True


def _is_as_in(root: Path, name: str, blob: Blob) -> bool:
    """Tell whether the file is in the scratch copy already, so that its mtime may stay."""
    path = _there(root, name)
    if path is None:
        return False
    if path.is_symlink():
        return blob.mode == _SYMLINK and _oid(os.fsencode(path.readlink()), blob) == blob.oid
    if blob.mode == _SYMLINK or not path.is_file():
        return False
    executable = bool(path.stat().st_mode & 0o100)
    return executable == (blob.mode == _EXECUTABLE) and _oid(path.read_bytes(), blob) == blob.oid


def _oid(content: bytes, like: Blob) -> str:
    """Return git's id of a content, in the hash that ``like`` has."""
    data = b"blob %d\0" % len(content) + content
    if len(like.oid) == hashlib.sha256().digest_size * 2:
        return hashlib.sha256(data).hexdigest()
    return hashlib.sha1(data, usedforsecurity=False).hexdigest()


def _write(state: SourceState, blobs: dict[str, Blob]) -> None:
    command = ["git", "-C", str(state.source), "cat-file", "--batch"]
    with subprocess.Popen(
        command, env=git_environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        if process.stdin is None or process.stdout is None:
            raise ChangeError("git gives no output", remedy="try again")
        for name, blob in blobs.items():
            process.stdin.write(blob.oid.encode() + b"\n")
            process.stdin.flush()
            put_file(state.root, name, blob.mode, _content(process.stdout, blob))
        process.stdin.close()


def _content(stream: IO[bytes], blob: Blob) -> bytes:
    head = stream.readline().split()
    if len(head) != 3:
        raise ChangeError(
            f"git has no content for {blob.oid}", remedy="fetch the whole history of the repository"
        )
    content = stream.read(int(head[2]))
    stream.read(1)
    return content


def put_file(root: Path, name: str, mode: str, content: bytes) -> None:
    """Write a file or link as a checkout does; ``mode`` is git's. No link above it is followed.

    Raises:
        ChangeError: the path leads out.

    """
    if path_fault(name):
        raise ChangeError(f"the commit holds the path {name!r}", remedy="name another commit")
    *folders, last = name.split("/")
    folder = root.resolve()
    for part in folders:
        folder /= part
        if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
            folder.unlink()  # in this commit it is a folder
        folder.mkdir(exist_ok=True)
    path = folder / last  # every folder above is a real one: nothing leads out
    if mode == _SYMLINK:
        _put_link(path, os.fsdecode(content))
        return
    if path.is_symlink() or path.is_dir():
        remove(path)
    write_content(path, content)
    path.chmod(0o755 if mode == _EXECUTABLE else 0o644)


def _put_link(path: Path, target: str) -> None:
    old = path.lstat().st_mtime_ns if path.is_symlink() or path.exists() else None
    if old is not None:
        remove(path)
    path.symlink_to(target)
    move_forward(path, old)
