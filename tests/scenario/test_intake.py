"""What COPY, ADD and bind mounts take from the context."""

from __future__ import annotations

import pytest

from bench.dockerfile import parse
from bench.scenario.intake import intakes

FILES = ["pom.xml", "README.md", "src/App.java", "src/a/B.java", "docs/x y.md", "[odd].txt"]


def taken(*lines: str) -> list[set[str]]:
    text = "\n".join(("FROM base", *lines, ""))
    return [set(one.files) for one in intakes(parse(text), FILES)]


@pytest.mark.parametrize(
    ("line", "files"),
    [
        ("COPY . .", set(FILES)),
        ("COPY / /app", set(FILES)),
        ("ADD ./pom.xml /app/", {"pom.xml"}),
        ("COPY /pom.xml README.md ./", {"pom.xml", "README.md"}),
        ("COPY src /app", {"src/App.java", "src/a/B.java"}),
        ("COPY ./src/a/ /app", {"src/a/B.java"}),
        ("COPY ../pom.xml /app", {"pom.xml"}),
        ("COPY *.md /app/", {"README.md"}),
        ("COPY src/*.java /app/", {"src/App.java"}),
        ("COPY s?c /app/", {"src/App.java", "src/a/B.java"}),
        ('COPY ["docs/x y.md", "/app/"]', {"docs/x y.md"}),
        ("COPY --exclude=*.xml . .", set(FILES) - {"pom.xml"}),
        ("COPY --chown=1:1 --link pom.xml .", {"pom.xml"}),
        ("RUN --mount=type=bind,source=src,target=/src make", {"src/App.java", "src/a/B.java"}),
        ("RUN --mount=target=/src make", set(FILES)),
    ],
)
def test_an_instruction_takes(line: str, files: set[str]) -> None:
    assert taken(line) == [files]


@pytest.mark.parametrize(
    "line",
    [
        "COPY --from=other pom.xml .",
        "ADD https://example.org/pom.xml .",
        "COPY <<pom.xml /x\nhello\npom.xml",
        "COPY target/ .",
        "RUN --mount=type=cache,target=/root/.m2 make",
        "RUN --mount=type=bind,from=other,source=src,target=/src make",
        "RUN cp pom.xml x",
    ],
)
def test_an_instruction_takes_nothing_of_the_context(line: str) -> None:
    assert taken(line) == []


def test_variables_are_filled_in_as_far_as_they_are_known_there() -> None:
    text = (
        "ARG BASE=one\nFROM x AS one\nENV DIR=src\n"
        "FROM $BASE\nARG FILE=pom.xml\nCOPY $DIR/a $FILE /x/\n"
    )
    (only,) = intakes(parse(text), FILES)
    assert only.files == {"src/a/B.java", "pom.xml"}
    assert only.reference == "1:COPY $DIR/a $FILE /x/"


def test_stages_that_nothing_needs_are_left_out() -> None:
    text = "FROM a AS test\nCOPY . .\nFROM a AS build\nCOPY src .\nFROM b\nCOPY --from=build /x .\n"
    assert [one.reference for one in intakes(parse(text), FILES)] == ["build:COPY src ."]
