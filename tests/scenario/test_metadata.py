"""Moving the final stage's metadata only where that surely makes the same image; another port."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.dockerfile import parse, reorder
from bench.scenario.metadata import Move, metadata_move, port_edit


def move(*lines: str) -> Move | None:
    return metadata_move(parse("\n".join(("FROM a AS one", "RUN x", "FROM b", *lines, ""))))


def test_metadata_at_the_end_goes_on_top() -> None:
    assert move("WORKDIR /a", "COPY a .", "EXPOSE 80", 'CMD ["a"]') == Move(
        "metadata-first", 1, ("EXPOSE", "CMD"), "before", "WORKDIR"
    )


def test_metadata_on_top_goes_to_the_end() -> None:
    assert move("EXPOSE 80", "LABEL a=b", "COPY a .", "RUN b") == Move(
        "metadata-last", 1, ("EXPOSE", "LABEL"), "after", "RUN"
    )


def test_metadata_in_the_middle_goes_on_top() -> None:
    found = move("COPY a .", "STOPSIGNAL SIGINT", "HEALTHCHECK NONE", "RUN b")
    assert found == Move("metadata-first", 1, ("STOPSIGNAL", "HEALTHCHECK"), "before", "COPY")


@pytest.mark.parametrize(
    "fixed",
    [
        "CMD echo hi",
        "ENTRYPOINT echo hi",
        "HEALTHCHECK CMD curl localhost",
        "EXPOSE $PORT",
        'LABEL version="${VERSION}"',
        'CMD ["echo", "$HOME"]',
        "ENV A=1",
        "USER app",
        "VOLUME /data",
        'SHELL ["/bin/bash", "-c"]',
        'ONBUILD CMD ["a"]',
    ],
)
def test_what_may_depend_on_its_place_stays(fixed: str) -> None:
    assert move("COPY a .", fixed) is None
    found = move("COPY a .", fixed, 'ENTRYPOINT ["x"]' if "CMD" in fixed else 'CMD ["x"]')
    assert found is None or fixed.split()[0] not in found.keywords


def test_a_keyword_stays_where_one_of_its_instructions_must() -> None:
    assert move("COPY a .", "LABEL a=b", "LABEL b=$A") is None


@pytest.mark.parametrize(
    "lines", [[], ["RUN a"], ["EXPOSE 80"], ["EXPOSE 80", "ENV A=1", 'CMD ["a"]']]
)
def test_there_is_no_move_without_metadata_or_without_layers_to_pass(lines: list[str]) -> None:
    assert move(*lines) is None


def test_a_named_stage_is_named_and_an_ambiguous_name_is_not() -> None:
    named = metadata_move(parse("FROM a AS app\nRUN x\nEXPOSE 80\n"))
    assert named is not None
    assert named.stage == "app"
    lower = metadata_move(parse("FROM a\nrun x\nexpose 80\n"))
    assert lower is not None
    assert (lower.stage, lower.keywords) == (0, ("EXPOSE",))


LINES = st.sampled_from(
    ["RUN a", "COPY a b", "ENV A=1", "EXPOSE 80", 'CMD ["a"]', "CMD a", "LABEL a=b", "LABEL a=$A"]
)


@given(st.lists(LINES, max_size=8))
def test_a_move_keeps_every_instruction_and_the_order_of_the_others(lines: list[str]) -> None:
    text = "\n".join(("FROM a", *lines))
    found = metadata_move(parse(text))
    if found is None:
        return
    place = {found.edge: found.place}
    moved = reorder(text, stage=found.stage, move=found.keywords, **place)
    before, after = ([i.text for i in parse(one).stages[0].instructions] for one in (text, moved))
    assert before != after
    for keep in (True, False):
        parts = [
            [line for line in one if (line.split()[0] in found.keywords) is keep]
            for one in (before, after)
        ]
        assert parts[0] == parts[1]


@pytest.mark.parametrize(
    ("text", "old", "new"),
    [
        ("FROM a\nEXPOSE 80\n", "EXPOSE 80", "EXPOSE {port}"),
        ("FROM a\nexpose  8080/tcp 90\n", "expose  8080", "expose  {port}"),
        ("FROM a\n# EXPOSE 80\nEXPOSE 80\n", "\nEXPOSE 80", "\nEXPOSE {port}"),
        ("FROM a\nEXPOSE 8080\nFROM b\nEXPOSE 80\n", "EXPOSE 80\n", "EXPOSE {port}\n"),
        ("FROM a\nEXPOSE 80", "EXPOSE 80", "EXPOSE {port}"),
        ("FROM a\r\nEXPOSE 80\r\n", "EXPOSE 80", "EXPOSE {port}"),
        ("FROM a\nEXPOSE $A\nEXPOSE 81\n", "EXPOSE 81", "EXPOSE {port}"),
    ],
)
def test_a_literal_port_is_found_by_a_text_that_stands_once(text: str, old: str, new: str) -> None:
    assert port_edit(parse(text)) == (old, new)


@pytest.mark.parametrize(
    "lines",
    ["EXPOSE $PORT", "EXPOSE 80-90", "EXPOSE 80${X}", "EXPOSE 70000", "RUN a", "EXPOSE \\\n  80"],
)
def test_without_a_plain_literal_port_there_is_no_edit(lines: str) -> None:
    assert port_edit(parse(f"FROM a\n{lines}\n")) is None


def test_a_port_that_cannot_be_told_from_another_is_left() -> None:
    assert port_edit(parse("FROM a\nEXPOSE 80\nFROM b\nEXPOSE 80\nRUN a\n")) is None
