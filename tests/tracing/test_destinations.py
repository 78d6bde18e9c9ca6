from __future__ import annotations

from bench.builders.protocol import BaseImageConfig
from bench.dockerfile import parse
from bench.tracing.destinations import destinations

BASES = {"base": BaseImageConfig(working_dir="/home/me")}


def of(text: str, stage: int = 0) -> set[str]:
    return set(destinations(parse(text), stage, {"V": "2"}, BASES, frozenset({"a", "src"})))


def test_destinations_are_absolute_whatever_they_are_relative_to() -> None:
    text = "FROM base\nCOPY a x\nWORKDIR /app\nWORKDIR sub\nADD a ./y/\nCOPY a /z/../w\n"
    assert of(text) == {"/home/me/x", "/app", "/app/sub", "/app/sub/y", "/w"}


def test_variables_are_filled_in() -> None:
    assert of("FROM other\nARG V=1\nENV D=/d$V\nCOPY a ${D}/\nRUN x\n") == {"/d2"}


def test_a_stage_goes_on_where_its_parent_ended() -> None:
    text = "ARG P=one\nFROM base AS one\nWORKDIR /app\nCOPY a .\nFROM $P\nCOPY a b\n"
    assert of(text, 1) == {"/app/b"}


def test_of_what_is_copied_to_the_root_the_names_are_told() -> None:
    assert of("FROM other\nCOPY . .\n") == {"/a", "/src"}
    assert of("FROM other\nCOPY src/one /other /\n") == {"/one", "/other"}
    assert of("FROM other\nCOPY --from=x /bin/go /\nWORKDIR /\n") == {"/go"}
