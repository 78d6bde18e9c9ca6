"""Rewrites one after the other: what one made is what the next one sees."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.cache_model import StepPlace
from bench.dockerfile import parse
from bench.errors import UsageError
from bench.orderings.rewrites import REWRITES, best_rewrites, find_rewrite
from tests.orderings.rewrites.projects import ALL, MODERN, NODE, facts_of

SIDE = (
    "FROM n AS b\nWORKDIR /s\nCOPY . .\nRUN npm ci\nRUN pack\nFROM c\nEXPOSE 80\n"
    "COPY --from=b /s/out /\n"
)
FILES = {**NODE, "README.md": "", "docs/a": "", "docs/b": ""}
ACCESS = {(0, 5): (["/s/src", "/s/node_modules"], ["/s/out"])}


def test_every_rewrite_sees_what_the_one_before_it_made() -> None:
    done = best_rewrites(facts_of(SIDE, FILES, access=ACCESS))
    assert done.dockerfile_text == (
        "FROM n AS b\nWORKDIR /s\nCOPY package-lock.json package.json ./\nRUN npm ci\n"
        "COPY src/ ./src/\nRUN pack\nFROM c\nCOPY --from=b /s/out /\nEXPOSE 80\n"
    )
    assert [one.rewrite for one in done.proposals] == [
        "split-copy",
        "split-copy",
        "narrow-copy",
        "dockerignore",
        "metadata-last",
    ]
    assert done.dockerignore_text == "README.md\ndocs\nserver.js\n"
    assert list(done.facts.access) == [StepPlace(0, 6)]


def test_only_the_rewrites_that_are_asked_for_are_made() -> None:
    done = best_rewrites(facts_of(SIDE, FILES, access=ACCESS), ["metadata-last"])
    assert [one.rewrite for one in done.proposals] == ["metadata-last"]
    assert done.is_rewritten
    assert done.dockerignore_text is None
    assert not best_rewrites(facts_of(SIDE, FILES), []).is_rewritten


def test_a_name_that_is_none_is_refused_with_those_there_are() -> None:
    with pytest.raises(UsageError, match="choose of split-copy"):
        find_rewrite("sort-copy")
    assert len({rewrite.name for rewrite in REWRITES}) == len(REWRITES)


_LINES = st.sampled_from(
    [
        "WORKDIR /app",
        "WORKDIR web",
        "COPY . .",
        "COPY src/ /app/src/",
        "COPY package.json ./",
        "COPY *.json ./",
        "COPY --chown=1:2 . /app",
        "# a comment\nRUN npm ci",
        "RUN npm ci \\\n  && npm cache clean --force",
        "RUN pip install --no-cache-dir flask",
        "RUN apt-get update && apt-get install -y gcc",
        "RUN make",
        "ENV A=1 B=2",
        "ARG A B=$C D=3",
        "COPY server.js $A/",
        "LABEL a=$A b=c",
        "EXPOSE 80",
        'CMD ["x"]',
        'ENTRYPOINT ["y"]',
        "USER 1000",
        "VOLUME /app",
        'SHELL ["/bin/sh", "-ec"]',
        "COPY --from=one /app /app",
        "COPY --from=one /app/src/app.js /",
        "RUN --mount=type=cache,target=/root/.npm npm ci",
        "ONBUILD COPY . .",
    ]
)
_STAGES = st.sampled_from(["FROM a", "FROM scratch", "FROM one"])


@settings(max_examples=60)
@given(
    first=st.lists(_LINES, max_size=6),
    others=st.lists(st.tuples(_STAGES, st.lists(_LINES, max_size=6)), max_size=2),
    profiles=st.sampled_from([ALL, MODERN]),
    declared=st.booleans(),
    ended=st.booleans(),
)
def test_what_is_proposed_parses_differs_and_leaves_nothing_more_to_propose(
    first: list[str],
    others: list[tuple[str, list[str]]],
    profiles: tuple,  # type: ignore[type-arg]
    declared: bool,
    ended: bool,
) -> None:
    lines = ["# syntax=docker/dockerfile:1", "FROM a AS one", *first]
    for base, body in others:
        lines += [base, *body]
    text = "\n".join(lines) + ("\n" if ended else "")
    runs = {
        (stage.index, step): (["/app/Makefile", "/app/src"], ["/app/out"])
        for stage in parse(text).stages
        for step, one in enumerate(stage.instructions, start=1)
        if declared and one.keyword == "RUN" and "make" in one.text
    }
    facts = facts_of(text, FILES, profiles=profiles, access=runs)
    for rewrite in REWRITES:
        for proposal in rewrite.proposals(facts):
            assert parse(proposal.dockerfile_text)
            same = proposal.dockerfile_text == text
            assert same == (proposal.dockerignore_text is not None)
            assert proposal.obligations
            assert set(proposal.builders) <= set(rewrite.builders)
    done = best_rewrites(facts)
    assert done.dockerfile_text.endswith("\n") == ended
    assert best_rewrites(done.facts).proposals == ()
