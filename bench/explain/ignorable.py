"""Files that a build hardly ever needs, and that ``.dockerignore`` could have kept out of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.explain.account import Account

_FOLDERS = frozenset(
    {
        *(
            ".git",
            ".github",
            ".gitlab",
            ".circleci",
            ".idea",
            ".vscode",
            ".settings",
            "docs",
            "doc",
        ),
        *("__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".venv", ".tox"),
        *("node_modules", ".gradle", ".terraform", ".svn", ".hg", "coverage", "htmlcov"),
    }
)
_FILES = re.compile(
    r"""(?ix)
    readme(\..*)? | changelog(\..*)? | changes(\.(md|rst|txt))? | licen[cs]e(\..*)? | notice(\..*)?
    | contributing(\..*)? | authors(\..*)? | code_of_conduct(\..*)? | security\.md | codeowners
    | .*\.md | .*\.markdown | .*\.log | .*~ | .*\.sw[opx] | .*\.py[co] | \.ds_store | thumbs\.db
    | \.(git(ignore|attributes|modules)|dockerignore|editorconfig|travis\.yml|gitlab-ci\.yml)
    | \.pre-commit-config\.yaml | jenkinsfile
    | (docker-)?compose([.-].*)?\.ya?ml
    """
)
_DOCKERFILES = re.compile(r"(?i)(.*[./-])?(dockerfile|containerfile)([.-].*)?")


def is_ignorable(path: str) -> bool:
    """Tell whether a build can most likely do without this file of its context."""
    *folders, name = path.split("/")
    return any(folder in _FOLDERS for folder in folders) or (
        name in _FOLDERS or _FILES.fullmatch(name) is not None or is_dockerfile(path)
    )


def is_dockerfile(path: str) -> bool:
    """Tell whether a path is called like a Dockerfile."""
    return _DOCKERFILES.fullmatch(path.rpartition("/")[2]) is not None


@dataclass(frozen=True)
class Hints:
    """Says of a miss how ``.dockerignore`` could have avoided it.

    ``is_own_dockerfile`` tells whether a path of the context is the Dockerfile that is built.
    ``has_ignore_file`` tells whether there is an ignore file; None where that is not known.
    ``sends_dockerfile`` says that the builder gets the Dockerfile whatever is ignored.
    """

    is_own_dockerfile: Callable[[str], bool] = is_dockerfile
    has_ignore_file: bool | None = None
    sends_dockerfile: bool = False

    def __call__(self, account: Account) -> str:
        """Return the hint, in brackets after a blank, or nothing."""
        paths = account.paths
        # What the instruction names itself, it needs.
        named = {word.strip('",[]').removeprefix("./") for word in account.text.split()}
        if not account.is_about_files or not paths or named & set(paths):
            return ""
        own = [path for path in paths if self.is_own_dockerfile(path)]
        if not all(path in own or is_ignorable(path) for path in paths):
            return ""
        if len(own) == len(paths):
            return f" (the Dockerfile itself: {self._remedy()})"
        them = "it" if len(paths) == 1 else "them"
        if self.has_ignore_file is False:
            return f" (there is no .dockerignore that keeps {them} out)"
        return f" (.dockerignore does not list {them})"

    def _remedy(self) -> str:
        if self.sends_dockerfile:
            return "docker buildx leaves it out if .dockerignore lists it"
        if self.has_ignore_file is False:
            return "write a .dockerignore that lists it"
        return "list it in .dockerignore"
