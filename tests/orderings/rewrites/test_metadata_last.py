"""What describes the image goes to the end of its stage, as far as that is legal."""

from __future__ import annotations

from bench.orderings.rewrites import find_rewrite
from tests.orderings.rewrites.projects import MODERN, facts_of, proposed, refused

NAME = "metadata-last"
TEXT = 'FROM a\nEXPOSE 80\n# how it starts\nCMD ["x"]\nENV P=1\nWORKDIR /app\nCOPY a .\n'


def test_describing_instructions_go_below_those_that_make_files() -> None:
    proposal = proposed(NAME, facts_of(TEXT, {"a": ""}))
    assert proposal.dockerfile_text == (
        'FROM a\nENV P=1\nWORKDIR /app\nCOPY a .\nEXPOSE 80\n# how it starts\nCMD ["x"]\n'
    )
    assert find_rewrite(NAME).proposals(facts_of(proposal.dockerfile_text, {"a": ""})) == []


def test_what_may_not_pass_stays_and_says_why() -> None:
    text = "FROM a\nARG V=1\nLABEL v=$V\nARG V=2\nCOPY a .\n"
    facts = facts_of(text, {"a": ""})
    assert find_rewrite(NAME).proposals(facts) == []
    assert [(one.line, "step 4" in one.why) for one in refused(NAME, facts)] == [(3, True)]


def test_one_that_stays_holds_those_it_depends_on() -> None:
    text = 'FROM a\nCMD x\nSHELL ["/bin/sh", "-ec"]\nRUN y\n'
    assert find_rewrite(NAME).proposals(facts_of(text, {})) == []


def test_nothing_is_gained_where_no_file_is_made_below() -> None:
    assert (
        find_rewrite(NAME).proposals(facts_of("FROM a\nCOPY a .\nCMD x\nENV A=1\n", {"a": ""}))
        == []
    )


def test_it_is_nothing_for_buildkit() -> None:
    assert find_rewrite(NAME).proposals(facts_of(TEXT, {"a": ""}, profiles=MODERN)) == []
