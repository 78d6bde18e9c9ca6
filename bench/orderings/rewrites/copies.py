"""Write COPY instructions that take some of what another COPY takes, to the same places."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from bench.orderings.rewrites.errors import UnprovableError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bench.cache_model.files import FileTree
    from bench.orderings.rewrites.flow import Copied

_PLAIN = re.compile(r"\A[\w.@/][\w.,:@%+=/-]*\Z")
_MOST = 8
"""More COPY instructions than this are no good Dockerfile."""
_USUAL_MODE = 0o755


def part_of(copied: Copied, wanted: Iterable[str], tree: FileTree) -> list[str]:
    """Return COPY instructions that take of ``copied`` only what lands at ``wanted``.

    ``wanted`` are absolute paths in the image of files and folders, each folder with all that is
    in it. Folders that are taken as a whole are copied as folders, after single files.

    Raises:
        UnprovableError: that needs too many instructions, a name would have to be quoted, a link
            would be followed, or a folder would get another mode until the rest is copied.

    """
    kept = set(wanted)
    lines: dict[str, list[str]] = {}
    whole: list[tuple[str, str]] = []
    _cover(copied, tree, (copied.transfer.target, list(copied.files)), kept, lines, whole)
    out = [_line(copied, sources, folder) for folder, sources in lines.items()]
    out += [_line(copied, [source], folder) for folder, source in whole]
    if len(out) > _MOST:
        raise UnprovableError(f"what is read lies in {len(out)} places, which is too scattered")
    return out


def _cover(
    copied: Copied,
    tree: FileTree,
    place: tuple[str, list[str]],
    kept: set[str],
    lines: dict[str, list[str]],
    whole: list[tuple[str, str]],
) -> None:
    folder, inside = place
    start = len(folder.rstrip("/")) + 1
    grouped: dict[str, list[str]] = {}
    for path in inside:
        end = path.find("/", start)
        below = grouped.setdefault(path if end < 0 else path[:end], [])
        if end >= 0:
            below.append(path)
    for path, below in sorted(grouped.items()):
        source = copied.files.get(path, "")  # a folder may only be implied by what is in it
        node = tree.nodes.get(source)
        is_folder = bool(below) or (node is not None and node.type == "dir")
        if not is_folder:
            if path in kept:
                _check_file(copied, tree, path)
                lines.setdefault(folder, []).append(source)
            continue
        if path not in kept and not any(one in kept for one in below):
            continue
        if node is None or node.mode != _USUAL_MODE:
            raise UnprovableError(
                f"the folder {source or path} would have mode 0755 instead of its own"
            )
        if below and not any(one in kept for one in below):
            raise UnprovableError(f"the folder {source} is looked at, but not into")
        if path in kept and all(one in kept for one in below):
            whole.append((path, source + "/"))
        else:
            _cover(copied, tree, (path, below), kept, lines, whole)


def _check_file(copied: Copied, tree: FileTree, path: str) -> None:
    source = copied.files[path]
    node = tree.nodes.get(source)
    if node is None or node.type != "file":
        raise UnprovableError(f"{source} is a link, which COPY would follow")
    if posixpath.basename(source) != posixpath.basename(path):
        raise UnprovableError(f"{source} is copied under another name")


def _line(copied: Copied, sources: list[str], folder: str) -> str:
    rest = folder[len(copied.transfer.target.rstrip("/")) :].strip("/")
    destination = copied.instruction.arguments[-1]
    top = destination.removesuffix(".") if destination in {".", "./."} else destination
    written = f"{top.rstrip('/')}/{rest}/" if rest else f"{top.rstrip('/')}/"
    if destination in {".", "./", "./."}:
        written = f"./{rest}/" if rest else "./"
    for word in (*sources, destination):
        if not _PLAIN.match(word):
            raise UnprovableError(f"the name {word} would have to be quoted")
    flags = "".join(f"{flag} " for flag in copied.instruction.flags)
    return f"COPY {flags}{' '.join(sources)} {written}"
