"""What has to be taken for granted of a base image is said where it matters, and nowhere else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bench.predicting.assumptions import assumptions, unused_build_args

if TYPE_CHECKING:
    from tests.predicting.conftest import MakeState


@pytest.mark.parametrize(
    "text",
    [
        "FROM a\nWORKDIR /w\nCOPY . .\nWORKDIR x\n",
        "FROM a\nCOPY x /abs\nRUN $HOME/x\nENV B=$HOME\n",
        "FROM scratch\nCOPY . .\nWORKDIR x\nCOPY $A /\n",
        "FROM a\nARG X\nENV Y=1 Z=2\nCOPY $X ${Y} ${Z:-3} /\n",
        "FROM a AS s\nWORKDIR /w\nARG X\nFROM s\nCOPY $X .\n",
        "FROM a\nCOPY \\$X /x\n",
        "FROM a AS other\nCOPY . .\nFROM a\nRUN x\n",
        "ARG BASE=scratch\nFROM $BASE\nCOPY . .\n",
    ],
)
def test_nothing_is_said_where_all_is_known_or_nothing_follows(
    text: str, make_state: MakeState
) -> None:
    assert assumptions(make_state(text)) == []


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("FROM a\nWORKDIR x\n", 2, "the working directory of a is taken as /"),
        ("FROM a\nRUN x\nCOPY x .\n", 3, "the working directory of a is taken as /"),
        ("ARG B=img\nFROM $B\nCOPY x ./\n", 3, "the working directory of img is taken as /"),
        ("FROM a AS s\nFROM s\nADD x y\n", 3, "the working directory of a is taken as /"),
        ("FROM a\nWORKDIR $APP\n", 2, "$APP is taken as not set"),
        ("FROM a\nARG X\nCOPY $X ${APP:-x} /\n", 3, "what a sets is not known"),
    ],
)
def test_what_is_assumed_is_said_with_its_line(
    text: str, line: int, says: str, make_state: MakeState
) -> None:
    (note,) = assumptions(make_state(text))
    assert note.startswith(f"line {line}: ")
    assert says in note


def test_only_build_arguments_that_no_arg_takes_are_unused(make_state: MakeState) -> None:
    state = make_state(
        "ARG A\nFROM a\nARG B=1 C\n",
        build_args=dict.fromkeys(("A", "B", "C", "D", "http_proxy", "TARGETARCH"), "1"),
    )
    assert unused_build_args(state) == ["D"]
