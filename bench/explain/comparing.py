"""The two states that are held against each other, from wherever the earlier one comes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.errors import UsageError
from bench.explain.revision import Untracked, revision_state
from bench.explain.states import Place, read_state
from bench.workspace.manifest import EntryIndex

if TYPE_CHECKING:
    from pathlib import Path

    from bench.explain.states import State
    from bench.workspace import ClientRule

NOW = "the working tree"


@dataclass(frozen=True)
class Earlier:
    """Where the earlier state comes from: a git revision, or another folder.

    ``dockerfile`` is where its Dockerfile lies, if not at the same place.
    """

    revision: str | None = None
    context: Path | None = None
    dockerfile: Path | None = None
    untracked: Untracked = Untracked.ADDED


@dataclass(frozen=True)
class States:
    """The two states, and what was assumed of them."""

    before: State
    after: State
    notes: tuple[str, ...] = ()


def read_states(place: Place, earlier: Earlier, client: ClientRule) -> States:
    """Read both states; nothing is written.

    Raises:
        BenchError: one of them cannot be had.

    """
    index = EntryIndex(place.context)
    if earlier.context is not None:
        before = _folder_state(place, earlier.context, earlier.dockerfile, client)
        after = read_state(place, str(place.context), client, index)
        return States(before, after)
    if earlier.revision is None:
        raise UsageError(
            "there is nothing to compare the working tree with",
            remedy="name a git revision with --since, or a folder with --since-context",
        )
    revision = revision_state(
        place,
        earlier.revision,
        client,
        index,
        untracked=earlier.untracked,
        dockerfile=earlier.dockerfile,
    )
    after = read_state(place, NOW, client, index)
    return States(revision.state, after, revision.notes)


def _folder_state(
    place: Place, context: Path, dockerfile: Path | None, client: ClientRule
) -> State:
    if dockerfile is None:
        # A Dockerfile that lies outside of both contexts is one and the same.
        dockerfile = place.dockerfile if place.inside is None else context / place.inside
        if not dockerfile.is_file() and context.is_dir():
            raise UsageError(
                f"{dockerfile}: the earlier context has no such Dockerfile",
                remedy="name the earlier one with --since-dockerfile",
            )
    return read_state(Place.of(dockerfile, context), str(context), client, EntryIndex(context))
