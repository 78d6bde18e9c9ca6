"""Which files of a tree a docker client would send: the tree restricted by ``.dockerignore``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bench.workspace.errors import WorkspaceError, explained
from bench.workspace.ignore import ClientRule, IgnoreRules, State, read_patterns
from bench.workspace.tree import SPECIAL, Kind, Node, list_directory, path_order

IGNORE_FILE = ".dockerignore"


@dataclass(frozen=True)
class Selection:
    """What would be sent, sorted by the bytes of the path.

    ``sent_although_ignored`` names the Dockerfile, its folder and ``.dockerignore`` where the
    patterns match them: the daemon needs them, so they are sent all the same (docker/cli
    ``TrimBuildFilesFromExcludes``).
    """

    nodes: tuple[Node, ...]
    sent_although_ignored: frozenset[str]
    ignore_file: str | None
    """The ignore file that was followed."""


@dataclass(frozen=True)
class _Directory:
    """A directory still to be looked into, with its parents that were ignored so far."""

    path: str
    state: State
    ignored: bool
    ignored_parents: tuple[Node, ...]


def select(root: Path, dockerfile: str, client: ClientRule = ClientRule.BUILDKIT) -> Selection:
    """Select what ``client`` would send of the build context at ``root``.

    Sockets are left out, since no client can put them into an archive.

    Args:
        root: the context.
        dockerfile: path of the Dockerfile, relative to ``root``.
        client: whose rules to follow.

    Raises:
        WorkspaceError: a pattern makes no sense, a directory cannot be read, or a FIFO or a
            device is not ignored.

    """
    name, rules = read_rules(root, dockerfile, client)
    walker = _Walker(root, rules, frozenset({dockerfile, IGNORE_FILE}))
    with explained("read the build context"):
        walker.run()
    nodes = tuple(sorted(walker.chosen.values(), key=path_order))
    return Selection(nodes, walker.sent_although_ignored, name)


class _Walker:
    def __init__(self, root: Path, rules: IgnoreRules, always: frozenset[str]) -> None:
        self.root = root
        self.rules = rules
        self.always = always
        self.chosen: dict[str, Node] = {}
        self.forced: set[str] = set()
        self._wanted: set[str] = set()

    @property
    def sent_although_ignored(self) -> frozenset[str]:
        return frozenset(self.forced - self._wanted)

    def run(self) -> None:
        pending = [_Directory("", (), ignored=False, ignored_parents=())]
        while pending:
            directory = pending.pop()
            for node in self._list(directory):
                ignored, state = self.rules.match(node.path, directory.state)
                if node.kind is not Kind.SOCKET:
                    self._choose(node, directory, ignored=ignored)
                if node.kind is Kind.DIR and self._enters(node, ignored=ignored):
                    parents = (*directory.ignored_parents, node) if ignored else ()
                    pending.append(_Directory(node.path, state, ignored, parents))

    def _list(self, directory: _Directory) -> list[Node]:
        try:
            return list_directory(self.root, directory.path)
        except PermissionError:
            if directory.ignored:
                return []
            raise

    def _choose(self, node: Node, directory: _Directory, *, ignored: bool) -> None:
        forced = ignored and node.path in self.always
        if ignored and not forced:
            return
        if node.kind in SPECIAL:
            raise WorkspaceError(
                f"{self.root / node.path} is a {node.kind} and cannot be part of a build context",
                remedy=f"remove it or list it in {IGNORE_FILE}",
            )
        self.chosen[node.path] = node
        (self.forced if forced else self._wanted).add(node.path)
        if self.rules.client is ClientRule.BUILDKIT:
            for parent in directory.ignored_parents:
                self.chosen[parent.path] = parent
                (self.forced if forced else self._wanted).add(parent.path)

    def _enters(self, node: Node, *, ignored: bool) -> bool:
        inside = node.path + "/"
        return (
            not ignored
            or self.rules.may_bring_back(node.path)
            or any(path.startswith(inside) for path in self.always)
        )


def read_rules(root: Path, dockerfile: str, client: ClientRule) -> tuple[str | None, IgnoreRules]:
    """Read the ignore file that counts; its path below ``root`` comes first, None without one.

    Raises:
        WorkspaceError: it cannot be read, leads out of ``root``, or holds a broken pattern.

    """
    names = [IGNORE_FILE]
    if client is ClientRule.BUILDKIT:
        names.insert(0, dockerfile + IGNORE_FILE)
    for name in names:
        data = _read_inside(root, name)
        if data is not None:
            return name, IgnoreRules(read_patterns(data), client)
    return None, IgnoreRules((), client)


def _read_inside(root: Path, name: str) -> bytes | None:
    path = root / name
    if not path.exists():
        return None
    if not path.resolve().is_relative_to(Path(root).resolve()):
        raise WorkspaceError(
            f"{path} is a link that leads out of the build context",
            remedy="replace the link by the file it names",
        )
    with explained("read the ignore file"):
        return path.read_bytes()
