"""The partial order of a Dockerfile: what it allows, what it refuses, what it relies on."""

from __future__ import annotations

import hashlib

from hypothesis import given, settings
from hypothesis import strategies as st

from bench.cache_model import BuildInput, find_profile
from bench.dockerfile import parse
from bench.orderings.commuting import ConflictKind, ObligationKind
from bench.orderings.legality import PartialOrder, partial_order
from bench.orderings.ordering import Ordering
from bench.workspace.manifest import Entry, Manifest
from tests.orderings.test_every_ordering import dockerfiles, drawn, order_of

CLASSIC, BUILDKIT = find_profile("classic"), find_profile("buildkit")
TEXT = """FROM base AS one
WORKDIR /src
COPY a .
RUN make
LABEL a=1
ENV A=1

FROM base
USER 5
WORKDIR /w
ENV B=1
ENV C=1
"""


def order(text: str = TEXT, *profiles: str, context: Manifest | None = None) -> PartialOrder:
    build = BuildInput(parse(text), context if context is not None else Manifest([]))
    return partial_order(build, [find_profile(one) for one in profiles or ("buildkit",)])


def test_the_written_ordering_is_allowed_and_relies_on_nothing() -> None:
    found = order()
    written = Ordering.written(found.dockerfile)

    assert found.allows(written)
    assert found.conflicts(written) == []
    assert found.obligations(written) == []


def test_an_illegal_ordering_is_refused_with_every_pair_that_it_turns_round() -> None:
    found = order()
    ordering = Ordering(((1, 4, 2, 3, 5, 6), (1, 3, 2, 4, 5)))

    assert not found.allows(ordering)
    assert [(one.stage_index, one.earlier, one.later) for one in found.conflicts(ordering)] == [
        (0, 2, 4),
        (0, 3, 4),
        (1, 2, 3),
    ]


def test_what_an_ordering_relies_on_is_told_once_for_each_stage() -> None:
    found = order("FROM base\nENV A=1\nENV B=1\nENV C=1\nFROM base\nENV A=1\nENV B=1")
    ordering = Ordering(((1, 4, 3, 2), (1, 3, 2)))

    told = found.obligations(ordering)

    assert [(one.stage_index, one.kind) for one in told] == [
        (0, ObligationKind.ENV_ORDER),
        (1, ObligationKind.ENV_ORDER),
    ]


def test_the_order_for_several_builders_holds_for_each_of_them() -> None:
    text = "FROM base\nUSER 5\nWORKDIR /w\nVOLUME /v\nRUN make\n"
    both = set(order(text, "classic", "buildkit").stages[0].conflicts)

    assert both == set(order(text, "classic").stages[0].conflicts) | set(
        order(text, "buildkit").stages[0].conflicts
    )
    conflicts = order(text, "classic", "buildkit").stages[0].conflicts
    assert conflicts[2, 3].builders == (BUILDKIT.name,)
    assert conflicts[4, 5].builders == (CLASSIC.name,)
    assert conflicts[2, 5].builders == (CLASSIC.name, BUILDKIT.name)


def test_the_graph_is_reduced_and_closed_and_names_the_free() -> None:
    stage = order().stages[0]

    assert set(stage.reduced().edges) == {(2, 3), (3, 4), (4, 6)}
    assert (2, 6) in stage.closure().edges
    assert stage.free == [5]
    assert set(stage.graph) == {2, 3, 4, 5, 6}
    assert stage.count == 6


def test_an_order_knows_whether_anything_can_be_moved() -> None:
    assert order("FROM base\nRUN a\nRUN b").is_total
    assert order("FROM base").is_total
    assert not order().is_total


def test_a_conflict_says_what_it_is_about() -> None:
    conflict = order().stages[0].conflicts[3, 4]

    assert conflict.kind is ConflictKind.RUN
    assert conflict.why == "RUN make may read or write whatever COPY a . writes"


def test_moving_anything_changes_a_dockerfile_that_is_copied_along() -> None:
    text = "FROM base\nCOPY . /x/\nLABEL a=1\nLABEL b=1"
    own = Entry(
        "sub/Dockerfile", "file", 0o644, 1, None, hashlib.sha256(text.encode()).hexdigest(), 0
    )
    context = Manifest([own])
    moved = Ordering(((1, 2, 4, 3),))

    found = order(text, context=context)
    (told,) = found.obligations(moved)
    assert told.kind is ObligationKind.DOCKERFILE
    assert "COPY . /x/" in told.text
    assert found.obligations(Ordering.written(found.dockerfile)) == []

    ignored = Manifest([own], sent_although_ignored=["sub/Dockerfile"])
    assert order(text, "classic", context=ignored).obligations(moved) == []
    assert order(text, "buildkit", context=ignored).obligations(moved) != []
    assert order(text.replace("COPY .", "COPY x"), context=context).obligations(moved) == []


@settings(max_examples=40, deadline=None)
@given(dockerfiles(), st.integers(0, 100))
def test_conflicts_and_extensions_agree(text: str, seed: int) -> None:
    """What the graph allows is what the pairs allow, and every conflict points forwards."""
    found = order_of(text, "buildkit-28")

    for stage in found.stages:
        assert all(earlier < later for earlier, later in stage.conflicts)
        assert set(stage.graph.edges) == set(stage.conflicts)
        assert not set(stage.premises) & set(stage.conflicts)
    for ordering in drawn(found, 3, seed):
        assert found.allows(ordering)
        assert found.conflicts(ordering) == []


@settings(max_examples=40, deadline=None)
@given(dockerfiles())
def test_knowing_more_never_forbids_more(text: str) -> None:
    """A declared access and an inspected base free pairs, they bind none."""
    dockerfile = parse(text)
    known = order_of(text, "buildkit-28")
    build = BuildInput(dockerfile, Manifest([]))
    unknown = partial_order(build, [find_profile("buildkit-28")])

    for stage, blind in zip(known.stages, unknown.stages, strict=True):
        assert set(stage.conflicts) <= set(blind.conflicts)
