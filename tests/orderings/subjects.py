"""One Dockerfile, built in many legal orders on one builder, and its images compared."""

from __future__ import annotations

import hashlib
import math
import time
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Protocol

from bench.builders import BuildOutcome
from bench.equality import SECONDS_APART, compare_contents, read_images
from bench.orderings.ordering import Ordering, arrange
from tests.orderings.sampling import Sample, nearer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from docker import DockerClient

    from bench.builders import Build
    from bench.dockerfile import Dockerfile
    from bench.equality import ImageComparison, ImageContents
    from bench.orderings.legality import PartialOrder

_AT_ONCE = 12
"""Images saved together: each brings the layers that are its own, and the base comes once."""
_AT_LEAST = 3
"""Orderings that are built however long it takes."""


class Subject(Protocol):
    """A Dockerfile with all that it takes to build it, on one builder of one engine."""

    @property
    def name(self) -> str:
        """What it is called in the results."""

    @property
    def dockerfile(self) -> Dockerfile:
        """As it is written."""

    @property
    def order(self) -> PartialOrder:
        """What keeps its instructions in order, by the rules of the builder alone."""

    @property
    def client(self) -> DockerClient:
        """A client of the engine."""

    def build(self, text: str, number: int, *, no_cache: bool) -> Build:
        """Build another text of the Dockerfile; every number gets an image of its own."""
        ...

    def sent(self, text: str) -> str:
        """Return what is sent to the builder for such a text, in the names of its bases."""
        ...


@dataclass(frozen=True)
class Unlike:
    """A legal ordering that built to another image, or to none."""

    ordering: Ordering
    words: tuple[str, ...]


@dataclass
class Proof:
    """What came of one subject. ``skipped`` says why nothing was built in another order."""

    name: str
    legal: str = "1"
    built: int = 0
    uncached: int = 0
    equal: int = 0
    steps: int = 0
    steps_run: int = 0
    unlike: list[Unlike] = field(default_factory=list)
    nondeterministic: tuple[str, ...] = ()
    own_copies: tuple[str, ...] = ()
    """Paths in the image at which the Dockerfile itself is: it cannot be the same."""
    skipped: str = ""


class Proving:
    """Builds the orderings of one subject.

    ``apart`` are the seconds between the two builds of the Dockerfile as written; 0 will do where
    no file of the image holds a time.
    """

    def __init__(self, subject: Subject, apart: float = SECONDS_APART) -> None:
        self._subject = subject
        self._apart = apart
        self._number = 0
        self._first = ""
        self._again = ""
        self.proof = Proof(subject.name)

    def run(self, size: int, seed: str, seconds: float = math.inf) -> Proof:
        """Build ``size`` orderings, or all if there are no more, and compare their images.

        After so many ``seconds`` no further one is begun, but the first few are.

        The first one, in which the most is turned round, is built without the cache. All others
        share it with the written one, so that what a builder takes to be the same is not run
        again; a step whose place in the order matters to it is.

        Raises:
            EngineLostError: the engine went away.

        """
        sample = Sample(self._subject.order)
        self.proof.legal = str(sample.count)
        orderings = sample.choose(size, Random(seed))  # noqa: S311 - chance, no secret
        if not orderings:
            self.proof.skipped = "nothing can be moved"
            return self.proof
        if not self._build_written():
            return self.proof
        images: list[tuple[Ordering, str]] = []
        deadline = time.monotonic() + seconds
        for number, ordering in enumerate(orderings):
            if number >= _AT_LEAST and time.monotonic() > deadline:
                break
            image = self._build_ordering(ordering, no_cache=number == 0)
            if image is not None:
                images.append((ordering, image))
        for start in range(0, len(images), _AT_ONCE):
            self._compare(images[start : start + _AT_ONCE])
        return self.proof

    def nearest(self, unlike: Unlike) -> Unlike:
        """Turn back as much of a counter-example as can be while its image stays another one."""
        found = True
        while found:
            found = False
            for ordering in nearer(unlike.ordering):
                if ordering.is_written:
                    continue
                other = self._unlike(ordering)
                if other is not None:
                    unlike, found = other, True
                    break
        return unlike

    def _build_written(self) -> bool:
        text = self._subject.dockerfile.text
        first = self._build(text, no_cache=False)
        if first.outcome is not BuildOutcome.OK or first.image_id is None:
            self.proof.skipped = f"does not build: {_short(first.error)}"
            return False
        time.sleep(self._apart)
        # With another comment: an image that holds its own Dockerfile holds another one in every
        # order, and so does all that depends on it.
        again = self._build(f"{text.rstrip()}\n# built again\n", no_cache=True)
        if again.outcome is not BuildOutcome.OK or again.image_id is None:
            self.proof.skipped = f"does not build a second time: {_short(again.error)}"
            return False
        self._first, self._again = first.image_id, again.image_id
        return True

    def _build_ordering(self, ordering: Ordering, *, no_cache: bool) -> str | None:
        text = arrange(self._subject.dockerfile, ordering)
        build = self._build(text, no_cache=no_cache)
        self.proof.built += 1
        self.proof.uncached += no_cache
        self.proof.steps += build.hits + build.misses
        self.proof.steps_run += build.misses
        if build.outcome is BuildOutcome.OK and build.image_id is not None:
            return build.image_id
        self.proof.unlike.append(Unlike(ordering, (f"does not build: {_short(build.error)}",)))
        return None

    def _build(self, text: str, *, no_cache: bool) -> Build:
        self._number += 1
        return self._subject.build(text, self._number, no_cache=no_cache)

    def _compare(self, images: Sequence[tuple[Ordering, str]]) -> None:
        wanted = [self._first, self._again, *(image for _, image in images)]
        with read_images(self._subject.client, wanted) as (first, again, *others):
            for (ordering, _), other in zip(images, others, strict=True):
                comparison = compare_contents(first, other, again)
                self._note(first, comparison)
                if comparison.equal:
                    self.proof.equal += 1
                else:
                    self.proof.unlike.append(Unlike(ordering, tuple(comparison.words())))

    def _note(self, first: ImageContents, comparison: ImageComparison) -> None:
        sent = self._subject.sent(self._subject.dockerfile.text)
        own = hashlib.sha256(sent.encode()).hexdigest()
        paths = sorted({one.path for one in comparison.nondeterministic})
        entries = {path: first.files.at(path.lstrip("/")) for path in paths}
        copies = [path for path, entry in entries.items() if entry and entry.sha256 == own]
        self.proof.own_copies = tuple(copies)
        self.proof.nondeterministic = tuple(path for path in paths if path not in copies)

    def _unlike(self, ordering: Ordering) -> Unlike | None:
        """Build one more ordering; return it if its image is another one than the first."""
        build = self._build(arrange(self._subject.dockerfile, ordering), no_cache=False)
        if build.outcome is not BuildOutcome.OK or build.image_id is None:
            return Unlike(ordering, (f"does not build: {_short(build.error)}",))
        with read_images(self._subject.client, [self._first, self._again, build.image_id]) as (
            first,
            again,
            other,
        ):
            comparison = compare_contents(first, other, again)
        return None if comparison.equal else Unlike(ordering, tuple(comparison.words()))


def _short(error: str) -> str:
    return " ".join(error.split())[:200]
