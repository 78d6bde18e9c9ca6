from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.dockerfile import external_images, matches, parse, reorder, replace_images
from bench.errors import DockerfileError

APP = """\
# syntax=docker/dockerfile:1
# escape=\\
FROM alpine AS builder
RUN make

# the port
#   of the web
EXPOSE 80
FROM alpine
WORKDIR  /app
COPY --from=builder /a \\
# in between
   /a
# how it starts
ENTRYPOINT ["a"]
EXPOSE 80"""


def test_a_moved_instruction_takes_its_comments_along_and_nothing_else_changes() -> None:
    assert reorder(APP, stage="builder", move=["EXPOSE"], before="RUN") == APP.replace(
        "RUN make\n\n# the port\n#   of the web\nEXPOSE 80\n",
        "# the port\n#   of the web\nEXPOSE 80\nRUN make\n\n",
    )


def test_several_move_together_in_their_own_order_past_continued_lines() -> None:
    head = APP.partition("WORKDIR")[0]
    assert reorder(APP, stage=1, move=["EXPOSE", "ENTRYPOINT"], before="WORKDIR") == (
        head + '# how it starts\nENTRYPOINT ["a"]\nEXPOSE 80\n'
        "WORKDIR  /app\nCOPY --from=builder /a \\\n# in between\n   /a\n"
    )


def test_after_puts_behind_the_last_match_and_from_may_be_it() -> None:
    text = "FROM a\nRUN 1\nRUN 2\nCMD x"
    assert reorder(text, stage=0, move=["RUN 1"], after="CMD") == "FROM a\nRUN 2\nCMD x\nRUN 1\n"
    assert reorder(text, stage=0, move=["CMD"], after="FROM") == "FROM a\nCMD x\nRUN 1\nRUN 2\n"
    assert reorder(text, stage=0, move=["CMD"], before="RUN") == "FROM a\nCMD x\nRUN 1\nRUN 2\n"


def test_the_last_line_keeps_having_no_newline_where_it_stays_last() -> None:
    text = "FROM a\nRUN 1\nRUN 2\nCMD x"
    assert reorder(text, stage=0, move=["RUN 2"], before="RUN 1") == "FROM a\nRUN 2\nRUN 1\nCMD x"


def test_windows_line_ends_and_form_feeds_stay() -> None:
    text = "FROM a\r\nRUN a\x0cb\r\n# c\r\nEXPOSE 80\r\nCMD x\r\n"
    expected = "FROM a\r\n# c\r\nEXPOSE 80\r\nRUN a\x0cb\r\nCMD x\r\n"
    assert reorder(text, stage=0, move=["EXPOSE"], before="RUN") == expected


def test_a_heredoc_moves_whole_and_its_body_is_no_comment() -> None:
    text = "FROM a\nRUN <<EOF\n# x\nEXPOSE 1\nEOF\nEXPOSE 80\nCMD y\n"
    assert (
        reorder(text, stage=0, move=["RUN"], before="CMD")
        == "FROM a\nEXPOSE 80\nRUN <<EOF\n# x\nEXPOSE 1\nEOF\nCMD y\n"
    )


def test_parser_directives_stay_on_top() -> None:
    text = "# syntax=x\n# escape=`\nFROM a\nRUN b `\n c\nEXPOSE 80\n"
    moved = reorder(text, stage=0, move=["EXPOSE"], before="RUN")
    assert moved == "# syntax=x\n# escape=`\nFROM a\nEXPOSE 80\nRUN b `\n c\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"stage": 7, "move": ["RUN"], "before": "CMD"}, "no stage 7"),
        ({"stage": "x", "move": ["RUN"], "before": "CMD"}, "no stage 'x'"),
        ({"stage": 1, "move": ["RUN"], "before": "COPY"}, "no instruction 'RUN' to move"),
        ({"stage": 1, "move": ["EXPO"], "before": "COPY"}, "no instruction 'EXPO' to move"),
        ({"stage": 1, "move": ["FROM"], "after": "COPY"}, "no instruction 'FROM' to move"),
        ({"stage": 1, "move": ["EXPOSE"], "before": "RUN"}, "no instruction 'RUN' to move to"),
        ({"stage": 1, "move": ["EXPOSE"], "before": "EXPOSE"}, "'EXPOSE' to move to"),
        ({"stage": 1, "move": ["EXPOSE"], "before": "FROM"}, "'FROM' to move to"),
        ({"stage": 1, "move": ["EXPOSE"]}, "needs one place"),
        ({"stage": 1, "move": ["EXPOSE"], "before": "COPY", "after": "COPY"}, "needs one place"),
        ({"stage": 1, "move": ["  "], "before": "COPY"}, "no instruction"),
    ],
)
def test_a_move_that_cannot_be_says_why(arguments: dict[str, object], words: str) -> None:
    with pytest.raises(DockerfileError) as caught:
        reorder(APP, path="D", **arguments)  # type: ignore[arg-type]
    assert caught.value.message.startswith("D: ")
    assert words in caught.value.message
    assert caught.value.remedy


PIECES = (
    *("RUN one", "RUN two \\\n  more", "RUN <<E\n# in\nE", "# a comment", "", "EXPOSE 80"),
    *("ENV A=1 \\\n# between\n  B=2", "copy x \\\n\n  y", "CMD z", "  # indented", "WORKDIR /a"),
)


