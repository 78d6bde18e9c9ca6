"""Variables of one line part only where each can go down on its own."""

from __future__ import annotations

import pytest

from bench.orderings.rewrites import best_rewrites, find_rewrite
from tests.orderings.rewrites.projects import MODERN, facts_of, proposed

NAME = "late-variables"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            'ENV A=1 \\\n  B="x y"\nCOPY a $A\n# why\nCOPY b /b\n',
            'ENV A=1\nCOPY a $A\n# why\nCOPY b /b\nENV B="x y"\n',
        ),
        ("ENV A=1 B=2\nCOPY a /a\nCOPY b $B\n", "COPY a /a\nENV B=2\nCOPY b $B\nENV A=1\n"),
        ("ARG A B=2\nCOPY a $A\nRUN x\n", "ARG A\nCOPY a $A\nARG B=2\nRUN x\n"),
        ("ENV A=1 B=$C\nENV C=2\nCOPY a /\n", "ENV B=$C\nENV C=2\nCOPY a /\nENV A=1\n"),
    ],
)
def test_each_variable_goes_right_above_its_first_use(before: str, after: str) -> None:
    text = "FROM a\n" + before
    proposal = proposed(NAME, facts_of(text, {"a": "", "b": ""}))
    assert proposal.dockerfile_text == "FROM a\n" + after
    assert proposal.builders == ("classic", "buildah")
    again = facts_of(proposal.dockerfile_text, {"a": "", "b": ""})
    assert best_rewrites(again, [NAME]).proposals == ()


@pytest.mark.parametrize(
    "text",
    [
        "ENV A=1 B=2\nRUN x\nCOPY a $A\n",  # every RUN sees both
        "ENV A=1 B=2\nCOPY a /a\n",  # both go the same way: that is a plain move
        "ENV A=1\nCOPY a $A\n",
        "ENV A=1 B=$A\nCOPY a $A\n",  # B takes the A of before
        "ENV A=1 A=2\nCOPY a $A\n",
        "ENV HTTP_PROXY=x B=2\nCOPY a $B\nCOPY a /b\n",
        "ENV A=1 B=2\nONBUILD RUN $A\n",
        "ENV A 1 2\nCOPY a $A\n",
    ],
)
def test_a_line_is_left_whole_where_nothing_is_gained_or_shown(text: str) -> None:
    assert find_rewrite(NAME).proposals(facts_of("FROM a\n" + text, {"a": ""})) == []


def test_it_is_nothing_for_buildkit() -> None:
    facts = facts_of("FROM a\nENV A=1 B=2\nCOPY a $A\n", {"a": ""}, profiles=MODERN)
    assert find_rewrite(NAME).proposals(facts) == []
