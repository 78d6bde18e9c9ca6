"""A small repository of six commits whose hits and misses are easy to say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.commits.repositories import Repo

if TYPE_CHECKING:
    from pathlib import Path

DOCKERFILE = """\
FROM {image}
WORKDIR /src
COPY list.txt .
RUN cat list.txt > deps
COPY src/ src/
RUN cat src/* > out
"""


def make_six(folder: Path, image: str) -> Repo:
    """Make the repository: a cold build, then five commits, one of them a merge."""
    repo = Repo(folder)
    repo.commit(
        "Begin",
        {
            "Dockerfile": DOCKERFILE.format(image=image),
            "list.txt": "1\n",
            "src/a": "1\n",
            "README": "1\n",
        },
    )
    repo.commit("Write", {"README": "2\n"})
    repo.commit("Edit a", {"src/a": "2\n"})
    repo.git("checkout", "--quiet", "-b", "side")
    repo.commit("side 1", {"src/b": "1\n"})
    repo.commit("side 2", {"src/b": "2\n", "list.txt": "2\n"})
    repo.git("checkout", "--quiet", "main")
    repo.git("merge", "--quiet", "--no-ff", "--message", "Merge side", "side")
    text = DOCKERFILE.format(image=image)
    repo.commit("Other command", {"Dockerfile": text.replace("src/* > out", "src/* > end")})
    repo.git("checkout", "--quiet", "HEAD~4", "--", ".")
    (repo.folder / "src/b").unlink()
    repo.commit("Back to the beginning")
    return repo


@pytest.fixture
def six(tmp_path: Path) -> Repo:
    return make_six(tmp_path / "shop", "alpine")
