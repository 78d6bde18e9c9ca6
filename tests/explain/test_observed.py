"""Recorded logs are mapped to the instructions of the Dockerfiles that were built."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.builders.protocol import BuildOutcome
from bench.dockerfile import parse
from bench.errors import UsageError
from bench.explain.observed import is_link_merged, observe
from bench.explain.rawjson import read_log
from tests.explain.cases import CASES, LINKED, SHOP

FIXTURES = Path(__file__).parent / "fixtures"
ENGINES = ("20.10.24", "28.5.2-graphdriver", "28.5.2-containerd")
# What the last build of each case did with its steps, place by place, on all three engines.
SHOP_STEPS = ("build:2", "build:3", "build:4", "build:5", "build:6", "1:3", "1:4")
OUTCOMES = {
    "cold": "miss miss miss miss miss miss miss",
    "unchanged": "hit hit hit hit hit hit hit",
    "readme": "hit hit hit miss miss hit hit",
    "source": "hit hit hit miss miss hit miss",
    "build-arg": "hit hit hit hit hit miss miss",
    "expose": "hit hit hit miss miss hit hit",
    "failed": "not-run not-run not-run miss failed not-run not-run",
    "returned": "hit hit hit hit hit hit hit",
}


def fixture(engine: str, case: str) -> Path:
    return FIXTURES / f"rawjson-buildx-0.29.1-engine-{engine}-{case}.jsonl"


def seen(engine: str, case: str) -> dict[str, str]:
    built = CASES[case][-1]
    dockerfile = parse(built.dockerfile)
    found = observe(
        read_log(fixture(engine, case)), dockerfile, build_args=built.build_args, target=None
    )
    assert found.doubts == ()
    return {
        f"{step.stage}:{step.step}": step.outcome.value
        for step in found.build.steps
        if step.outcome not in {"base", "config"}
    }


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("case", OUTCOMES)
def test_every_step_has_the_outcome_of_its_vertex(engine: str, case: str) -> None:
    assert seen(engine, case) == dict(zip(SHOP_STEPS, OUTCOMES[case].split(), strict=True))


@pytest.mark.parametrize("engine", ENGINES)
def test_a_build_of_one_stage_has_no_stage_in_its_names(engine: str) -> None:
    assert seen(engine, "one-stage") == {"0:2": "hit", "0:4": "miss", "0:5": "miss"}


def test_a_linked_copy_is_scored_by_its_merge() -> None:
    """With the containerd store the copy itself hit; what later steps stand on did not."""
    log = read_log(fixture("28.5.2-containerd", "linked"))
    copies = [event for event in log.events if "COPY --link" in event.name]
    assert any(event.cached and not event.name.startswith("[5/6] LINK") for event in copies)

    assert seen("28.5.2-containerd", "linked")["0:5"] == "miss"
    assert is_link_merged(log)
    assert not is_link_merged(read_log(fixture("28.5.2-graphdriver", "linked")))


def test_a_failed_build_is_one() -> None:
    log = read_log(fixture("28.5.2-graphdriver", "failed"))
    dockerfile = parse(CASES["failed"][-1].dockerfile)
    build = observe(log, dockerfile, build_args={}, target=None).build

    assert build.outcome is BuildOutcome.FAILED
    assert "exit code: 1" in build.error


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (SHOP.replace("RUN cat package.txt > /deps\n", ""), "has 'COPY . .' there .line 4."),
        (SHOP.replace("COPY . .", "ADD . ."), "it names '.build 5/6. COPY . .'"),
        (SHOP.replace("COPY --from=build /out /app/out\n", ""), "has no such step"),
        ("FROM BASE\nRUN true\n", "has no such step"),
        (SHOP.replace("AS build", "AS maker").replace("=build", "=maker"), "has no such step"),
    ],
)
def test_the_log_of_another_dockerfile_is_refused(text: str, says: str) -> None:
    log = read_log(fixture("28.5.2-graphdriver", "source"))

    with pytest.raises(UsageError, match=f"the log is of another Dockerfile: .*{says}") as caught:
        observe(log, parse(text), build_args={}, target=None)
    assert "--target" in caught.value.remedy


def test_a_log_that_reads_otherwise_raises_doubts() -> None:
    log = read_log(fixture("28.5.2-graphdriver", "source"))
    text = SHOP.replace("COPY package.txt .", "COPY  other.txt  .").replace("src/app", "app")

    doubts = observe(log, parse(text), build_args={}, target=None).doubts
    assert doubts == (
        "the log has '[build 3/6] COPY package.txt .' where Dockerfile has 'COPY other.txt .' "
        "(line 3): is it the log of this Dockerfile?",
    )


def test_a_build_that_never_came_to_a_step_is_told_with_its_error() -> None:
    """Engine 20.10 refuses the flag of COPY --link before it begins."""
    log = read_log(fixture("20.10.24", "linked"))

    with pytest.raises(UsageError, match=r"names no step of a Dockerfile; .* Unknown flag: link"):
        observe(log, parse(LINKED), build_args={}, target=None)
