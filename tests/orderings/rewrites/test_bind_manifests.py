"""A file is mounted instead of copied only if it is copied again right below."""

from __future__ import annotations

import pytest

from bench.orderings.rewrites import Facts, find_rewrite
from tests.orderings.rewrites.projects import ALL, MODERN, NODE, assert_refused, facts_of, proposed

NAME = "bind-manifests"
TEXT = "FROM n\nWORKDIR /app\nCOPY package.json package-lock.json ./\nRUN npm ci\nCOPY . .\n"


def test_files_of_one_run_are_mounted() -> None:
    proposal = proposed(NAME, facts_of(TEXT, NODE, profiles=MODERN))
    assert proposal.dockerfile_text == (
        "FROM n\nWORKDIR /app\n"
        "RUN --mount=type=bind,source=package.json,target=/app/package.json "
        "--mount=type=bind,source=package-lock.json,target=/app/package-lock.json npm ci\n"
        "COPY . .\n"
    )
    again = facts_of(proposal.dockerfile_text, NODE, profiles=MODERN)
    assert find_rewrite(NAME).proposals(again) == []


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (TEXT.replace("WORKDIR /app\n", "").replace("./", "/app/"), ""),
        (TEXT.replace("RUN npm ci", "RUN make"), "what make reads"),
        (TEXT.replace("./\n", "/web/\n").replace(". .", ". /web/"), "not among the copied files"),
        (TEXT.replace("COPY package", "COPY --chown=1 package"), "no flags of COPY"),
    ],
)
def test_it_is_refused_where_a_mount_may_leave_something(text: str, why: str) -> None:
    facts = facts_of(text, NODE, profiles=MODERN)
    if why:
        assert_refused(NAME, facts, why)
    else:
        assert find_rewrite(NAME).proposals(facts) == []


def test_a_written_file_and_one_in_a_folder_that_is_not_there_are_refused() -> None:
    def facts(writes: list[str], text: str = TEXT) -> Facts:
        return facts_of(text, NODE, profiles=MODERN, access={(0, 4): (["/app"], writes)})

    assert_refused(NAME, facts(["/app/package.json"]), "which a mount does not allow")
    deep = "FROM n\nWORKDIR /app\nCOPY src/ ./src/\nRUN npm ci\nCOPY . .\n"
    assert_refused(NAME, facts(["/out"], deep), "no WORKDIR makes /app/src")


def test_files_that_are_not_copied_again_stay() -> None:
    text = TEXT.replace("COPY . .", "COPY src/ ./")
    assert find_rewrite(NAME).proposals(facts_of(text, NODE, profiles=MODERN)) == []


def test_the_classic_builder_knows_no_mounts() -> None:
    assert find_rewrite(NAME).proposals(facts_of(TEXT, NODE, profiles=ALL)) == []
