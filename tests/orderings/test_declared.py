"""Declared files of steps, found at the steps that they speak of."""

from __future__ import annotations

from bench.cache_model import StepPlace
from bench.dockerfile import parse
from bench.orderings.access import Access, AccessSource
from bench.orderings.declared import access_of
from bench.scenario import AccessSpec

DOCKERFILE = parse(
    "FROM a AS builder\nWORKDIR /x\nRUN npm ci\nRUN npm test\nCOPY a .\nFROM b\nRUN npm ci\n"
)


def test_a_declaration_is_put_to_every_step_that_it_means() -> None:
    found = access_of(DOCKERFILE, [AccessSpec(step="builder:RUN npm", reads=("/a",), writes=())])

    assert found == {
        StepPlace(0, 3): Access(("/a",), (), AccessSource.DECLARED),
        StepPlace(0, 4): Access(("/a",), (), AccessSource.DECLARED),
    }


def test_several_declarations_of_one_step_add_up() -> None:
    found = access_of(
        DOCKERFILE,
        [
            AccessSpec(step="1:RUN", reads=("/a",), writes=("/b",)),
            AccessSpec(step="1:RUN npm ci", reads=("/c",), writes=()),
        ],
    )

    assert found == {StepPlace(1, 2): Access(("/a", "/c"), ("/b",), AccessSource.DECLARED)}


def test_what_is_for_another_variant_is_passed_over() -> None:
    declared = [AccessSpec(variant="x", step="1:RUN", reads=(), writes=())]

    assert access_of(DOCKERFILE, declared) == {}
    assert access_of(DOCKERFILE, declared, "y") == {}
    assert set(access_of(DOCKERFILE, declared, "x")) == {StepPlace(1, 2)}


def test_a_step_that_is_not_there_or_touches_no_files_is_none() -> None:
    declared = [
        AccessSpec(step="9:RUN", reads=(), writes=()),
        AccessSpec(step="builder:RUN yarn", reads=(), writes=()),
        AccessSpec(step="builder:WORKDIR", reads=(), writes=()),
    ]

    assert access_of(DOCKERFILE, declared) == {}


def test_a_copy_may_be_declared_too() -> None:
    found = access_of(DOCKERFILE, [AccessSpec(step="builder:COPY", writes=("/x/a",))])

    assert found[StepPlace(0, 5)].writes == ("/x/a",)
