"""The state of a bare Dockerfile and context, which are read where they stand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.dockerfile import parse
from bench.errors import DockerfileError
from bench.predicting.state import BuildState
from bench.workspace import Context

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from bench.dockerfile import Dockerfile
    from bench.workspace import ClientRule


def read_state(
    dockerfile: Path,
    context: Path,
    clients: Iterable[ClientRule],
    *,
    change: str = "",
    build_args: Mapping[str, str] | None = None,
    target: str | None = None,
) -> BuildState:
    """Read what ``docker build -f DOCKERFILE CONTEXT`` would send; nothing is written.

    Args:
        dockerfile: may lie outside of the context, and is then no part of it.
        context: the build context's folder.
        clients: whose selections of the context are wanted.
        change: what led to this state, for people.
        build_args: the request's build arguments.
        target: the stage to build, in place of the last.

    Raises:
        DockerfileError: the Dockerfile cannot be read, or is not right.
        UsageError: there is no stage ``target``.
        WorkspaceError: the context cannot be read.

    """
    parsed = read_dockerfile(dockerfile)
    tree = Context(context, dockerfile)
    return BuildState(
        change=change,
        dockerfile=parsed,
        manifests={client: tree.manifest(client) for client in clients},
        build_args=dict(build_args or {}),
        target=target,
    )


def read_dockerfile(path: Path) -> Dockerfile:
    """Read and parse a Dockerfile.

    Raises:
        DockerfileError: naming the file, and the line where it does not parse.

    """
    try:
        text = path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise DockerfileError(
            f"{path}:{line}: is not UTF-8: byte {error.object[error.start]:#04x}",
            remedy="save the Dockerfile as UTF-8 text",
        ) from error
    except FileNotFoundError as error:
        raise DockerfileError(
            f"{path}: there is no such file", remedy="name the Dockerfile"
        ) from error
    except IsADirectoryError as error:
        raise DockerfileError(
            f"{path}: is a folder", remedy=f"name the Dockerfile: {path / 'Dockerfile'}"
        ) from error
    except OSError as error:
        raise DockerfileError(
            f"{path}: cannot be read: {error.strerror}", remedy="make the file readable"
        ) from error
    return parse(text, str(path))
