"""The illegal moves change real images, the legal ones do not: no refusal is in vain."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

import pytest

from bench.builders import BuildOutcome
from bench.cache_model import find_profile
from bench.equality import compare_images
from bench.orderings.legality import partial_order
from bench.orderings.ordering import Ordering, arrange
from tests.conformance.targets import OwnEngine, in_memory
from tests.orderings.generated import state_of
from tests.orderings.generated_subjects import GeneratedEngine, GeneratedSubject
from tests.orderings.traps import BOTH, ILLEGAL, LEGAL, Move

if TYPE_CHECKING:
    from collections.abc import Iterator

PROFILES = {
    "classic": ("classic-20.10", "classic-26"),
    "buildkit": ("buildkit-0.8", "buildkit-28", "buildkit-28-containerd"),
}
_AT_ONCE = 3
"""No times are measured here, and a builder waits more than it works."""


def allowed(move: Move, name: str) -> bool:
    profile = find_profile(name)
    build = state_of(move.case.states[0], profile).input_for(profile)
    order = partial_order(build, [profile])
    assert order.allows(Ordering.written(build.dockerfile))
    return order.allows(move.ordering)


@pytest.mark.parametrize("move", ILLEGAL, ids=lambda move: move.name)
def test_an_illegal_move_is_refused_for_every_builder_that_minds_it(move: Move) -> None:
    for builder in move.builders:
        for name in PROFILES[builder]:
            assert not allowed(move, name), name


@pytest.mark.parametrize("move", LEGAL, ids=lambda move: move.name)
def test_a_legal_move_is_allowed_for_every_builder(move: Move) -> None:
    for builder in BOTH:
        for name in PROFILES[builder]:
            assert allowed(move, name), name


@pytest.fixture(scope="module", params=BOTH)
def engine(request: pytest.FixtureRequest) -> Iterator[GeneratedEngine]:
    with in_memory():
        own = OwnEngine("debian-12", request.param)
        made = GeneratedEngine(own.client, own.target())
        yield made
        made.close()
        own.discard()


@pytest.mark.engine
@pytest.mark.slow
def test_illegal_moves_and_no_others_make_other_images(engine: GeneratedEngine) -> None:
    bases = engine.new_bases()
    moves = (*ILLEGAL, *LEGAL)
    subjects = [GeneratedSubject(engine, move.case, bases) for move in moves]
    with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        found = list(pool.map(partial(differences, engine), moves, subjects))
    for move, words in zip(moves, found, strict=True):
        changes = move in ILLEGAL and engine.target.builder in move.builders
        assert bool(words) == changes, (move.name, words)


def differences(engine: GeneratedEngine, move: Move, subject: GeneratedSubject) -> list[str]:
    """Build both orders; return in what their images differ."""
    first = subject.build(subject.dockerfile.text, 1, no_cache=False)
    assert first.image_id is not None, first.error
    second = subject.build(arrange(subject.dockerfile, move.ordering), 2, no_cache=False)
    if second.outcome is not BuildOutcome.OK or second.image_id is None:
        return [f"does not build: {second.error}"]
    comparison = compare_images(engine.client, first.image_id, second.image_id)
    return [] if comparison.equal else comparison.words()
