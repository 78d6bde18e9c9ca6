"""Read a git repository: its commits, its index, what it ignores. Nothing is ever written.

Only commands that read are used, with every transport off and no monitor, no hook and no filter
program: what a repository's configuration names is not run.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import subprocess
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING

from bench.changes.git_source import git_environment
from bench.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

SYMLINK = "120000"
SUBMODULE = "160000"
EXECUTABLE = "100755"
_SETTINGS = (
    *("-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null"),
    *("-c", "protocol.allow=never"),
)
_SKIPPED = "S"
"""How ``ls-files -t`` marks a path that a sparse checkout leaves out."""


@dataclass(frozen=True)
class Blob:
    """A file of a commit or of the index: git's mode, and the id of its content."""

    mode: str
    oid: str


@dataclass(frozen=True)
class Index:
    """What git tracks now: files by path, and which of them a sparse checkout leaves out."""

    files: dict[str, Blob]
    skipped: frozenset[str] = field(default_factory=frozenset)


class Repository:
    """The repository that a folder lies in; all paths are relative to that folder.

    ``top`` is where its working tree begins, ``prefix`` the folder's path from there. A bare
    repository has no working tree: its ``top`` is the folder that holds it.
    """

    def __init__(
        self,
        folder: Path,
        *,
        remedy: str = "name the earlier state with --since-context DIR instead of --since",
    ) -> None:
        """Find the repository; ``remedy`` says what to do where there is none.

        Raises:
            UsageError: the folder is in none, or git cannot be run.

        """
        self.folder = folder
        found = self._run("rev-parse", "--show-toplevel", check=False)
        self.is_bare = found.returncode != 0 and self._is_bare()
        if self.is_bare:
            found = self._run("rev-parse", "--absolute-git-dir", check=True)
        if found.returncode != 0:
            said = os.fsdecode(found.stderr).strip()
            raise UsageError(
                f"{folder}: git finds no repository here: {said.removeprefix('fatal: ')}",
                remedy=remedy,
            )
        self.top = os.fsdecode(found.stdout).removesuffix("\n")
        self.prefix = os.fsdecode(self.read("rev-parse", "--show-prefix")).rstrip("\n").rstrip("/")

    def _is_bare(self) -> bool:
        found = self._run("rev-parse", "--is-bare-repository", check=False)
        return found.stdout.strip() == b"true"

    def commit(self, revision: str) -> str:
        """Return the id of the commit that ``revision`` means.

        Raises:
            UsageError: there is no such commit.

        """
        wanted = f"{revision}^{{commit}}"
        found = self._run("rev-parse", "--verify", "--end-of-options", wanted, check=False)
        if found.returncode != 0:
            raise UsageError(
                f"{self.top}: there is no revision {revision!r}",
                remedy="name a commit, tag or branch of this repository, for instance HEAD~1",
            )
        return found.stdout.decode().strip()

    def files(self, commit: str, folder: str | None = None) -> dict[str, Blob]:
        """Return the files of the folder in a commit, submodules among them.

        ``folder`` is another one, as its path from the top.

        Raises:
            UsageError: the commit does not have the folder.

        """
        folder = self.prefix if folder is None else folder
        tree = f"{commit}:{folder}"
        kind = self._run("cat-file", "-t", tree, check=False)
        if kind.stdout.strip() != b"tree":
            raise UsageError(
                f"{folder}: the commit {commit[:12]} does not have this folder",
                remedy="name a commit that has the build context",
            )
        found = {}
        for line in _names(self.read("ls-tree", "-r", "-z", "--full-tree", tree)):
            head, _, name = line.partition("\t")
            mode, _, oid = head.split(" ")
            found[name] = Blob(mode, oid)
        return found

    def file(self, commit: str, path: Path) -> bytes | None:
        """Return the content of one file in a commit; None if it is not there.

        ``path`` is where the file lies in the working tree, anywhere in the repository.
        """
        return self.blob(commit, self.place(path))

    def blob(self, commit: str, name: str) -> bytes | None:
        """Return the content of the file with this path from the top; None if it is not there."""
        found = self._run("cat-file", "blob", f"{commit}:{name}", check=False)
        return found.stdout if found.returncode == 0 else None

    def place(self, path: Path) -> str:
        """Return the path from the top of what lies at ``path``; a link at its end stays one."""
        real = os.path.realpath(path.parent)
        return os.path.relpath(os.path.join(real, path.name), self.top)  # noqa: PTH118

    def holds(self, path: Path) -> bool:
        """Tell whether a path lies in the repository's working tree."""
        real = os.path.realpath(path.parent)
        return os.path.commonpath((real, self.top)) == self.top

    def index(self) -> Index:
        """Return what git tracks in the folder now."""
        files: dict[str, Blob] = {}
        skipped = set()
        for line in _names(self.read("ls-files", "-t", "--stage", "-z")):
            head, _, name = line.partition("\t")
            tag, mode, oid, _ = head.split(" ")
            files[name] = Blob(mode, oid)
            if tag == _SKIPPED:
                skipped.add(name)
        return Index(files, frozenset(skipped))

    def untracked(self) -> frozenset[str]:
        """Return what git neither tracks nor ignores; a repository in it ends in a slash."""
        return frozenset(_names(self.read("ls-files", "--others", "--exclude-standard", "-z")))

    def head(self) -> str | None:
        """Return the id of the commit that is checked out; None where there is none yet."""
        found = self._run("rev-parse", "--verify", "--quiet", "HEAD^{commit}", check=False)
        return found.stdout.decode().strip() if found.returncode == 0 else None

    def short(self, commit: str) -> str:
        """Return a commit's id as people write it."""
        return self.read("rev-parse", "--short", commit).decode().strip()

    def counts_modes(self) -> bool:
        """Tell whether the exec bits in the working tree mean something to git."""
        found = self._run("config", "--type=bool", "--get", "core.fileMode", check=False)
        return found.stdout.strip() != b"false"

    def converted(self, oid: str, path: str) -> bytes:
        """Return a content with the line endings that a checkout gives it at ``path``."""
        listed = self._run("config", "--name-only", "-z", "--get-regexp", r"^filter\.", check=False)
        drivers = {name.rpartition(".")[0] for name in _names(listed.stdout)}
        done = self._run(
            "cat-file", "--filters", f"--path={path}", oid, check=True, extra=_no_filters(drivers)
        )
        return done.stdout

    def contents(self, blobs: Iterable[Blob]) -> Iterator[bytes]:
        """Yield the content of each blob as it is stored.

        Raises:
            UsageError: the repository does not have one (a partial clone).

        """
        command = ["git", *_SETTINGS, "-C", str(self.folder), "cat-file", "--batch"]
        with subprocess.Popen(
            command,
            env=_environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        ) as process:
            if process.stdin is None or process.stdout is None:
                raise UsageError("git gives no output", remedy="try again")
            for blob in blobs:
                yield _content(process.stdin, process.stdout, blob)
            process.stdin.close()

    def read(self, *arguments: str) -> bytes:
        """Return what a reading git command prints.

        Raises:
            UsageError: it fails.

        """
        return self._run(*arguments, check=True).stdout

    def _run(
        self, *arguments: str, check: bool, extra: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[bytes]:
        command = ["git", *_SETTINGS, "-C", str(self.folder), *arguments]
        environment = {**_environment(), **(extra or {})}
        try:
            done = subprocess.run(command, env=environment, capture_output=True, check=False)
        except OSError as error:
            raise UsageError(f"git cannot be run: {error}", remedy="install git") from error
        if check and done.returncode != 0:
            words = [one for one in arguments if not one.startswith("-")]
            said = os.fsdecode(done.stderr).strip()
            raise UsageError(
                f"{self.folder}: git {words[0]} failed: {said}",
                remedy="check the repository with git fsck",
            )
        return done


def has_content(path: Path, blob: Blob) -> bool:
    """Tell whether a file on the disk has the content of ``blob``, as it is stored.

    Raises:
        OSError: it cannot be read.

    """
    long = len(blob.oid) == hashlib.sha256().digest_size * 2
    digest = hashlib.sha256() if long else hashlib.sha1(usedforsecurity=False)
    with path.open("rb") as file:
        digest.update(b"blob %d\0" % os.fstat(file.fileno()).st_size)
        while piece := file.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest() == blob.oid


def _environment() -> dict[str, str]:
    # A partial clone must not fetch what it lacks.
    return {**git_environment(), "GIT_NO_LAZY_FETCH": "1"}


def _no_filters(drivers: Iterable[str]) -> dict[str, str]:
    """Return an environment that puts filter programs out of action, whatever their names."""
    settings = [
        (f"{driver}.{key}", value)
        for driver in sorted(drivers)
        for key, value in (("smudge", ""), ("process", ""), ("required", "false"))
    ]
    environment = {"GIT_CONFIG_COUNT": str(len(settings))}
    for number, (key, value) in enumerate(settings):
        environment[f"GIT_CONFIG_KEY_{number}"] = key
        environment[f"GIT_CONFIG_VALUE_{number}"] = value
    return environment


def _names(listing: bytes) -> list[str]:
    return [os.fsdecode(name) for name in listing.split(b"\0") if name]


def _content(requests: IO[bytes], answers: IO[bytes], blob: Blob) -> bytes:
    head: list[bytes] = []
    with contextlib.suppress(BrokenPipeError):  # git gives up on the first that it lacks
        requests.write(blob.oid.encode() + b"\n")
        requests.flush()
        head = answers.readline().split()
    if len(head) != 3:
        raise UsageError(
            f"git has no content for {blob.oid}", remedy="fetch the whole history of the repository"
        )
    content = answers.read(int(head[2]))
    answers.read(1)
    return content
