"""The files of a stage, as far as they can be known without running anything.

What COPY and WORKDIR put there is known; what a base image holds or a RUN makes is a *symbol*:
equal symbols are equal files, unlike symbols may be equal or not. That is enough to tell which
``COPY --from`` hits, misses, or depends on the artefact of a RUN that is run again.
"""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

from bench.cache_model.errors import WillFailError
from bench.cache_model.files import FileTree, Node, clean
from bench.cache_model.hashing import BuildKitHash, ClassicHash, MissingSourceError
from bench.cache_model.keys import Content, digest_of
from bench.cache_model.profiles import Family
from bench.cache_model.wildcards import has_wildcards, matches, split_wildcards

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bench.cache_model.outcomes import StepPlace
    from bench.cache_model.profiles import Profile

_USUAL_FOLDERS = frozenset(
    {
        *("bin", "boot", "dev", "etc", "home", "lib", "lib64", "media", "mnt", "opt", "proc"),
        *("root", "run", "sbin", "srv", "sys", "tmp", "usr", "usr/bin", "usr/lib", "usr/local"),
        *("usr/local/bin", "usr/local/lib", "usr/local/sbin", "usr/local/share", "usr/sbin"),
        *("usr/share", "usr/src", "var", "var/cache", "var/lib", "var/log", "var/run", "var/tmp"),
    }
)
"""Folders that a base image is taken to have: a file copied onto one lands inside it."""


