"""What a rewrite is: it takes facts of one build and proposes other texts, each with its reasons.

A rewrite changes more than the order of whole instructions, so it needs a proof of its own. It
proposes only what it can show to leave the image the same from what is known; where it cannot, it
says why.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

from bench.orderings.rewrites.flow import Flow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from bench.cache_model import BuildInput, Profile, StepPlace
    from bench.dockerfile import Dockerfile
    from bench.orderings.access import Access

BUILDKIT = "buildkit"
CLASSIC = "classic"
BUILDAH = "buildah"
EVERY_BUILDER = (CLASSIC, BUILDKIT, BUILDAH)


@dataclass(frozen=True)
class Facts:
    """All that is known of one build.

    ``profiles`` are the builders that have to give the same image with what is proposed. ``build``
    holds the Dockerfile and the context as it is sent. ``access`` says what single RUNs read and
    write, where it was declared or observed. ``weights`` say how often a path of the context
    changes, relative to each other (empty: not known). ``contents`` are the texts of those files
    of the context that package managers read, by path (see `read_contents`). ``dockerignore`` is
    the text of the ``.dockerignore`` in force, None where there is none; ``ignore_file`` is its
    path in the context.
    """

    build: BuildInput
    profiles: tuple[Profile, ...]
    access: Mapping[StepPlace, Access] = field(default_factory=dict)
    weights: Mapping[str, float] = field(default_factory=dict)
    contents: Mapping[str, str] = field(default_factory=dict)
    dockerignore: str | None = None
    ignore_file: str = ".dockerignore"

    @property
    def dockerfile(self) -> Dockerfile:
        """The Dockerfile as it stands."""
        return self.build.dockerfile

    @cached_property
    def flow(self) -> Flow:
        """The Dockerfile gone through, as all of ``profiles`` read it."""
        return Flow(self.build, self.profiles)

    def serves(self, builders: tuple[str, ...]) -> bool:
        """Tell whether some of ``profiles`` is of one of these builders."""
        return any(str(profile.family) in builders for profile in self.profiles)

    def only(self, builder: str) -> bool:
        """Tell whether all of ``profiles`` are of this builder."""
        return all(str(profile.family) == builder for profile in self.profiles)

    def with_build(self, build: BuildInput, **others: object) -> Facts:
        """Return the facts of another build of the same project."""
        return replace(self, build=build, **others)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Proposal:
    """One rewrite carried out.

    ``dockerfile_text`` is the whole new Dockerfile; ``dockerignore_text`` the whole new ignore
    file, None where it stays as it is. ``reason`` says in words what is gained, ``obligations``
    what the proof that the image stays the same rests on. ``builders`` are those that gain.
    """

    rewrite: str
    dockerfile_text: str
    dockerignore_text: str | None
    reason: str
    obligations: tuple[str, ...]
    builders: tuple[str, ...]


@dataclass(frozen=True)
class Refusal:
    """A place where a rewrite would be worth something, and why it cannot be made.

    ``line`` is where it stands in the Dockerfile, 0 where it is about the whole.
    """

    rewrite: str
    line: int
    why: str


@dataclass(frozen=True)
class Rewrite:
    """One named rewrite. ``name`` is its switch; ``builders`` are those it is for."""

    name: str
    title: str
    builders: tuple[str, ...]
    look: Callable[[Facts], Iterator[Proposal | Refusal]]
    """Goes through the Dockerfile and yields all that it finds."""

    def proposals(self, facts: Facts) -> list[Proposal]:
        """Return every proposal, each on its own: a whole text in which one thing differs."""
        return [one for one in self.found(facts) if isinstance(one, Proposal)]

    def why_not(self, facts: Facts) -> list[Refusal]:
        """Return every place that it looked at and had to leave as it is."""
        return [one for one in self.found(facts) if isinstance(one, Refusal)]

    def found(self, facts: Facts) -> list[Proposal | Refusal]:
        """Return both, in the order of the Dockerfile."""
        return list(self.look(facts)) if facts.serves(self.builders) else []
