from __future__ import annotations

import pytest

from bench.dockerfile import parse

SHOP = """\
ARG LAST=debug
FROM alpine AS Base
FROM base AS build
RUN --mount=type=bind,from=assets,target=/a make
FROM alpine AS assets
FROM golang AS unused
FROM base AS debug
COPY --from=0 /x /x
COPY --from=Build /y /y
FROM ${LAST}
"""


def index(reference: str | int, before: int | None = None) -> int | None:
    found = parse(SHOP).find_stage(reference, before=before)
    return None if found is None else found.index


def test_a_stage_is_found_by_name_in_any_case_or_by_index() -> None:
    assert index("BASE") == 0
    assert index("build") == index("1") == index(1) == 1
    assert index("nowhere") is None
    assert index("9") is None
    assert index("") is None  # although stages without a name are there
    assert index(-1) is None
    assert index("٣") is None  # a digit, but no index that a builder would read


def test_only_earlier_stages_are_visible() -> None:
    assert index("build", before=1) is None
    assert index("0", before=1) == 0
    assert index("1", before=1) is None


def test_a_name_used_twice_means_the_later_of_the_visible_ones() -> None:
    dockerfile = parse("FROM a AS x\nFROM b AS x\nFROM x\n")
    found = dockerfile.find_stage("x")
    assert found is not None
    assert found.index == 1
    assert dockerfile.parent(dockerfile.stages[2], {}) is dockerfile.stages[1]
    assert dockerfile.parent(dockerfile.stages[1], {}) is None
    assert dockerfile.reachable() == {1, 2}


def test_from_names_stages_but_never_by_index() -> None:
    """``FROM 0`` is an image called 0; only ``COPY --from`` and mounts count stages."""
    dockerfile = parse("FROM a AS x\nFROM 0\nCOPY --from=0 /a /b\n")
    assert dockerfile.parent(dockerfile.stages[1], {}) is None


def test_a_build_reaches_what_its_target_takes_from_and_nothing_else() -> None:
    dockerfile = parse(SHOP)
    assert dockerfile.reachable("base") == {0}
    assert dockerfile.reachable("debug") == {0, 1, 4}
    assert dockerfile.reachable("3") == {3}


def test_a_mount_makes_its_stage_needed() -> None:
    dockerfile = parse(
        "FROM a AS one\nFROM a AS two\nFROM a\n"
        "RUN --mount=type=bind,from=two,target=/x --mount=type=cache,target=/c,from=one true\n"
    )
    assert dockerfile.reachable() == {0, 1, 2}


def test_a_from_expression_may_name_a_stage() -> None:
    """The ``FROM ${LAST}`` of the last stage is the stage debug, by the ARG's default or a build
    argument, not an image."""
    dockerfile = parse(SHOP)
    assert dockerfile.reachable() == {0, 1, 4, 5}
    assert dockerfile.reachable(build_args={"LAST": "unused"}) == {3, 5}
    assert dockerfile.reachable(build_args={"LAST": "some/image"}) == {5}


def test_the_target_is_the_last_stage_unless_named() -> None:
    dockerfile = parse(SHOP)
    assert dockerfile.target_stage(None).index == 5
    assert dockerfile.target_stage("DEBUG").index == 4
    with pytest.raises(KeyError):
        dockerfile.target_stage("nowhere")


def test_a_stage_without_a_name_is_called_by_its_index() -> None:
    assert [stage.label for stage in parse(SHOP).stages] == [
        *["Base", "build", "assets", "unused", "debug", "5"]
    ]
