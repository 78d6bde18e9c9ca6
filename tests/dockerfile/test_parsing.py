from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.dockerfile import parse
from bench.errors import DockerfileError


def spans(text: str) -> list[tuple[str, int, int]]:
    return [
        (one.keyword, one.line, one.end_line)
        for stage in parse(text).stages
        for one in stage.instructions
    ]


def test_an_instruction_spans_its_continued_lines_and_the_comments_between_them() -> None:
    text = "FROM a\nRUN x \\\n# why\n\n  y\n# of CMD\nCMD z\n"
    assert spans(text) == [("FROM", 1, 1), ("RUN", 2, 5), ("CMD", 7, 7)]
    assert parse(text).stages[0].instructions[1].text == "RUN x y"


def test_a_heredoc_belongs_to_its_instruction_up_to_the_last_terminator() -> None:
    text = (
        "FROM a\nRUN <<EOF\n# no comment\nls\nEOF\n"
        "COPY <<A <<B /x\nCOPY 1 2\nA\n2\nB\nRUN <<-E\n\tx\n\tE\nCMD z"
    )
    assert spans(text) == [
        *[("FROM", 1, 1), ("RUN", 2, 5), ("COPY", 6, 10)],
        *[("RUN", 11, 13), ("CMD", 14, 14)],
    ]


def test_the_escape_directive_and_windows_line_ends_are_followed() -> None:
    text = "# escape=`\r\nFROM a `\r\n  AS b\r\nRUN a `\r\n b\\\r\ncopy x y\r\n"
    dockerfile = parse(text)
    assert spans(text) == [("FROM", 2, 3), ("RUN", 4, 5), ("COPY", 6, 6)]
    assert dockerfile.stages[0].name == "b"
    assert dockerfile.stages[0].instructions[1].text == "RUN a b\\"


def test_keywords_in_any_case_and_a_byte_order_mark_are_accepted() -> None:
    dockerfile = parse("\ufefffrom a as B\nrun x\n\tRun y")
    assert [one.keyword for one in dockerfile.stages[0].instructions] == ["FROM", "RUN", "RUN"]
    assert dockerfile.stages[0].base == "a"
    assert dockerfile.stages[0].name == "B"


def test_args_before_the_first_from_are_global() -> None:
    dockerfile = parse("# c\nARG A=1\nARG B\nFROM $A\nARG A\n")
    assert [(one.text, one.line) for one in dockerfile.global_args] == [
        ("ARG A=1", 2),
        ("ARG B", 3),
    ]
    assert [one.text for one in dockerfile.stages[0].instructions] == ["FROM $A", "ARG A"]


def test_flags_are_apart_from_arguments() -> None:
    run, copy = (
        parse(
            "FROM a\nRUN --mount=type=bind,from=x,target=/y --mount=type=cache,target=/z go\n"
            'COPY --from=b --link ["c d", "e"]\n'
        )
        .stages[0]
        .instructions[1:]
    )
    assert run.flag_values("mount") == ["type=bind,from=x,target=/y", "type=cache,target=/z"]
    assert run.arguments == ("go",)
    assert (copy.flag("from"), copy.flag("chown")) == ("b", None)
    assert copy.arguments == ("c d", "e")
    assert copy.exec_form


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("", 1, "no instructions"),
        ("# only a comment\n", 1, "no instructions"),
        ("FROM a\nRUNN x\n", 2, "did you mean RUN?"),
        ("FROM a\n\nRUN\n", 3, "needs more arguments"),
        ("FROM a\nCOPY x\n", 2, "needs more arguments"),
        ("RUN x\nFROM a", 1, "only ARG may stand before"),
        ("FROM a AZ b", 1, "IMAGE AS NAME"),
        ("FROM a\nENV A \\\n  1\nLABEL x=1\nENV B\nCMD x\n", 5, "ENV must have two arguments"),
        ("FROM a\nRUN <<A\nA\nRUN <<EOF\nx\n", 4, "unterminated heredoc"),
        ("FROM a\n\\\n", 2, "unknown instruction"),
        ("FROM a\nRUN x\0y\n", 2, "no text"),
        ("FROM a\nRUN x\n\nRUN \ud800\n", 4, "no text"),
    ],
)
def test_errors_name_file_line_and_remedy(text: str, line: int, words: str) -> None:
    with pytest.raises(DockerfileError) as caught:
        parse(text, "app/Dockerfile")
    assert caught.value.message.startswith(f"app/Dockerfile:{line}: ")
    assert words in caught.value.message
    assert caught.value.remedy


def test_a_file_with_args_alone_has_no_from() -> None:
    with pytest.raises(DockerfileError, match="D: there is no FROM"):
        parse("ARG A=1\n", "D")


@given(
    st.one_of(
        st.text(alphabet=st.characters()),
        st.lists(
            st.sampled_from(
                [
                    "FROM a",
                    "RUN x \\",
                    "# c",
                    "COPY <<E /x",
                    "E",
                    "",
                    "ENV A=1",
                    "\0",
                    "ONBUILD RUN",
                ]
            )
        ).map("\n".join),
    )
)
def test_any_text_is_parsed_or_refused(text: str) -> None:
    """Nothing else: in particular no crash of the parser, which is C and Go."""
    try:
        dockerfile = parse(text)
    except DockerfileError:
        return
    lines = text.split("\n")
    ends = [one.end_line for stage in dockerfile.stages for one in stage.instructions]
    starts = [one.line for stage in dockerfile.stages for one in stage.instructions]
    assert all(end < start for end, start in zip(ends[:-1], starts[1:], strict=True))
    assert 1 <= starts[0] <= ends[-1] <= len(lines)