@dataclass(frozen=True)
class StageFiles:
    """The files at one point of a stage; all paths without a leading slash.

    ``ground`` is the symbol of what lies at the bottom (None: nothing, ``scratch``), ``origin`` the
    step that made it. ``nodes`` are known files on top. ``grafts`` are places whose files are
    symbols of their own, ``made`` the folders that WORKDIR made if they were not there.
    """

    ground: str | None = None
    origin: StepPlace | None = None
    nodes: Mapping[str, Node] = field(default_factory=dict)
    grafts: Mapping[str, str] = field(default_factory=dict)
    made: Mapping[str, str] = field(default_factory=dict)

    def select(self, sources: tuple[str, ...], profile: Profile) -> list[tuple[str, Content]]:
        """Return the content of each source, by the path that it is selected with.

        On the classic builder, whose hash runs over all sources, it is one content.

        Raises:
            WillFailError: a source is certainly not there.

        """
        if profile.family is Family.BUILDKIT:
            return [(clean(one), self._content((one,), profile)) for one in sources]
        return [("", self._content(sources, profile))]

    def _content(self, sources: tuple[str, ...], profile: Profile) -> Content:
        relevant = [self._relevant(source) for source in sources]
        if all(one is None for one in relevant):
            return Content(known=self._exact(sources, profile), shown=" ".join(sources))
        known = digest_of(
            [
                one.hashed(profile) if one else self._exact((source,), profile)
                for one, source in zip(relevant, sources, strict=True)
            ]
        )
        symbol = digest_of(
            [
                (one.symbols, clean(source)) if one else None
                for one, source in zip(relevant, sources, strict=True)
            ]
        )
        return Content(known, symbol, shown=" ".join(sources), origin=self.origin)

    def _exact(self, sources: tuple[str, ...], profile: Profile) -> str:
        tree = FileTree(self.nodes)
        try:
            if profile.family is Family.BUILDKIT:
                return BuildKitHash(tree, profile).select(sources[0]).digest
            return ClassicHash(tree).select(sources).digest
        except MissingSourceError as missing:
            raise WillFailError(f"there is no {missing} to copy") from missing

    def _relevant(self, source: str) -> _Relevant | None:
        """Return what decides the content of ``source``; None where all of it is known."""
        path = clean(source)
        touches: Callable[[str], bool] = _everything
        if has_wildcards(path):
            touches = partial(_may_match, path)
            path, _ = split_wildcards(path)
        tree = FileTree(self.nodes)
        resolved = tree.resolve(path)
        if resolved != path:
            touches = _everything
        node = self.nodes.get(resolved)
        if node is not None and node.type != "dir" and touches is _everything:
            return None
        grafts = [
            (place, symbol)
            for place, symbol in sorted(self.grafts.items())
            if (_is_inside(place, resolved) and touches(place)) or _is_inside(resolved, place)
        ]
        made = [
            (place, symbol)
            for place, symbol in sorted(self.made.items())
            if _is_inside(place, resolved) and touches(place)
        ]
        if self.ground is None and not grafts:
            return None
        nodes = [(one, self.nodes[one]) for one in tree.below(resolved) if touches(one)]
        if node is not None and touches is _everything:
            nodes.insert(0, (resolved, node))
        return _Relevant(nodes, (self.ground, grafts, made))

    def is_folder(self, path: str) -> bool:
        """Tell whether a folder is at ``path``, as far as is known."""
        if not path or path in self.made or FileTree(self.nodes).is_dir(path):
            return True
        return self.ground is not None and path in _USUAL_FOLDERS

    def after_run(self, symbol: str, origin: StepPlace) -> StageFiles:
        """Return the files after a RUN: whatever it made of them is a symbol."""
        return StageFiles(ground=symbol, origin=origin)

    def with_folder(self, path: str, owner: str) -> StageFiles:
        """Return the files after WORKDIR: the folder is there, made with its parents if need be."""
        path = clean(path)
        if not path or FileTree(self.nodes).is_dir(path):
            return self
        if not self._is_certain(path):
            return replace(self, made={**self.made, path: owner})
        return replace(self, nodes={**self.nodes, **self._folders(path, owner)})

    def _is_certain(self, path: str) -> bool:
        """Tell whether it is known what is at ``path`` and above: nothing lies there unseen."""
        return self.ground is None and not any(_is_inside(path, place) for place in self.grafts)

    def _folders(self, path: str, owner: str) -> dict[str, Node]:
        """Return the nodes of a folder and its parents that are not there yet."""
        found: dict[str, Node] = {}
        while path and path not in self.nodes:
            found[path] = Node("dir", 0o755, owner, "")
            path = posixpath.dirname(path)
        return found

    def with_nodes(self, nodes: Mapping[str, Node], owner: str) -> StageFiles:
        """Return the files after known ones were copied in; ``owner`` is that of new parents."""
        merged = dict(self.nodes)
        for folder in {posixpath.dirname(path) for path in nodes}:
            if self._is_certain(folder):
                merged.update(self._folders(folder, owner))
        for path, node in nodes.items():
            if node.type != "dir":
                for one in [one for one in merged if one.startswith(path + "/")]:
                    del merged[one]
            merged[path] = node
        files = {path for path, node in nodes.items() if node.type != "dir"}
        grafts = {place: one for place, one in self.grafts.items() if place not in files}
        return replace(self, nodes=merged, grafts=grafts)

    def with_graft(self, path: str, symbol: str, origin: StepPlace | None) -> StageFiles:
        """Return the files after something that is only a symbol was put at ``path``."""
        path = clean(path)
        below = [(one, node) for one, node in sorted(self.nodes.items()) if _is_inside(one, path)]
        grafts = [(one, old) for one, old in sorted(self.grafts.items()) if _is_inside(one, path)]
        mixed = digest_of((symbol, below, grafts)) if below or grafts else symbol
        return StageFiles(
            ground=self.ground,
            origin=origin or self.origin,
            nodes={one: node for one, node in self.nodes.items() if not _is_inside(one, path)},
            grafts={
                **{one: old for one, old in self.grafts.items() if not _is_inside(one, path)},
                path: mixed,
            },
            made=self.made,
        )


@dataclass(frozen=True)
class _Relevant:
    nodes: list[tuple[str, Node]]
    symbols: object

    def hashed(self, profile: Profile) -> list[tuple[str, Node]]:
        """Return the nodes as the builder hashes them."""
        if profile.owner_is_content:
            return self.nodes
        return [(path, node._replace(owner="")) for path, node in self.nodes]


def _is_inside(path: str, folder: str) -> bool:
    """Tell whether ``path`` is ``folder`` or below it."""
    return not folder or path == folder or path.startswith(folder + "/")


def _everything(_path: str) -> bool:
    return True


def _may_match(pattern: str, path: str) -> bool:
    """Tell whether what is at ``path`` may be selected by ``pattern``: by what lies above it."""
    depth = pattern.count("/") + 1
    parts = path.split("/")
    return len(parts) < depth or matches(pattern, "/".join(parts[:depth]))
