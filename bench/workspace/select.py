"""Which files of a tree a docker client would send: the tree restricted by ``.dockerignore``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bench.workspace.errors import WorkspaceError, explained
from bench.workspace.ignore import ClientRule, IgnoreRules, State, read_patterns
from bench.workspace.tree import SPECIAL, Kind, Lister, Node, in_path_order

IGNORE_FILE = ".dockerignore"

Verdicts = dict[str, tuple[bool, State]]
"""For each path, what ``IgnoreRules.match`` says of it."""


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

    node: Node
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
    return Selector(root, dockerfile).select(client)


class Selector:
    """Selects from one tree again and again.

    What the patterns say of a path depends on nothing but the patterns and the path, and is
    remembered until the ignore file changes.
    """

    def __init__(self, root: Path, dockerfile: str | Path) -> None:
        """Take a tree.

        Args:
            root: the context.
            dockerfile: its path relative to ``root``, or an absolute one outside of it: then it
                is no part of the context, and BuildKit's client looks for its own ignore file
                beside it.

        """
        self._root = root
        self._dockerfile = dockerfile
        self._lister = Lister(root)
        self._remembered: dict[ClientRule, tuple[IgnoreRules, Verdicts]] = {}

    def select(self, client: ClientRule = ClientRule.BUILDKIT) -> Selection:
        """Select what ``client`` would send now.

        Raises:
            WorkspaceError: as `select`.

        """
        name, patterns = read_ignore_file(self._root, self._dockerfile, client)
        rules, known = self._remembered.get(client) or (IgnoreRules(patterns, client), {})
        if rules.lines != patterns:
            rules, known = IgnoreRules(patterns, client), {}
        always = {IGNORE_FILE}
        if isinstance(self._dockerfile, str):
            always.add(self._dockerfile)
        walker = _Walker(self._root, self._lister, rules, frozenset(always), known)
        with explained("read the build context"):
            walker.run()
        self._remembered[client] = rules, walker.verdicts
        return Selection(walker.nodes(), walker.sent_although_ignored, name)


class _Walker:
    def __init__(
        self,
        root: Path,
        lister: Lister,
        rules: IgnoreRules,
        always: frozenset[str],
        known: Verdicts,
    ) -> None:
        self.root = root
        self.lister = lister
        self.rules = rules
        self.always = always
        self.verdicts: Verdicts = {}
        self._known = known
        self._chosen: list[Node] = []
        self._parents: dict[str, Node] = {}
        self._forced: set[str] = set()
        self._wanted: set[str] = set()

    def nodes(self) -> tuple[Node, ...]:
        """Return what was chosen, in byte order of the paths."""
        return tuple(in_path_order([*self._chosen, *self._parents.values()]))

    @property
    def sent_although_ignored(self) -> frozenset[str]:
        return frozenset(self._forced - self._wanted)

    def run(self) -> None:
        pending = [_Directory(self.lister.top(), (), ignored=False, ignored_parents=())]
        match, known, verdicts = self.rules.match, self._known, self.verdicts
        while pending:
            directory = pending.pop()
            for node in self._list(directory):
                path = node.path
                verdict = known.get(path) or match(path, directory.state)
                verdicts[path] = verdict
                ignored, state = verdict
                if not ignored or path in self.always:
                    self._choose(node, directory, forced=ignored)
                if node.kind is Kind.DIR and self._enters(node, ignored=ignored):
                    parents = (*directory.ignored_parents, node) if ignored else ()
                    pending.append(_Directory(node, state, ignored, parents))

    def _list(self, directory: _Directory) -> list[Node]:
        try:
            return self.lister.list(directory.node)
        except PermissionError:
            if directory.ignored:
                return []
            raise

    def _choose(self, node: Node, directory: _Directory, *, forced: bool) -> None:
        if node.kind is Kind.SOCKET:
            return
        if node.kind in SPECIAL:
            raise WorkspaceError(
                f"{self.root / node.path} is a {node.kind} and cannot be part of a build context",
                remedy=f"remove it or list it in {IGNORE_FILE}",
            )
        self._chosen.append(node)
        if forced:
            self._forced.add(node.path)
        if directory.ignored_parents and self.rules.client is ClientRule.BUILDKIT:
            for parent in directory.ignored_parents:
                self._parents[parent.path] = parent
                (self._forced if forced else self._wanted).add(parent.path)

    def _enters(self, node: Node, *, ignored: bool) -> bool:
        inside = node.path + "/"
        return (
            not ignored
            or self.rules.may_bring_back(node.path)
            or any(path.startswith(inside) for path in self.always)
        )


def read_ignore_file(
    root: Path, dockerfile: str | Path, client: ClientRule
) -> tuple[str | None, tuple[str, ...]]:
    """Read the ignore file that counts: its path below ``root`` (None without one) and patterns.

    Raises:
        WorkspaceError: it cannot be read, or leads out of ``root``.

    """
    places = [(root, IGNORE_FILE)]
    if client is ClientRule.BUILDKIT:
        folder = root if isinstance(dockerfile, str) else dockerfile.parent
        name = dockerfile if isinstance(dockerfile, str) else dockerfile.name
        places.insert(0, (folder, name + IGNORE_FILE))
    for folder, name in places:
        data = _read_inside(folder, name)
        if data is not None:
            return name, read_patterns(data)
    return None, ()


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
