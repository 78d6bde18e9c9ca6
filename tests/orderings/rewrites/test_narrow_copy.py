"""Only stages that lend files are narrowed, and only where all that they need is known."""

from __future__ import annotations

import pytest

from bench.orderings.rewrites import find_rewrite
from tests.orderings.rewrites.projects import assert_refused, facts_of, proposed

NAME = "narrow-copy"
TEXT = """\
FROM go AS build
WORKDIR /src
COPY . .
RUN make
FROM scratch
COPY --from=build /src/out /src/web/page.html /
"""
FILES = {"Makefile": "", "src/a.c": "", "src/b.c": "", "web/page.html": "", "README.md": ""}
ACCESS = {(0, 4): (["/src/Makefile", "/src/src"], ["/src/out"])}


def test_what_the_stage_needs_is_copied_and_what_is_taken_from_it() -> None:
    proposal = proposed(NAME, facts_of(TEXT, FILES, access=ACCESS))
    assert proposal.dockerfile_text == TEXT.replace(
        "COPY . .\n", "COPY Makefile ./\nCOPY web/page.html ./web/\nCOPY src/ ./src/\n"
    )
    assert "README.md" in proposal.reason
    again = facts_of(proposal.dockerfile_text, FILES, access={(0, 6): ACCESS[0, 4]})
    assert find_rewrite(NAME).proposals(again) == []


def test_known_commands_count_like_declared_ones() -> None:
    text = "FROM p AS a\nWORKDIR /a\nCOPY . .\nRUN pip install -r r.txt --prefix=/i\nFROM p\n"
    facts = facts_of(text + "COPY --from=a /i /i\n", {"r.txt": "", "b": ""})
    assert "COPY r.txt ./\n" in proposed(NAME, facts).dockerfile_text


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (TEXT.replace("RUN make", "RUN make\nRUN strip out"), "what strip reads"),
        (TEXT.replace("FROM scratch", "FROM build AS more\nFROM scratch"), "starts from this one"),
        (
            TEXT + "RUN --mount=from=build,source=/src,target=/s x\n",
            "mounts files of it",
        ),
        (TEXT.replace("--from=build /src/out /src/web/page.html", "--from=build /src/out"), ""),
    ],
)
def test_it_is_refused_where_something_is_not_known(text: str, why: str) -> None:
    facts = facts_of(text, FILES, access=ACCESS)
    if why:
        assert_refused(NAME, facts, why)
    else:
        assert "web" not in proposed(NAME, facts).dockerfile_text


@pytest.mark.parametrize(
    "text",
    [
        TEXT.partition("FROM scratch")[0],  # the image itself
        TEXT.replace("FROM scratch", "FROM build"),  # what the image starts from
        TEXT.replace("/src/out /src/web/page.html", "/src"),  # all of it is taken
    ],
)
def test_nothing_is_left_out_that_may_end_in_the_image(text: str) -> None:
    assert find_rewrite(NAME).proposals(facts_of(text, FILES, access=ACCESS)) == []


def test_a_folder_that_a_later_instruction_goes_to_is_kept() -> None:
    text = TEXT.replace("RUN make", "RUN make\nWORKDIR /src/web").replace(" /src/web/page.html", "")
    assert "COPY web/" in proposed(NAME, facts_of(text, FILES, access=ACCESS)).dockerfile_text


def test_a_link_from_what_is_read_to_what_is_not_is_refused() -> None:
    facts = facts_of(TEXT, FILES, access=ACCESS, links={"src/doc": "../README.md"})
    assert_refused(NAME, facts, "src/doc is a link")


def test_a_copy_of_which_nothing_is_read_goes_if_its_folder_is_there_without_it() -> None:
    text = TEXT.replace(" /src/web/page.html", "")
    nothing: list[str] = []
    access = {(0, 4): (nothing, ["/src/out"])}
    proposal = proposed(NAME, facts_of(text, FILES, access=access))
    assert proposal.dockerfile_text == text.replace("COPY . .\n", "")
    elsewhere = text.replace("COPY . .", "COPY . /elsewhere")
    assert_refused(NAME, facts_of(elsewhere, FILES, access=access), "but it makes /elsewhere")
    removed = text.replace("COPY", "RUN rm -r /src\nCOPY", 1)
    facts = facts_of(removed, FILES, access={(0, 3): ([], ["/src"]), (0, 5): ([], ["/src/out"])})
    assert_refused(NAME, facts, "but it makes /src")
