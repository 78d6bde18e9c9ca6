"""A cache mount is proposed only where the folder was no part of the image before either."""

from __future__ import annotations

import pytest

from bench.cache_model.profiles import BUILDKIT_08
from bench.orderings.rewrites import find_rewrite
from tests.orderings.rewrites.projects import ALL, MODERN, NODE, assert_refused, facts_of, proposed

NAME = "package-caches"
SIDE = "FROM go AS b\nWORKDIR /s\nCOPY . .\nRUN go build -o /out .\nFROM c\nCOPY --from=b /out /\n"
FINAL = "FROM python\nRUN pip install --no-cache-dir flask\n"
FILES = {"go.mod": "module m", "main.go": ""}


def test_a_side_stage_keeps_what_it_fetched() -> None:
    proposal = proposed(NAME, facts_of(SIDE, FILES, profiles=MODERN))
    assert proposal.dockerfile_text == SIDE.replace(
        "RUN go",
        "RUN --mount=type=cache,target=/go/pkg/mod "
        "--mount=type=cache,target=/root/.cache/go-build go",
    )
    again = facts_of(proposal.dockerfile_text, FILES, profiles=MODERN)
    assert find_rewrite(NAME).proposals(again) == []


def test_all_runs_of_one_tool_get_the_same_mount() -> None:
    text = (
        "FROM m AS b\nWORKDIR /s\nCOPY pom.xml .\nRUN mvn -B dependency:go-offline\nCOPY . .\n"
        "RUN mvn package\nFROM c\nCOPY --from=b /s/target/x.jar /\n"
    )
    proposal = proposed(NAME, facts_of(text, {"pom.xml": "", "a": ""}, profiles=MODERN))
    assert proposal.dockerfile_text.count("--mount=type=cache,target=/root/.m2/repository mvn") == 2


def test_distributions_lock_their_packages() -> None:
    text = "FROM d AS b\nRUN apt-get update && apt-get install -y gcc\nFROM c\nCOPY --from=b /o /\n"
    assert (
        "RUN --mount=type=cache,target=/var/cache/apt,sharing=locked "
        "--mount=type=cache,target=/var/lib/apt/lists,sharing=locked apt-get"
    ) in proposed(NAME, facts_of(text, {}, profiles=MODERN)).dockerfile_text


def test_pip_without_a_cache_of_its_own_gets_a_mount_in_the_image_too() -> None:
    proposal = proposed(NAME, facts_of(FINAL, {}, profiles=MODERN))
    assert proposal.dockerfile_text == (
        "FROM python\nRUN --mount=type=cache,target=/root/.cache/pip pip install flask\n"
    )
    assert proposal.builders == ("buildkit",)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (FINAL.replace(" --no-cache-dir", ""), "which would be gone"),
        ("FROM node\nWORKDIR /app\nCOPY . .\nRUN npm ci\n", "which would be gone"),
        (SIDE.replace("/out .\n", "/out .\nRUN find /\n"), "what find reads"),
        (SIDE.replace("RUN go", "RUN find / && go"), "it runs find /"),
        (SIDE.replace("RUN go", "USER 7\nRUN go"), "it runs as 7"),
        (SIDE.replace("RUN go", "ENV GOCACHE=/c\nRUN go"), "GOCACHE"),
        (SIDE.replace("--from=b /out", "--from=b /go/"), "the folder included"),
        (SIDE.replace("--from=b /out", "--from=b /"), "the folder included"),
        (
            SIDE.replace("RUN go build -o /out .", "RUN npm ci --offline"),
            "relies on what is kept already",
        ),
    ],
)
def test_it_is_refused_where_the_folder_may_matter(text: str, why: str) -> None:
    assert_refused(NAME, facts_of(text, {**FILES, **NODE}, profiles=MODERN), why)


def test_without_a_network_nothing_could_be_fetched_again() -> None:
    assert_refused(NAME, facts_of(SIDE, FILES, profiles=MODERN, network="none"), "no network")


def test_an_early_buildkit_leaves_the_folder_of_a_mount_in_the_image() -> None:
    assert_refused(NAME, facts_of(FINAL, {}, profiles=(BUILDKIT_08,)), "leaves the mount's folder")
    assert proposed(NAME, facts_of(SIDE, FILES, profiles=(BUILDKIT_08,)))


def test_the_classic_builder_knows_no_mounts() -> None:
    assert find_rewrite(NAME).proposals(facts_of(SIDE, FILES, profiles=ALL)) == []


def test_other_runs_count_only_from_the_mount_on() -> None:
    text = SIDE.replace("RUN go", "RUN find /\nRUN go")
    assert proposed(NAME, facts_of(text, FILES, profiles=MODERN))
