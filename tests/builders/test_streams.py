"""What the engines said, read a second time without the code under test, and single cases."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, Any

import pytest

from bench.builders import BuildOutcome, StepOutcome
from bench.dockerfile import GLOBAL_STAGE_INDEX
from tests.builders.cases import CASES
from tests.builders.test_recordings import RECORDINGS, Recording

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.builders import Build, Step


def ids(recording: Recording) -> str:
    return f"{recording.fixture}-{'-'.join(recording.key)}"


def ended_well(builder: str) -> list[Recording]:
    return [
        one
        for one in RECORDINGS
        if one.builder == builder and one.replay().outcome is BuildOutcome.OK
    ]


def find(case: str, build: str, builder: str = "buildkit", store: str = "") -> list[Recording]:
    found = [
        one
        for one in RECORDINGS
        if (*one.key, one.builder) == (case, build, builder) and one.fixture.endswith(store)
    ]
    assert found, f"nothing is recorded of {case}/{build}"
    return found


def step_of(build: Build, stage_index: int, number: int) -> Step:
    return next(
        step for step in build.steps if (step.stage_index, step.step) == (stage_index, number)
    )


def test_every_case_is_recorded_on_every_engine_that_can_build_it() -> None:
    recorded = {(one.fixture, *one.key) for one in RECORDINGS}
    fixtures = {one.fixture for one in RECORDINGS}

    assert len(fixtures) == 6, "two builders of three engines"
    for fixture in fixtures:
        modern = fixture.startswith("buildkit") and "-20." not in fixture
        cases = [case for case in CASES if modern or not case.modern]
        wanted = {(fixture, case.name, build) for case in cases for build, _ in case.builds}
        assert wanted <= recorded


@pytest.mark.parametrize("recording", RECORDINGS, ids=ids)
def test_steps_and_stages_stand_as_in_the_dockerfile(recording: Recording) -> None:
    build = recording.replay()
    lines = recording.header["dockerfile"].split("\n")

    numbers = [step.line for step in build.steps]
    assert numbers == sorted(set(numbers))
    assert all(lines[step.line - 1].split()[0] == step.instruction for step in build.steps)
    froms = [line.split() for line in lines if line.startswith("FROM ")]
    assert [stage.stage for stage in build.stages] == [
        words[3] if len(words) == 4 else str(index) for index, words in enumerate(froms)
    ]
    for stage in build.stages:
        own = [step.outcome for step in build.steps if step.stage_index == stage.stage_index]
        assert stage.hits == own.count(StepOutcome.HIT)
        assert stage.misses == own.count(StepOutcome.MISS)


@pytest.mark.parametrize("recording", RECORDINGS, ids=ids)
def test_times_lie_inside_the_build(recording: Recording) -> None:
    build = recording.replay()

    for step in build.steps:
        assert 0 <= (step.seconds or 0.0) <= build.wall_seconds
        assert 0 <= (step.offset_seconds or 0.0) <= build.wall_seconds
    for stage in build.stages:
        assert 0 <= stage.busy_seconds <= stage.span_seconds + 1e-9
        assert 0 <= stage.critical_seconds <= build.wall_seconds


# -- the wire format of control.proto, by hand ----------------------------------------------------


def varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        value |= (data[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if data[at - 1] < 0x80:
            return value, at


def fields(data: bytes) -> Iterator[tuple[int, Any]]:
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        value, at = varint(data, at)
        if key & 7 == 2:
            yield key >> 3, data[at : at + value]
            at += value
        else:
            assert key & 7 == 0, "only varints and byte strings are sent"
            yield key >> 3, value


def vertices(recording: Recording) -> dict[str, tuple[bool, bool]]:
    """Return name → (an event says cached, an event says started) of every vertex."""
    found: dict[bytes, tuple[str, bool, bool]] = {}
    for _, message in recording.messages:
        if message.get("id") != "moby.buildkit.trace":
            continue
        for number, event in fields(base64.b64decode(message["aux"])):
            if number == 1:
                told = dict(fields(event))
                _, cached, started = found.get(told[1], ("", False, False))
                found[told[1]] = (
                    told[3].decode(),
                    cached or bool(told.get(4)),
                    started or 5 in told,
                )
    return {name: (cached, started) for name, cached, started in found.values()}


STEP_NAME = re.compile(r"\A\[(?:\S+ )? *\d+/\d+\] (?!FROM )(.*)", re.S)
TRIGGER = re.compile(r"ONBUILD |RUN echo trigger|WORKDIR /triggered|COPY a.txt /triggered")


@pytest.mark.parametrize("recording", ended_well("buildkit"), ids=ids)
def test_as_many_buildkit_steps_hit_and_miss_as_the_stream_says(recording: Recording) -> None:
    told = vertices(recording)
    linked = any("] LINK " in name for name in told)
    counted = {True: 0, False: 0}
    for name, (cached, started) in told.items():
        step = STEP_NAME.match(name)
        # A trigger is no instruction of the Dockerfile; beside a LINK its COPY decides nothing.
        if step is None or TRIGGER.match(step[1]) or (linked and step[1].startswith("COPY --li")):
            continue
        assert cached or started
        counted[cached] += 1

    build = recording.replay()
    assert (build.hits, build.misses) == (counted[True], counted[False])


IN_CONTAINER = re.compile(
    r"^ ---> Running in ([0-9a-f]+)\n.*?^(?: ---> Removed|Removing) intermediate container \1\n",
    re.S | re.M,
)


@pytest.mark.parametrize("recording", ended_well("classic"), ids=ids)
def test_the_classic_stream_says_using_cache_of_exactly_the_hits(recording: Recording) -> None:
    text = "".join(message.get("stream", "") for _, message in recording.messages)
    parts = re.split(r"^Step \d+/\d+ : ", IN_CONTAINER.sub("", text), flags=re.M)[1:]
    told = [(part.split()[0], "\n ---> Using cache\n" in part) for part in parts]

    steps = [one for one in recording.replay().steps if one.outcome is not StepOutcome.UNREACHED]
    assert [step.instruction for step in steps] == [keyword for keyword, _ in told]
    for step, (keyword, cached) in zip(steps, told, strict=True):
        if keyword != "FROM" and step.stage_index != GLOBAL_STAGE_INDEX:
            assert (step.outcome is StepOutcome.HIT) is cached, step.text


# -- single cases ---------------------------------------------------------------------------------


@pytest.mark.parametrize("recording", find("link", "edit", store="containerd"), ids=ids)
def test_a_real_link_is_copied_from_the_cache_and_its_merge_decides(recording: Recording) -> None:
    told = vertices(recording)
    [copy] = [state for name, state in told.items() if "] COPY --link" in name]
    [link] = [state for name, state in told.items() if "] LINK " in name]

    assert copy[0], "the copy alone does not hang on what stood before"
    assert not link[0]
    assert step_of(recording.replay(), 0, 3).outcome is StepOutcome.MISS


@pytest.mark.parametrize("recording", find("link", "edit", store="graphdriver"), ids=ids)
def test_without_the_containerd_store_a_link_is_a_plain_copy(recording: Recording) -> None:
    assert not [name for name in vertices(recording) if "] LINK " in name]


@pytest.mark.parametrize("recording", find("critical", "edit"), ids=ids)
def test_a_cached_step_is_no_work_however_late_it_is_reported(recording: Recording) -> None:
    kept = step_of(recording.replay(), 2, 3)

    assert (kept.text, kept.outcome) == ("RUN echo kept > kept", StepOutcome.HIT)
    assert (kept.seconds or 0.0) < 0.5


@pytest.mark.parametrize("recording", find("critical", "cold", "classic"), ids=ids)
def test_every_stage_of_the_classic_builder_is_critical(recording: Recording) -> None:
    stages = recording.replay().stages

    for stage, least in zip(stages, (2.0, 1.0, 0.0), strict=True):
        assert stage.critical_seconds == pytest.approx(stage.busy_seconds)
        assert stage.critical_seconds > least


@pytest.mark.parametrize("builder", ["classic", "buildkit"])
def test_a_step_takes_as_long_as_its_command_sleeps(builder: str) -> None:
    for recording in find("critical", "cold", builder):
        assert 2.0 <= (step_of(recording.replay(), 0, 3).seconds or 0.0) < 4.0


@pytest.mark.parametrize("builder", ["classic", "buildkit"])
def test_a_failed_build_keeps_what_it_printed_and_the_failed_step_its_time(builder: str) -> None:
    for recording in find("failed", "cold", builder):
        build = recording.replay()
        assert "about to fail" in build.log_tail
        assert (step_of(build, 1, 2).seconds or 0.0) >= 1.0
