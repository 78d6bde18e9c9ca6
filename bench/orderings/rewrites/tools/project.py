"""The project's files as a package manager finds them, and what one command of it uses."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bench.orderings.rewrites.errors import UnprovableError
from bench.orderings.rewrites.paths import inside, join

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Use:
    """What a RUN, or one command of it, reads and writes.

    ``reads`` and ``writes`` are absolute paths or patterns, as those of `Access`; ``reads`` only
    names files that may come from the build context. ``obligations`` say what is relied on.
    """

    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    obligations: tuple[str, ...] = ()

    def __or__(self, other: Use) -> Use:
        """Return what both use together."""
        return Use(
            tuple(dict.fromkeys((*self.reads, *other.reads))),
            tuple(dict.fromkeys((*self.writes, *other.writes))),
            tuple(dict.fromkeys((*self.obligations, *other.obligations))),
        )


@dataclass(frozen=True)
class Project:
    """The files of the context that lie in the image when a RUN begins.

    ``folder`` is the working directory; ``files`` maps paths in the image to paths in the
    context; ``contents`` are texts by path in the context; ``variables`` are the ENVs and ARGs
    that the Dockerfile sets.
    """

    folder: str
    files: Mapping[str, str]
    contents: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)

    def path(self, name: str) -> str:
        """Return ``name``, relative to the working directory, as an absolute path."""
        return join(self.folder, name)

    def has(self, name: str) -> bool:
        """Tell whether a file or folder of the context lies there."""
        return self.path(name) in self.files

    def present(self, *names: str) -> tuple[str, ...]:
        """Return the absolute paths of those that are there."""
        return tuple(self.path(name) for name in names if self.has(name))

    def text(self, name: str) -> str:
        """Return the text of a file.

        Raises:
            UnprovableError: it is not there, or its text is not known.

        """
        source = self.files.get(self.path(name))
        if source is None:
            raise UnprovableError(f"{name} is not among the copied files")
        if source not in self.contents:
            raise UnprovableError(f"what {name} holds is not known")
        return self.contents[source]

    def here(self) -> set[str]:
        """Return the names of what lies right in the working directory."""
        prefix = self.folder.rstrip("/") + "/"
        return {
            path[len(prefix) :].partition("/")[0] for path in self.files if path.startswith(prefix)
        }

    def refuse(self, why: Mapping[str, str]) -> None:
        """Refuse a project that holds one of these names; ``why`` says what the tool does of it.

        Raises:
            UnprovableError: naming the first that is there.

        """
        for name, reason in why.items():
            if self.has(name):
                raise UnprovableError(f"there is {name}: {reason}")

    def refuse_above(self, *names: str) -> None:
        """Refuse copied files of these names in folders above, where the tool looks for them.

        Raises:
            UnprovableError: naming the first that is there.

        """
        folder = self.folder
        while folder != "/":
            folder = posixpath.dirname(folder)
            for name in names:
                if join(folder, name) in self.files:
                    raise UnprovableError(f"the tool also looks at {join(folder, name)}")

    def refuse_variables(self, *prefixes: str, but: tuple[str, ...] = ()) -> None:
        """Refuse settings of the tool in the environment, which may name more files.

        Raises:
            UnprovableError: naming the first that is set.

        """
        for name in self.variables:
            if name.upper() not in but and name.upper().startswith(prefixes):
                raise UnprovableError(f"the variable {name} may make the tool read other files")

    def is_outside(self, path: str) -> bool:
        """Tell whether an absolute path neither holds nor lies among copied files."""
        return not any(inside(one, path) or inside(path, one) for one in self.files)


def check_options(words: list[str], known: Mapping[str, int]) -> list[str]:
    """Take the options off a command and return its other words.

    ``known`` maps each option that changes nothing about which files are read to the number of
    words that follow it as its value; ``--option=value`` is one word.

    Raises:
        UnprovableError: an option is not known.

    """
    rest: list[str] = []
    pending = list(words)
    while pending:
        word = pending.pop(0)
        if not word.startswith("-") or word == "-":
            rest.append(word)
            continue
        name, has_value, _ = word.partition("=")
        if name not in known:
            raise UnprovableError(f"what the option {name} makes it read is not known")
        if not has_value:
            del pending[: known[name]]
    return rest
