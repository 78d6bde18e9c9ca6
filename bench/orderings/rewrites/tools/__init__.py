"""What known commands read and write of a project: a table, each row with its source.

A row is a function from the words of one command, and the project as it lies in the image, to a
`Use`; it refuses whatever it cannot show.
"""

from __future__ import annotations

import fnmatch
import posixpath
from typing import TYPE_CHECKING

from bench.orderings.rewrites.errors import UnprovableError
from bench.orderings.rewrites.tools import golang, java, node, others, python
from bench.orderings.rewrites.tools.project import Project, Use
from bench.orderings.rewrites.tools.shell import commands, is_usual_shell

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bench.dockerfile import Instruction

TABLE: Mapping[str, Callable[[list[str], Project], Use]] = {
    "npm": node.npm,
    "yarn": node.yarn,
    "pnpm": node.pnpm,
    "mvn": java.mvn,
    "go": golang.go,
    "bundle": others.bundle,
    "composer": others.composer,
    "cargo": others.cargo,
    "apt-get": others.apt,
    "apk": others.apk,
    "mkdir": others.files,
    "rm": others.files,
    "set": others.nothing,
    "true": others.nothing,
}
"""The commands that are known, by name; pip and Python have names with versions too."""

_HOME_NAMES = (
    *(
        ".npm",
        ".cache",
        ".config",
        ".local",
        ".m2",
        ".gem",
        ".composer",
        ".node-gyp",
        ".pnpm-store",
    ),
    *(".npmrc.d", ".java", ".netrc"),
)
"""What tools keep in a home directory, which may be where the project is copied to."""


def use_of(run: Instruction, shell: tuple[str, ...], project: Project) -> Use:
    """Return what a RUN uses of a project.

    Raises:
        UnprovableError: a command of it is not in the table, or may read more than is known.

    """
    for flag in run.flags:
        if not flag.startswith("--mount=type=cache,") and flag != "--network=none":
            raise UnprovableError(f"what {flag} brings in is not known")
    used = Use()
    for words in words_of(run, shell):
        used = used | _command(words, project)
    home = {name for name in project.here() if name in _HOME_NAMES}
    if home:
        raise UnprovableError(f"{min(home)} is among the copied files, where tools keep their own")
    return used


def words_of(run: Instruction, shell: tuple[str, ...]) -> list[list[str]]:
    """Return the words of each command of a RUN.

    Raises:
        UnprovableError: it is more than a list of plain commands.

    """
    if run.exec_form:
        return [list(run.arguments)]
    if not is_usual_shell(shell):
        raise UnprovableError(f"it is run by {' '.join(shell)}")
    return commands(" ".join(run.arguments))


def _command(words: list[str], project: Project) -> Use:
    name = words[0]
    row = python.pip if python.is_python(name) else TABLE.get(name)
    if row is None:
        raise UnprovableError(f"what {name} reads is not known")
    if name != "rm" and any(_is_glob(word, project) for word in words):
        raise UnprovableError(f"{' '.join(words)} takes files by a pattern")
    if any(posixpath.basename(path) == name for path in project.files):
        raise UnprovableError(f"a file called {name} is among the copied ones and may be what runs")
    return row(words, project)


def _is_glob(word: str, project: Project) -> bool:
    """Tell whether the shell may put names of files in the place of a word."""
    if "*" in word or "?" in word:
        return True
    # Where nothing matches it stays as it is: ``uvicorn[standard]`` is how packages are named.
    return "[" in word and any(fnmatch.fnmatchcase(name, word) for name in project.here())


__all__ = ["TABLE", "Project", "Use", "use_of", "words_of"]
