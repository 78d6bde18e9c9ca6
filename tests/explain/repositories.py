"""Git repositories with a build context in them."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

DOCKERFILE = """\
FROM busybox AS build
WORKDIR /src
COPY pom.xml .
RUN cat pom.xml > /deps
COPY . .
RUN cat src/App.java > /app.jar
FROM busybox
ARG VERSION=1
RUN echo $VERSION > /version
EXPOSE 80
COPY --from=build /app.jar /app/app.jar
RUN cat /app/app.jar
"""
FILES = {
    "Dockerfile": DOCKERFILE,
    "pom.xml": "<project/>\n",
    "README.md": "# Shop\n",
    "src/App.java": "class App {}\n",
    "run.sh": "#!/bin/sh\n",
    ".gitignore": "target/\n.env\n",
    ".dockerignore": ".git\n",
}


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=t", "-c", "user.email=t@t", "-c", "commit.gpgsign=false"]
    done = subprocess.run(
        ["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def write(folder: Path, files: Mapping[str, str | bytes]) -> None:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)


def commit(folder: Path, tag: str) -> None:
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", tag, "--allow-empty")
    git(folder, "tag", tag)


def make_repository(folder: Path, files: Mapping[str, str | bytes] = FILES) -> Path:
    """Make a repository with one commit, tagged ``one``, and files that git ignores."""
    folder.mkdir(parents=True, exist_ok=True)
    git(folder, "init", "-q")
    write(folder, files)
    (folder / "run.sh").chmod(0o755)
    commit(folder, "one")
    write(folder, {"target/old.jar": "jar", ".env": "A=1\n"})
    return folder