@given(st.data())
def test_a_reorder_is_a_permutation_of_the_lines(data: st.DataObject) -> None:
    """And the file holds the same instructions as before, each stage its own."""
    bodies = data.draw(
        st.lists(st.lists(st.sampled_from(PIECES), max_size=8), min_size=1, max_size=3)
    )
    text = "\n".join(line for body in bodies for line in ["FROM a", *body])
    text += data.draw(st.sampled_from(["", "\n"]))
    before = parse(text)
    stage = data.draw(st.sampled_from(before.stages))
    names = [one.text for one in stage.instructions[1:]]
    move = data.draw(st.lists(st.sampled_from(names), max_size=3)) if names else []
    stays = [name for name in names if not any(name == one for one in move)]
    if not move or not stays:
        return
    place = data.draw(st.sampled_from(["before", "after"]))
    anchor = data.draw(st.sampled_from(stays))
    result = reorder(text, stage=stage.index, move=move, **{place: anchor})
    assert Counter(filter(None, result.split("\n"))) == Counter(filter(None, text.split("\n")))
    assert result.count("\n") - text.count("\n") in {0, 1}
    after = parse(result)
    for old, new in zip(before.stages, after.stages, strict=True):
        assert Counter(one.text for one in old.instructions) == Counter(
            one.text for one in new.instructions
        )
    order = [one.text for one in after.stages[stage.index].instructions]
    assert [one for one in order if one in stays] == stays
    assert [one for one in order[1:] if one in move] == [one for one in names if one in move]


def test_a_reference_is_the_beginning_of_an_instruction_up_to_the_end_of_a_word() -> None:
    run = parse("FROM a\nrun  mvn \\\n  package").stages[0].instructions[1]
    assert matches(run, "RUN")
    assert matches(run, "run  mvn")
    assert matches(run, "RUN mvn package")
    assert not matches(run, "RUN mv")
    assert not matches(run, "RUN mvn package x")
    assert not matches(run, "mvn")
    assert not matches(run, " ")


IMAGES = """\
# syntax=docker/dockerfile:1
ARG TAG=3
ARG BASE=alpine:${TAG}
ARG LAST=golang
FROM --platform=linux/amd64 \\
# the compiler
  golang \\
  AS golang
RUN --mount=type=bind,from=golang,target=/x --mount=from=alpine:3,target=/y,type=bind \\
    echo --from=alpine:3 from=alpine:3 golang alpine:3
COPY --from=alpine:3 --chown=1 alpine:3 /golang
from ${BASE} AS alpine
COPY --from=golang /golang /golang
COPY --from=0 /a /b
FROM scratch
COPY --from=alpine /a from=alpine:3
FROM $LAST AS end
"""


def uses(text: str, **build_args: str) -> dict[str, str]:
    return {use.raw: use.image for use in external_images(parse(text), build_args)}


def test_external_images_are_what_is_no_earlier_stage() -> None:
    assert uses(IMAGES) == {
        "golang": "golang",  # of the first FROM, and its own mount: no earlier stage has the name
        "alpine:3": "alpine:3",
        "${BASE}": "alpine:3",
        "scratch": "scratch",
    }
    assert uses(IMAGES, TAG="4", LAST="debian")["${BASE}"] == "alpine:4"
    assert uses(IMAGES, LAST="debian")["$LAST"] == "debian"


def test_external_images_of_some_stages_only() -> None:
    found = external_images(parse(IMAGES), stages=[1, 2])
    assert [use.raw for use in found] == ["${BASE}", "scratch"]


def test_a_from_without_a_value_is_refused() -> None:
    with pytest.raises(DockerfileError, match=r"D:2: FROM \$X names no image"):
        external_images(parse("ARG X\nFROM $X\n", "D"))


def test_only_image_names_are_replaced_and_every_line_stays_where_it_is() -> None:
    images = {"golang": "s/go:1", "alpine:3": "s/al:1", "${BASE}": "s/ba:1", "scratch": "s/sc:1"}
    assert replace_images(parse(IMAGES), images) == (
        IMAGES.replace("  golang \\\n", "  s/go:1 \\\n")
        .replace("from=golang,target", "from=s/go:1,target")
        .replace("--mount=from=alpine:3", "--mount=from=s/al:1")
        .replace("COPY --from=alpine:3 --chown", "COPY --from=s/al:1 --chown")
        .replace("from ${BASE} AS", "from s/ba:1 AS")
        .replace("FROM scratch", "FROM s/sc:1")
    )


def test_a_name_in_the_replacement_is_not_a_pattern() -> None:
    text = "FROM a.c\nCOPY --from=abc /x /y\nCOPY --from=a.c /x /y\n"
    replaced = replace_images(parse(text), {"a.c": r"r\1:\g<0>"})
    assert replaced == "FROM r\\1:\\g<0>\nCOPY --from=abc /x /y\nCOPY --from=r\\1:\\g<0> /x /y\n"


@given(
    st.lists(
        st.sampled_from(
            [
                *("FROM img", "FROM img AS s", "FROM s", "FROM --platform=x img as t"),
                *("COPY --from=img a b", "COPY --from=s a b", "COPY --link --from=img \\\n a b"),
                *("RUN --mount=type=bind,from=img,target=/x y", "# FROM img", "RUN FROM=img img"),
            ]
        ),
        max_size=10,
    )
)
def test_replacing_every_image_leaves_no_external_one(pieces: list[str]) -> None:
    text = "\n".join(["FROM img", *pieces])
    dockerfile = parse(text)
    images = {use.raw: f"salted/{use.raw}:1" for use in external_images(dockerfile)}
    replaced = parse(replace_images(dockerfile, images))
    assert {use.raw for use in external_images(replaced)} <= set(images.values())
    assert [
        (one.keyword, one.line, one.end_line) for s in replaced.stages for one in s.instructions
    ] == [
        (one.keyword, one.line, one.end_line) for s in dockerfile.stages for one in s.instructions
    ]
    back = replaced.text
    for raw, image in images.items():
        back = back.replace(image, raw)
    assert back == text
