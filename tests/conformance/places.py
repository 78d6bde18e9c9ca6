"""The files that a stage is known to hold while it is built: what COPY and RUN may refer to.

This is no model of the cache. It only keeps the generator from writing builds that fail; a wrong
answer here costs a failed build, which is counted.
"""

from __future__ import annotations

import fnmatch
import posixpath
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.conformance.case import File

WILDCARDS = frozenset("*?[")
_BANG = re.compile(r"\[!([^]]+)\]")


class BrokenCaseError(Exception):
    """The state would not build; the text says why."""


@dataclass
class Files:
    """Absolute paths with their kind: ``file``, ``dir`` or ``link``. The root is always there.

    ``links`` says where links lead, as written.
    """

    kinds: dict[str, str] = field(default_factory=dict)
    volumes: set[str] = field(default_factory=set)
    links: dict[str, str] = field(default_factory=dict)

    def copy(self) -> Files:
        """Return an independent copy."""
        return Files(dict(self.kinds), set(self.volumes), dict(self.links))

    def resolve(self, path: str) -> str:
        """Follow a link that a COPY names to what it copies.

        Raises:
            BrokenCaseError: it leads to nothing that is known.

        """
        for _ in range(8):
            if self.kinds.get(path) != "link":
                break
            path = clean(posixpath.join(posixpath.dirname(path), self.links.get(path, "?")))
        if self.kind(path) not in {"file", "dir"}:
            raise BrokenCaseError(f"a link leads to {path}")
        return path

    def kind(self, path: str) -> str | None:
        """Return the kind of a path; None if it is not known."""
        return "dir" if path == "/" else self.kinds.get(path)

    def of_kind(self, kind: str) -> list[str]:
        """Return the known paths of one kind, sorted."""
        return sorted(path for path, one in self.kinds.items() if one == kind)

    def below(self, path: str) -> Iterator[tuple[str, str]]:
        """Yield what is below a directory, as relative path and kind."""
        prefix = path.rstrip("/") + "/"
        for other, kind in self.kinds.items():
            if other.startswith(prefix):
                yield other[len(prefix) :], kind

    def make_dir(self, path: str) -> None:
        """Make a directory and its parents.

        Raises:
            BrokenCaseError: something else is in the way.

        """
        path = clean(path)
        parts = path.strip("/").split("/") if path != "/" else []
        for depth in range(1, len(parts) + 1):
            parent = "/" + "/".join(parts[:depth])
            if self.kinds.setdefault(parent, "dir") != "dir":
                raise BrokenCaseError(f"{parent} is no directory")

    def put(self, path: str, kind: str) -> None:
        """Put a file or a link at a path.

        Raises:
            BrokenCaseError: something else is in the way.

        """
        self.make_dir(posixpath.dirname(path))
        if self.kinds.get(path, kind) != kind:
            raise BrokenCaseError(f"{path} is a {self.kinds[path]}, not a {kind}")
        self.kinds[path] = kind

    def remove(self, path: str) -> None:
        """Forget a path and what is below it."""
        for other in [*(f"{path}/{sub}" for sub, _ in self.below(path)), path]:
            self.kinds.pop(other, None)

    def in_volume(self, path: str) -> bool:
        """Tell whether a path is in a volume: the classic builder drops what RUN writes there."""
        return any(path == one or path.startswith(one + "/") for one in self.volumes)


def clean(path: str) -> str:
    """Return an absolute path in its shortest form."""
    return posixpath.normpath("/" + path.lstrip("/"))


def context_files(files: Mapping[str, File]) -> Files:
    """Return the sent paths of a context as absolute paths; a tar counts as a file."""
    kinds = {"tar": "file"}
    return Files(
        {f"/{path}": kinds.get(file.kind, file.kind) for path, file in files.items()},
        links={f"/{path}": file.content for path, file in files.items() if file.kind == "link"},
    )


def matching(files: Files, pattern: str) -> list[str]:
    """Return the absolute paths that a pattern matches, part by part as Go's filepath.Match."""
    as_directory = pattern.endswith(("/", "/."))
    pattern = clean(pattern)
    if not WILDCARDS & set(pattern):
        kind = files.kind(pattern)
        return [pattern] if kind and (kind == "dir" or not as_directory) else []
    # Go negates a class with ^, fnmatch with !.
    wanted = _BANG.sub(r"[\1!]", pattern).replace("[^", "[!").split("/")
    return [
        path
        for path in sorted(files.kinds)
        if len(parts := path.split("/")) == len(wanted)
        and all(fnmatch.fnmatchcase(*pair) for pair in zip(parts, wanted, strict=True))
    ]


def copy_into(target: Files, dest: str, source: Files, path: str) -> None:
    """Copy one file or a directory's content to ``dest``, which says by its slash what it is.

    Raises:
        BrokenCaseError: it would not work.

    """
    kind = source.kind(path)
    if kind is None:
        raise BrokenCaseError(f"{path} is not there")
    place = clean(dest)
    if kind == "dir":
        target.make_dir(place)
        for sub, one in source.below(path):
            inner = f"{place.rstrip('/')}/{sub}"
            if one == "dir":
                target.make_dir(inner)
            else:
                target.put(inner, one)
            if one == "link":
                target.links[inner] = source.links.get(f"{path.rstrip('/')}/{sub}", "?")
        return
    if dest.endswith("/") or target.kind(place) == "dir":
        place = f"{place.rstrip('/')}/{posixpath.basename(path)}"
    target.put(place, "file")
