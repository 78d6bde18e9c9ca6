"""One state of a build: its Dockerfile, and its context as a docker client would send it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.dockerfile import parse
from bench.errors import UsageError
from bench.predicting import read_dockerfile
from bench.workspace import Manifest
from bench.workspace.errors import explained
from bench.workspace.select import Selector

if TYPE_CHECKING:
    from pathlib import Path

    from bench.dockerfile import Dockerfile
    from bench.workspace import ClientRule
    from bench.workspace.manifest import EntryIndex
    from bench.workspace.tree import Node


@dataclass(frozen=True)
class Place:
    """Where a Dockerfile and its context lie on the disk.

    ``inside`` is the Dockerfile's path relative to the context; None if it lies elsewhere, and
    then no ``COPY . .`` sees it.
    """

    dockerfile: Path
    context: Path
    inside: str | None

    @classmethod
    def of(cls, dockerfile: Path, context: Path) -> Place:
        """Look both up.

        Raises:
            UsageError: there is no such folder, or no such file.

        """
        if not context.is_dir():
            raise UsageError(
                f"{context}: the build context is not a folder",
                remedy="name the folder that docker build is given",
            )
        if not dockerfile.is_file():
            raise UsageError(
                f"{dockerfile}: there is no such Dockerfile", remedy="name it with --dockerfile"
            )
        folder, root = dockerfile.parent.resolve(), context.resolve()
        inside = None
        if folder.is_relative_to(root):
            inside = (folder / dockerfile.name).relative_to(root).as_posix()
        return cls(dockerfile, context, inside)

    @property
    def for_ignoring(self) -> str | Path:
        """The Dockerfile as `bench.workspace.select` wants it: inside the context, or absolute."""
        return self.inside if self.inside is not None else self.dockerfile.absolute()


@dataclass(frozen=True)
class State:
    """One state. ``label`` is how people call it, ``ignore_file`` what kept files out, if any.

    The manifest holds what an instruction can copy: the Dockerfile and ``.dockerignore`` are not
    in it where they are ignored, although a builder needs them.
    """

    label: str
    dockerfile: Dockerfile
    manifest: Manifest
    ignore_file: str | None


def read_state(place: Place, label: str, client: ClientRule, index: EntryIndex) -> State:
    """Read a state from the disk; nothing is written.

    Raises:
        BenchError: something cannot be read, or is no Dockerfile or ignore file.

    """
    nodes, ignore_file = chosen_nodes(place, client)
    with explained("read the build context"):
        manifest = Manifest(index.entries(nodes))
    return State(label, read_dockerfile(place.dockerfile), manifest, ignore_file)


def chosen_nodes(place: Place, client: ClientRule) -> tuple[list[Node], str | None]:
    """Return what a client would send of a context, and which ignore file it followed.

    Raises:
        WorkspaceError: something cannot be read, or the ignore file makes no sense.

    """
    selection = Selector(place.context, place.for_ignoring).select(client)
    nodes = [one for one in selection.nodes if one.path not in selection.sent_although_ignored]
    return nodes, selection.ignore_file


def parse_dockerfile(content: bytes, name: str) -> Dockerfile:
    """Parse the content of a file that is called ``name``.

    Raises:
        BenchError: it is no text, or no Dockerfile.

    """
    try:
        return parse(content.decode("utf-8-sig"), name)
    except UnicodeDecodeError as error:
        raise UsageError(
            f"{name}: is no UTF-8 text ({error})", remedy="save it as UTF-8"
        ) from error
