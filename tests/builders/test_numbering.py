"""Vertex names lead to instructions by stage and index, never by text."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.builders import BaseImageConfig, BuildRequest, PackedContext
from bench.builders.numbering import StepKey, StepNumbering, VertexName, parse_vertex_name
from bench.dockerfile import parse


def numbering(text: str, **settings: object) -> StepNumbering:
    request = BuildRequest(
        context=PackedContext(Path("none"), 0, "", 0.0),
        dockerfile=parse(text),
        dockerfile_path="Dockerfile",
        tag="t",
        **settings,  # type: ignore[arg-type]  # a test's shorthand
    )
    return StepNumbering(request)


@pytest.mark.parametrize(
    ("name", "parsed"),
    [
        ("[builder 2/6] WORKDIR /src", VertexName("builder", 2, 6, "WORKDIR /src")),
        ("[builder  2/12] RUN x", VertexName("builder", 2, 12, "RUN x")),
        ("[2/3] COPY a b", VertexName(None, 2, 3, "COPY a b")),
        ("[linux/amd64 stage-1 1/3] FROM x", VertexName("stage-1", 1, 3, "FROM x")),
        ("[linux/amd64 2/3] RUN x", VertexName(None, 2, 3, "RUN x")),
        ("[a 1/2] RUN echo [b 3/4] COPY", VertexName("a", 1, 2, "RUN echo [b 3/4] COPY")),
        ("[internal] load build definition", None),
        ("exporting to image", None),
        ("copy /context /", None),
    ],
)
def test_names_are_taken_apart(name: str, parsed: VertexName | None) -> None:
    assert parse_vertex_name(name) == parsed


def found(numbers: StepNumbering, name: str) -> StepKey | None:
    parsed = parse_vertex_name(name)
    assert parsed is not None
    return numbers.find(parsed)


def test_config_only_instructions_and_the_root_workdir_are_not_counted() -> None:
    numbers = numbering("FROM x\nENV A=/\nWORKDIR $A\nLABEL a=b\nWORKDIR /w\nRUN y\n")

    assert found(numbers, "[2/4] WORKDIR /w") == StepKey(0, 5)
    assert found(numbers, "[3/4] RUN y") == StepKey(0, 6)
    assert not numbers.makes_vertex(StepKey(0, 3))


def test_a_stage_that_starts_from_another_has_no_vertex_for_from() -> None:
    numbers = numbering("FROM x AS one\nRUN a\nFROM one\nRUN b\n")

    assert found(numbers, "[one 2/2] RUN a") == StepKey(0, 2)
    assert found(numbers, "[stage-1 1/1] RUN b") == StepKey(1, 2)


def test_nothing_is_counted_for_an_empty_base() -> None:
    numbers = numbering("FROM x AS one\nRUN a\nFROM scratch\nCOPY --from=one a b\n")

    assert found(numbers, "[stage-1 1/1] COPY --from=one a b") == StepKey(1, 2)


def test_triggers_of_the_base_come_first_and_are_no_instruction_of_ours() -> None:
    base = BaseImageConfig(on_build=("RUN t", "LABEL a=b", "WORKDIR /", "WORKDIR /t"))
    numbers = numbering("FROM x\nCOPY a b\n", base_images={"x": base})

    assert found(numbers, "[2/4] ONBUILD RUN t") is None
    assert found(numbers, "[3/4] WORKDIR /t") is None
    assert found(numbers, "[4/4] COPY a b") == StepKey(0, 2)


def test_a_base_s_working_directory_decides_what_a_relative_workdir_is() -> None:
    base = BaseImageConfig(working_dir="/w")
    numbers = numbering("FROM x\nWORKDIR ..\nRUN y\n", base_images={"x": base})

    assert found(numbers, "[2/3] RUN y") == StepKey(0, 3)


def test_stage_names_are_found_in_any_case_and_the_last_of_two_alike_counts() -> None:
    numbers = numbering("FROM x AS A\nRUN 1\nFROM x AS b\nRUN 2\nFROM a\nCOPY --from=B 1 2\n")

    assert found(numbers, "[a 2/2] RUN 1") == StepKey(0, 2)
    assert found(numbers, "[b 2/2] RUN 2") == StepKey(1, 2)
