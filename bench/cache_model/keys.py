"""Cache keys: what a builder looks up, put together from named parts so that two can be compared.

A key stands for the whole chain below it. Equal keys hit. Contents that only a run of RUN decides
are symbols: they may turn out equal although the symbols differ, and a key that differs from a
known one in nothing but such contents *may* hit.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from hashlib import blake2b
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Container, Mapping

    from bench.cache_model.outcomes import StepPlace
    from bench.workspace.manifest import Entry

Part = tuple[str, object]
"""A named piece of a key's definition: ``("destination", "/app/")``."""


def digest_of(value: object) -> str:
    """Return a digest of a value of plain types; equal values have equal digests."""
    return blake2b(repr(value).encode("utf-8", "surrogateescape"), digest_size=16).hexdigest()


@dataclass(frozen=True)
class Content:
    """The files that one source of a COPY, ADD or bind mount selects.

    ``known`` is the digest of what is known of them. ``symbol`` names the run of RUN, or the base
    image, that the rest comes from; None where everything is known. ``entries`` are the selected
    context paths with what is hashed of each, for explaining a difference. ``shown`` says in words
    where the files come from.
    """

    known: str
    symbol: str | None = None
    entries: Mapping[str, Entry] = field(default_factory=dict, compare=False, repr=False)
    shown: str = field(default="", compare=False)
    origin: StepPlace | None = field(default=None, compare=False)
    """The step that made what ``symbol`` stands for, where it is of this build."""

    @property
    def token(self) -> tuple[str, str | None]:
        """What enters the key."""
        return self.known, self.symbol

    def may_equal(self, other: Content) -> bool:
        """Tell whether the files may be equal bit for bit, as far as can be known."""
        if self.token == other.token:
            return True
        # On the same ground, what was put on top decides; on unlike grounds nothing is certain.
        return self.symbol != other.symbol


@dataclass(frozen=True, eq=False)
class Key:
    """The cache key of one step.

    ``definition`` are the parts that come from the Dockerfile and the request; ``parent`` is the
    key of the step it stands on (None on ``scratch``); ``context`` are contents that come from the
    build context, known to the last bit; ``artefacts`` those from a stage or an image.
    """

    keyword: str
    definition: tuple[Part, ...]
    parent: Key | None = None
    context: tuple[Content, ...] = ()
    artefacts: tuple[Content, ...] = ()
    shown: str = ""
    """The instruction, or the image's name, as people read it; no part of the key."""
    arguments: frozenset[str] = frozenset()
    """Which variables of the definition are build arguments; no part of the key."""

    exact: str = field(init=False)
    """The digest that two equal keys share."""

    def __post_init__(self) -> None:
        digest = digest_of(
            (
                self.keyword,
                self.definition,
                self.parent.exact if self.parent else "",
                [one.token for one in self.context],
                [one.token for one in self.artefacts],
            )
        )
        object.__setattr__(self, "exact", digest)

    @cached_property
    def loose(self) -> str:
        """The digest that keys share which differ in nothing but artefacts."""
        return digest_of(
            (
                self.keyword,
                self.definition,
                self.parent.loose if self.parent else "",
                [one.token for one in self.context],
                len(self.artefacts),
            )
        )

    @cached_property
    def has_artefacts(self) -> bool:
        """Whether an artefact decides on this key or on one that it stands on."""
        return bool(self.artefacts) or (self.parent is not None and self.parent.has_artefacts)

    def may_equal(self, other: Key, distinct: Container[frozenset[str]] = ()) -> bool:
        """Tell whether both may turn out to be one key once all artefacts are known.

        ``distinct`` holds pairs of exact digests that have turned out to be unlike.
        """
        if self.exact == other.exact:
            return True
        if self.loose != other.loose or frozenset((self.exact, other.exact)) in distinct:
            return False
        pairs = zip(self.artefacts, other.artefacts, strict=True)
        if not all(mine.may_equal(theirs) for mine, theirs in pairs):
            return False
        if self.parent is None or other.parent is None:
            return True
        return self.parent.may_equal(other.parent, distinct)

    def differing_parts(self, other: Key) -> list[tuple[str, object, object]]:
        """Return ``(name, other's, own)`` for every definition part that differs."""
        theirs = dict(other.definition)
        mine = dict(self.definition)
        names = [*theirs, *(name for name in mine if name not in theirs)]
        return [
            (name, theirs.get(name), mine.get(name))
            for name in names
            if theirs.get(name) != mine.get(name)
        ]
