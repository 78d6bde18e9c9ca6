from __future__ import annotations

import pytest

from bench.dockerfile import StageState, global_variables, parse


def state(
    body: str,
    *,
    start: StageState | None = None,
    build_args: dict[str, str] | None = None,
    global_args: dict[str, str] | None = None,
) -> StageState:
    result = start or StageState()
    for instruction in parse(f"FROM a\n{body}\n").stages[0].instructions:
        result.apply(instruction, build_args or {}, global_args or {})
    return result


def test_env_sees_what_stood_before_its_line() -> None:
    assert state("ENV A=1\nENV A=2 B=$A C='$A'").variables == {"A": "2", "B": "1", "C": "$A"}
    assert state('ENV A one two\nENV B="x y"').variables == {"A": "one two", "B": "x y"}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("WORKDIR /a", "/a"),
        ("WORKDIR a", "/base/a"),
        ("WORKDIR a\nWORKDIR b\nWORKDIR ..", "/base/a"),
        ("WORKDIR /", "/"),
        ("WORKDIR //", "/"),
        ("WORKDIR //a//b/", "/a/b"),
        ("WORKDIR ..\nWORKDIR ..", "/"),
        ("ENV R=/\nWORKDIR $R", "/"),
        ("WORKDIR $HOME/x", "/home/u/x"),
        ("ENV D=/d\nWORKDIR ${D}/x\nENV D=/e\nWORKDIR y", "/d/x/y"),
    ],
)
def test_workdir_follows_the_base_and_the_variables(body: str, expected: str) -> None:
    start = StageState({"HOME": "/home/u"}, "/base")
    assert state(body, start=start).working_dir == expected


def test_an_arg_takes_the_build_argument_then_its_default_then_the_global_value() -> None:
    body = "ARG A=default\nARG B=default\nARG C\nARG D"
    found = state(
        body,
        build_args={"A": "given", "UNDECLARED": "x"},
        global_args={"A": "g", "B": "g", "C": "g"},
    )
    assert found.variables == {"A": "given", "B": "default", "C": "g"}


def test_an_arg_after_an_env_overrides_it() -> None:
    """BuildKit's rule; the classic builder keeps the ENV."""
    assert state("ENV A=env\nARG A=arg").variables == {"A": "arg"}
    assert state("ENV A=env\nARG A").variables == {"A": "env"}


def test_a_copy_does_not_share_variables() -> None:
    parent = state("ENV A=1")
    child = parent.copy()
    child.variables["A"] = "2"
    assert parent.variables == {"A": "1"}


def test_global_args_build_on_one_another_and_on_build_arguments() -> None:
    dockerfile = parse("ARG V=1\nARG I=base:$V\nARG NONE\nFROM $I\nARG LATER=1\n")
    assert global_variables(dockerfile, {}) == {"V": "1", "I": "base:1"}
    assert global_variables(dockerfile, {"V": "2"}) == {"V": "2", "I": "base:2"}
