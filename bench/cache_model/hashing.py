"""Which files a source path selects, and what the two families of builders hash of them.

BuildKit: moby/buildkit ``cache/contenthash/checksum.go``, ``filehash.go``, ``tarsum.go``: names
enter only below a directory. Classic: moby ``builder/dockerfile/copy.go``, ``builder/
remotecontext/archive.go``, ``filehash.go``: the full name of every file is in its hash. Neither
hashes a time.
"""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.cache_model.files import FileTree, Node, clean
from bench.cache_model.keys import digest_of
from bench.cache_model.wildcards import has_wildcards, matches, split_wildcards

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.cache_model.profiles import Profile


class MissingSourceError(Exception):
    """A source path selects nothing: the build fails there."""


@dataclass(frozen=True)
class Selected:
    """What a source path selects.

    ``digest`` is equal exactly if a builder's hash would be. ``roots`` are what is copied: where
    it is, links followed, and the name it is copied under, which is a link's own. ``paths`` are
    all paths whose change would show.
    """

    digest: str
    roots: tuple[tuple[str, str], ...]
    paths: tuple[str, ...]


class BuildKitHash:
    """BuildKit's content digests over one tree, remembered by path."""

    def __init__(self, tree: FileTree, profile: Profile) -> None:
        self._tree = tree
        self._profile = profile
        self._known: dict[str, Selected] = {}

    def select(self, source: str, *, literal: bool = False) -> Selected:
        """Return what ``source`` selects; a ``literal`` one is no pattern (a bind mount's).

        Raises:
            MissingSourceError: there is no such file.

        """
        if source not in self._known:
            path = clean(source)
            wild = not literal and has_wildcards(path)
            self._known[source] = self._matching(path) if wild else self._plain(path)
        return self._known[source]

    def _plain(self, path: str) -> Selected:
        resolved = self._tree.resolve(path)
        if not self._tree.exists(resolved):
            raise MissingSourceError(path)
        digest, paths = self._digest(resolved)
        return Selected(digest, ((resolved, posixpath.basename(path)),), paths)

    def _matching(self, path: str) -> Selected:
        lister = self._file_by_file if self._profile.lists_wildcard_files else self._whole
        listed: list[tuple[str, str]] = []
        paths: list[str] = []
        roots: list[tuple[str, str]] = []
        prefix, _ = split_wildcards(path)
        real_prefix = self._tree.resolve(prefix)
        last_match = ""
        for real in self._tree.below(real_prefix):
            shown = prefix + real[len(real_prefix) :]
            if last_match and shown.startswith(last_match + "/"):
                continue
            if not matches(path, shown.removeprefix("/")):
                continue
            last_match = shown
            roots.append((self._tree.resolve(real), posixpath.basename(real)))
            for name, digest, covered in lister(real):
                listed.append((name, digest))
                paths += covered
        if len(listed) == 1 and listed[0][0] == posixpath.basename(path):
            return Selected(listed[0][1], tuple(roots), tuple(paths))
        return Selected(digest_of(listed), tuple(roots), tuple(paths))

    def _whole(self, path: str) -> Iterator[tuple[str, str, tuple[str, ...]]]:
        digest, paths = self._digest(self._tree.resolve(path))
        yield posixpath.basename(path), digest, paths

    def _file_by_file(self, path: str) -> Iterator[tuple[str, str, tuple[str, ...]]]:
        node = self._tree.nodes.get(path)
        if node is not None and node.type == "symlink":
            yield from self._whole(path)
            return
        if node is not None:
            yield posixpath.basename(path), digest_of(self._header(node)), (path,)
        for one in self._tree.below(path):
            header = self._header(self._tree.nodes[one])
            yield posixpath.basename(one), digest_of(header), (one,)

    def _digest(self, path: str) -> tuple[str, tuple[str, ...]]:
        """Return the digest of what is at a path without links on it, and all that is in it."""
        node = self._tree.nodes.get(path)
        if node is not None and node.type != "dir":
            return digest_of(self._header(node)), (path,)
        skip = len(path) + 1 if path else 0
        below = list(self._tree.below(path))
        parts = [(one[skip:], *self._header(self._tree.nodes[one])) for one in below]
        own = self._header(node) if node is not None and path else None
        return digest_of((own, parts)), (*((path,) if own else ()), *below)

    def _header(self, node: Node) -> tuple[object, ...]:
        owner = node.owner if self._profile.owner_is_content else ""
        mode = 0o777 if node.type == "symlink" else node.mode
        return node.type, mode, owner, node.content


class ClassicHash:
    """The classic builder's hashes over one tree."""

    def __init__(self, tree: FileTree) -> None:
        self._tree = tree

    def select(self, sources: tuple[str, ...]) -> Selected:
        """Return what the sources of one COPY or ADD select together.

        Raises:
            MissingSourceError: a source is not there, or a pattern matches nothing at all.

        """
        infos: list[str] = []
        roots: list[tuple[str, str]] = []
        paths: list[str] = []
        for source in sources:
            for path in self._expanded(source):
                digest, covered = self._info(path)
                infos.append(digest)
                roots.append((self._tree.resolve(path), posixpath.basename(path)))
                paths += covered
        if not infos:
            raise MissingSourceError(" ".join(sources))
        digest = infos[0] if len(infos) == 1 else digest_of(("multi", infos))
        return Selected(digest, tuple(roots), tuple(paths))

    def _expanded(self, source: str) -> list[str]:
        source = source.removeprefix("/").removeprefix("./")
        if not has_wildcards(source):
            return [clean(source)]
        walked = sorted(self._tree.nodes, key=lambda path: path.split("/"))
        return [path for path in walked if matches(source, path)]

    def _info(self, path: str) -> tuple[str, tuple[str, ...]]:
        resolved = self._tree.resolve(path)
        if not self._tree.exists(resolved):
            raise MissingSourceError(path)
        if not self._tree.is_dir(resolved):
            return digest_of(("file", self._sum(resolved))), (resolved,)
        covered = [resolved] if resolved else []
        covered += self._tree.below(resolved)
        sums = sorted(repr(self._sum(one)) for one in covered)
        return digest_of(("dir", sums)), tuple(covered)

    def _sum(self, path: str) -> tuple[object, ...]:
        """Return what the hash of one path holds: a link counts as what it points to."""
        resolved = self._tree.resolve(path)
        node = self._tree.nodes.get(resolved)
        if node is None:
            return ("nothing", path)
        return (resolved, node.type, node.mode, node.owner, node.content)
