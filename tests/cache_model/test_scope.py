"""ENV, ARG and the rest in each family of builders."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bench.cache_model.errors import NotUnderstoodError
from bench.cache_model.inputs import BaseImage
from bench.cache_model.profiles import BUILDKIT_28, CLASSIC_25
from bench.cache_model.scope import DEFAULT_PATH, Scope, escape_of, global_scope
from tests.cache_model.states import build

if TYPE_CHECKING:
    from bench.cache_model import Profile


def scope_after(
    text: str,
    profile: Profile = BUILDKIT_28,
    base: BaseImage | None = None,
    **build_args: str,
) -> Scope:
    one = build(text, build_args=build_args)
    values = global_scope(one, profile)
    scope = Scope.of_base(one, base or BaseImage("base"), values, profile)
    for instruction in one.dockerfile.stages[0].instructions[1:]:
        scope.apply(instruction)
    return scope


def test_buildkit_moves_a_name_that_is_set_again_to_the_end() -> None:
    scope = scope_after("FROM base\nENV A=1 B=2\nENV A=3\n")
    assert list(scope.env.items()) == [("PATH", DEFAULT_PATH), ("B", "2"), ("A", "3")]
    assert list(scope.image_env.items())[1:] == [("A", "3"), ("B", "2")]


def test_one_env_reads_what_stood_before_it() -> None:
    assert scope_after("FROM base\nENV A=1\nENV A=2 B=$A\n").env["B"] == "1"


def test_an_argument_without_value_is_nothing() -> None:
    assert "V" not in scope_after("FROM base\nARG V\n").env
    assert scope_after("FROM base\nARG V\n", CLASSIC_25).run_args() == {}


def test_a_given_value_beats_the_default_and_the_global_one() -> None:
    text = "ARG V=global\nFROM base\nARG V{}\n"
    assert scope_after(text.format("=own"), V="given").env["V"] == "given"
    assert scope_after(text.format("=own")).env["V"] == "own"
    assert scope_after(text.format("")).env["V"] == "global"
    assert scope_after(text.format(""), CLASSIC_25).run_args() == {"V": "global"}


def test_arguments_that_buildkit_knows_by_itself() -> None:
    assert scope_after("FROM base\nARG TARGETARCH\n").env["TARGETARCH"] == "amd64"
    assert scope_after("FROM base\nARG TARGETARCH\n", CLASSIC_25).run_args() == {}


def test_env_hides_an_argument_from_the_classic_builder() -> None:
    scope = scope_after("FROM base\nARG V=1\nENV V=2\nARG W=3\n", CLASSIC_25)
    assert scope.run_args() == {"W": "3"}
    assert scope.expand("$V$W") == "23"


def test_an_env_of_the_base_counts() -> None:
    base = BaseImage("base", env=(("PATH", "/p"), ("V", "base")), working_dir="/w", user="u")
    scope = scope_after("FROM base\nWORKDIR in\n", base=base)
    assert (scope.env["PATH"], scope.expand("$V"), scope.user) == ("/p", "base", "u")
    assert scope.working_dir == "/w/in"


def test_a_child_stage_of_buildkit_sees_envs_after_arguments() -> None:
    parent = scope_after("FROM base\nENV V=env\nARG V=arg\nARG W=w\n")
    assert parent.env["V"] == "arg"
    child = parent.of_child()
    assert child.env["V"] == "env"
    assert child.env["W"] == "w"


def test_a_child_stage_of_the_classic_builder_sees_no_arguments() -> None:
    child = scope_after("FROM base\nENV V=env\nARG W=w\n", CLASSIC_25).of_child()
    assert child.run_args() == {}
    assert child.env == {"V": "env"}


@pytest.mark.parametrize("word", ["${V#x}", "${V%%x}", "${V/a/b}", "x${V##y}"])
def test_an_operator_beyond_the_model_is_refused(word: str) -> None:
    with pytest.raises(NotUnderstoodError, match="operator"):
        scope_after("FROM base\nARG V=1\n").expand(word)


def test_the_escape_directive() -> None:
    assert escape_of("# escape=`\nFROM x\n") == "`"
    assert escape_of("# syntax=a\n# Escape = ` \nFROM x\n") == "`"
    assert escape_of("FROM x\n# escape=`\n") == "\\"
