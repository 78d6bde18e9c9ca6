"""Where COPY and ADD put what they copy: the files of a stage after them.

Sources: moby/buildkit ``solver/llbsolver/file/backend.go`` and tonistiigi/fsutil ``copy/copy.go``
(prepareTargetDir); moby ``builder/dockerfile/copy.go`` performCopyForInfo.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.cache_model.files import FileTree, Node, clean
from bench.cache_model.keys import digest_of
from bench.cache_model.profiles import Family

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.cache_model.keys import Content
    from bench.cache_model.outcomes import StepPlace
    from bench.cache_model.profiles import Profile
    from bench.cache_model.sources import Transfer
    from bench.cache_model.stage_files import StageFiles

_NUMERIC_OWNER = re.compile(r"\A\d+(?::\d+)?\Z")
ROOT = "0:0"


@dataclass(frozen=True)
class Known:
    """Files whose every bit is known: the roots that a source selects, in their tree."""

    tree: FileTree
    roots: tuple[tuple[str, str], ...]
    """``(path in the tree, name it is copied under)``, as in `Selected`."""


def place(
    files: StageFiles,
    transfer: Transfer,
    known: Known | None,
    contents: Sequence[Content],
    profile: Profile,
    origin: StepPlace | None,
) -> StageFiles:
    """Return the files of a stage after one COPY or ADD; ``known`` is None where it copies symbols.

    ``origin`` is the step that made those symbols.
    """
    owner = owner_of(transfer.chown) if transfer.chown else None
    symbolic_mode = bool(transfer.chmod) and transfer.mode is None
    uncertain = owner is None and bool(transfer.chown)
    if known is None or symbolic_mode or uncertain or _unpacks(transfer, known):
        symbol = digest_of(
            ([one.token for one in contents], transfer.chown, transfer.chmod, transfer.keyword)
        )
        return files.with_graft(transfer.target, symbol, origin)
    nodes: dict[str, Node] = {}
    several = len(known.roots) > 1
    for root, name in known.roots:
        _place_root(nodes, files, transfer, known.tree, root, name, several=several)
    dressed = {path: _dressed(node, transfer, owner, profile) for path, node in nodes.items()}
    return files.with_nodes(dressed, owner or ROOT)


def owner_of(chown: str) -> str | None:
    """Return ``uid:gid`` of a numeric ``--chown``, or None: names need the image's passwd."""
    if not _NUMERIC_OWNER.match(chown):
        return None
    user, _, group = chown.partition(":")
    return f"{int(user)}:{int(group or user)}"


def _unpacks(transfer: Transfer, known: Known) -> bool:
    """Tell whether ADD may unpack one of its sources: any file with the look of an archive."""
    if transfer.keyword != "ADD":
        return False
    return any(_ARCHIVE.search(root) for root, _ in known.roots)


_ARCHIVE = re.compile(r"\.(?:tar|tgz|tbz2?|txz|tar\.\w+)\Z", re.IGNORECASE)


def _place_root(
    nodes: dict[str, Node],
    files: StageFiles,
    transfer: Transfer,
    tree: FileTree,
    root: str,
    name: str,
    *,
    several: bool,
) -> None:
    target = clean(transfer.target)
    if tree.is_dir(root):
        if target and not files.is_folder(target):
            nodes.setdefault(target, Node("dir", 0o755, ROOT, ""))
        for path in tree.below(root):
            inside = path[len(root) + 1 :] if root else path
            nodes[posixpath.join(target, inside)] = tree.nodes[path]
        return
    inside_folder = transfer.into_folder or several or files.is_folder(target)
    if inside_folder:
        if target and not files.is_folder(target):
            nodes.setdefault(target, Node("dir", 0o755, ROOT, ""))
        target = posixpath.join(target, name)
    nodes[target] = tree.nodes[root]


def _dressed(node: Node, transfer: Transfer, owner: str | None, profile: Profile) -> Node:
    """Return the node with the owner and mode that it has after the copy."""
    keeps_owner = profile.family is Family.BUILDKIT or transfer.origin is not None
    new_owner = owner or (node.owner if keeps_owner else ROOT)
    mode = transfer.mode if transfer.mode is not None and node.type != "symlink" else node.mode
    return node._replace(owner=new_owner, mode=mode)
