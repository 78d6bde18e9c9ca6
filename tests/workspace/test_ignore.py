"""The matcher against what real docker clients sent, and against what must always hold."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.workspace import ClientRule, IgnoreRules, WorkspaceError, read_patterns
from bench.workspace.select import select
from tests.workspace.ignore_cases import CASES, DOCKERFILE, make_tree
from tests.workspace.oracle import FIXTURES, Answer, Oracle, ask_all, oracles

if TYPE_CHECKING:
    from pathlib import Path

NAMES = st.sampled_from(["a", "b", "ab", "a.b", "c d", "é"])
PATHS = st.lists(NAMES, min_size=1, max_size=4).map("/".join)
PATTERNS = st.lists(
    st.lists(st.sampled_from(["a", "b", "*", "**", "?", "[ab]", "a*"]), min_size=1, max_size=3),
    max_size=5,
).map(lambda patterns: ["/".join(parts) for parts in patterns])

# Where the clients of Docker 20.10 (2020 to 2022) differ from today's, which the project follows:
# they took "**x" for any file named x, escaped no "+", and let an exception for a directory bring
# back what another pattern had named inside it.
OLD_READING = {
    "byte order mark on the second line",
    "double star name",
    "bar alone",
    "plus",
    "parent back after a child is out",
    "parent back after its children are out",
}
DIFFERENT_IN_20_10 = {
    ClientRule.CLASSIC: OLD_READING,
    # ... and BuildKit's did not look for a wildcard exception inside an ignored directory.
    ClientRule.BUILDKIT: OLD_READING | {"everything but a wildcard"},
}
# The classic client forgets to send a Dockerfile inside a folder that "**/" ignores, and the build
# fails; the project sends it, as for every other way to ignore that folder.
NEVER_SENT: dict[ClientRule, set[str]] = {
    ClientRule.CLASSIC: {"dockerfile's directory anywhere"},
    ClientRule.BUILDKIT: set(),
}

RECORDED = sorted(FIXTURES.glob("dockerignore-*.json"))


def selected(context: Path, rule: ClientRule) -> Answer:
    """What has to arrive in the image according to our own selection."""
    try:
        selection = select(context, DOCKERFILE, rule)
    except WorkspaceError:
        return None
    found: set[str] = set()
    for node in selection.nodes:
        if rule is ClientRule.CLASSIC:  # the daemon makes up the folders it was not sent
            found.update(node.path[: cut.end()] for cut in re.finditer("/", node.path))
        if node.path not in selection.sent_although_ignored:
            found.add(node.path + "/" * (node.kind == "dir"))
    return sorted(found)


def rule_of(recorded: Path) -> ClientRule:
    return ClientRule(recorded.name.split("-")[1])


def disagreements(answers: dict[str, Answer], rule: ClientRule, folder: Path) -> set[str]:
    found: set[str] = set()
    for number, (name, answer) in enumerate(answers.items()):
        context = folder / str(number)
        make_tree(context, CASES[name])
        if selected(context, rule) != answer:
            found.add(name)
    return found


def test_there_are_recorded_answers_of_both_clients_for_every_case() -> None:
    rules = [rule_of(path) for path in RECORDED if "20.10" not in path.name]
    assert set(rules) == set(ClientRule)
    for path in RECORDED:
        assert set(json.loads(path.read_text())) == set(CASES), path.name


@pytest.mark.parametrize("recorded", RECORDED, ids=lambda path: path.stem)
def test_selection_is_what_the_real_client_sent(recorded: Path, tmp_path: Path) -> None:
    rule = rule_of(recorded)
    old = DIFFERENT_IN_20_10[rule] if "20.10" in recorded.name else set[str]()
    found = disagreements(json.loads(recorded.read_text()), rule, tmp_path)
    assert found == old | NEVER_SENT[rule]


@pytest.mark.engine
@pytest.mark.slow
@pytest.mark.parametrize("rule", list(ClientRule))
def test_selection_is_what_the_client_here_sends(rule: ClientRule, tmp_path: Path) -> None:
    oracle: Oracle = next(oracle for oracle in oracles() if oracle.rule is rule)
    answers = ask_all(oracle, list(CASES))
    assert len([answer for answer in answers.values() if answer]) > len(CASES) / 2
    assert disagreements(answers, rule, tmp_path) == NEVER_SENT[rule]


@given(PATHS, st.lists(PATHS))
def test_plain_patterns_ignore_exactly_the_paths_they_name_and_what_is_inside(
    path: str, patterns: list[str]
) -> None:
    expected = any(path == text or path.startswith(text + "/") for text in patterns)
    assert IgnoreRules(patterns).ignores(path) is expected


@given(PATHS, PATTERNS)
def test_an_exception_at_the_end_brings_its_path_back(path: str, patterns: list[str]) -> None:
    assert not IgnoreRules([*patterns, f"!{path}"]).ignores(path)


@given(PATHS, PATTERNS)
def test_exceptions_alone_ignore_nothing(path: str, patterns: list[str]) -> None:
    assert not IgnoreRules([f"!{text}" for text in patterns]).ignores(path)


@given(PATHS, PATTERNS)
def test_without_exceptions_the_order_does_not_matter(path: str, patterns: list[str]) -> None:
    assert IgnoreRules(patterns).ignores(path) is IgnoreRules(patterns[::-1]).ignores(path)


@given(PATHS, PATTERNS)
def test_what_is_inside_an_ignored_directory_is_ignored(path: str, patterns: list[str]) -> None:
    rules = IgnoreRules(patterns)
    if rules.ignores(path):
        assert rules.ignores(f"{path}/inside")


def works_or_explains(data: bytes) -> bool:
    try:
        IgnoreRules(read_patterns(data)).ignores("a/b.a")
    except WorkspaceError as error:
        return bool(error.remedy)
    return True


@given(st.binary())
def test_any_bytes_are_read_as_patterns_or_refused_with_a_remedy(data: bytes) -> None:
    assert works_or_explains(data)


@given(st.lists(st.text("ab*?[]!\\^-|{}+.()$ #/", max_size=8), max_size=4))
def test_any_patterns_work_or_are_refused_with_a_remedy(lines: list[str]) -> None:
    assert works_or_explains("\n".join(lines).encode())


@pytest.mark.parametrize("text", ["!", "[a", "[]", "a\\", "[a-]", "\\y"])
def test_a_broken_pattern_is_named(text: str) -> None:
    with pytest.raises(WorkspaceError, match=re.escape(repr(text)[1:-1])):
        IgnoreRules([text]).ignores("a")


@pytest.mark.parametrize(
    ("name", "chars"),
    [("alpha", "aZ"), ("digit", "09"), ("space", " \t"), ("punct", "!~["), ("word", "_")],
)
def test_posix_classes_are_known(name: str, chars: str) -> None:
    rules = IgnoreRules([f"[[:{name}:]]x"])
    assert all(rules.ignores(f"{char}x") for char in chars)
    assert not rules.ignores("\x01x")


def test_every_byte_that_is_no_text_is_one_character_to_a_wildcard() -> None:
    assert IgnoreRules(["x?"]).ignores("x\udcff")
    assert not IgnoreRules(["x?"]).ignores("x\udcff\udcff")
