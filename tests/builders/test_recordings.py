"""Recorded streams of real engines are scored as the builders' rules say, step by step.

The truth is written by hand from the rules (classic: every instruction is a link of a chain;
BuildKit: FROM, RUN, COPY, ADD and WORKDIR other than / are vertices), one letter an instruction,
one word a stage; ARGs before the first FROM are a word of their own in front.

    H hit  M miss  b base  c config  = merged  u unreached  F failed  - not run
"""

from __future__ import annotations

import base64
import gzip
import json
import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bench.builders import BaseImageConfig, Build, BuildOutcome, BuildRequest, PackedContext
from bench.builders.buildkit import BuildKitReading
from bench.builders.classic import ClassicReading
from bench.builders.numbering import VERTEX_KEYWORDS
from bench.builders.protocol import StepOutcome
from bench.builders.transport import Arrival
from bench.dockerfile import parse
from tests.builders.cases import CASES

FIXTURES = sorted((Path(__file__).parent / "fixtures").glob("*.jsonl.gz"))
LETTERS = {
    "hit": "H",
    "miss": "M",
    "base": "b",
    "config": "c",
    "merged": "=",
    "unreached": "u",
    "failed": "F",
    "not-run": "-",
}
# (case, build): what the classic builder does, what BuildKit does.
TRUTH: dict[tuple[str, str], tuple[str, str]] = {
    ("two-stages", "cold"): ("bMMM bMMMMM", "bMMM bcMMMc"),
    ("two-stages", "again"): ("bHHH bHHHHH", "bHHH bcHHHc"),
    ("two-stages", "edit"): ("bHMM bHHMMM", "bHMM bcHMMc"),
    # The same RUN in two stages: the classic builder finds the first one's image, BuildKit makes
    # one vertex of both and shows it under one name.
    ("merged", "cold"): ("bM bHM bMM", "b= bMM bMM"),
    ("merged", "again"): ("bH bHH bHH", "b= bHH bHH"),
    ("root-workdir", "cold"): ("bMMMMMMMMM", "bccMMcMMcM"),
    ("root-workdir", "again"): ("bHHHHHHHHH", "bccHHcHHcH"),
    ("root-workdir", "edit"): ("bHHHHHMMMM", "bccHHcMMcM"),
    ("on-build", "cold"): ("bMMMM bMM bM", "bcccM bMM bM"),
    ("on-build", "again"): ("bHHHH bHH bH", "bcccH bHH bH"),
    ("on-build", "edit"): ("bHHHH bMM bM", "bcccH bMM bM"),
    ("on-build-image", "cold"): ("bMM", "bMM"),
    ("on-build-image", "again"): ("bHH", "bHH"),
    ("from-image", "cold"): ("bMMM", "bMMM"),
    ("from-image", "again"): ("bHHH", "bHHH"),
    ("from-image", "edit"): ("bHHM", "bHHM"),
    # BuildKit builds the slow stage beside the bad one and cuts its sleep off; what a failed
    # build calls cached was not necessarily reached.
    ("failed", "cold"): ("bMM bF- ----", "bM- bF- b--c"),
    ("failed", "again"): ("bHH bF- ----", "b-- bF- b--c"),
    ("missing-file", "cold"): ("bMF-", "b-F-"),
    ("missing-file", "again"): ("bHF-", "b-F-"),
    ("missing-image", "cold"): ("F-", "b-"),
    ("timeout", "cold"): ("bMF-", "bMF-"),
    # The classic builder builds every stage up to the target, used or not.
    ("target", "cold"): ("bM bM bM uu", "bM uu bM uu"),
    ("target", "again"): ("bH bH bH uu", "bH uu bH uu"),
    ("global-arg", "cold"): ("cc bM bM bMM", "cc uu bM bcM"),
    ("global-arg", "again"): ("cc bH bH bHH", "cc uu bH bcH"),
    # What the RUNs print looks like the builder's own lines, and must not count.
    ("pretender", "cold"): ("bMMMM", "bMMMc"),
    ("pretender", "again"): ("bHHHH", "bHHHc"),
    ("pretender", "edit"): ("bHHMM", "bHHMc"),
    ("names", "cold"): ("bM bMM bM bMMM", "bM bMM bM bMMM"),
    ("names", "again"): ("bH bHH bH bHHH", "bH bHH bH bHHH"),
    ("names", "edit"): ("bM bMM bM bMMM", "bM bMM bM bMMM"),
    ("many-steps", "cold"): ("bMMMMMMMMMMM bMM", "bMMMMMMMMMMM bMM"),
    ("many-steps", "again"): ("bHHHHHHHHHHH bHH", "bHHHHHHHHHHH bHH"),
    ("many-steps", "edit"): ("bHHHHHHHHMMM bHM", "bHHHHHHHHMMM bHM"),
    ("scratch", "cold"): ("bM bM", "bM bM"),
    ("scratch", "again"): ("bH bH", "bH bH"),
    ("scratch", "edit"): ("bM bM", "bM bM"),
    # The COPY of both stages is one vertex; which stage it is shown under differs by engine.
    ("critical", "cold"): ("bMM bHM bMMMM", "bMM b=M bMMMM|b=M bMM bMMMM"),
    ("critical", "edit"): ("bMM bHM bHHMM", "bMM b=M bHHMM|b=M bMM bHHMM"),
    # On graph drivers --link is a plain COPY; on the containerd store it is two vertices, and the
    # one that joins it with what stood before runs when that did.
    ("link", "cold"): ("", "bMMM"),
    ("link", "again"): ("", "bHHH"),
    ("link", "edit"): ("", "bMMM"),
    ("mounts", "cold"): ("", "bM bMMMM"),
    ("mounts", "again"): ("", "bH bHHHH"),
    ("mounts", "edit"): ("", "bH bHHHM"),
    ("heredocs", "cold"): ("", "bMMMM"),
    ("heredocs", "again"): ("", "bHHHH"),
    ("heredocs", "edit"): ("", "bHHHM"),
}


@dataclass(frozen=True)
class Recording:
    """One recorded build: its header line and its messages."""

    fixture: str
    header: dict[str, Any]
    messages: tuple[tuple[float, dict[str, Any]], ...]

    @property
    def key(self) -> tuple[str, str]:
        return self.header["case"], self.header["build"]

    @property
    def builder(self) -> str:
        return self.fixture.partition("-")[0]

    def replay(self) -> Build:
        case = next(one for one in CASES if one.name == self.header["case"])
        dockerfile = parse(self.header["dockerfile"])
        bases = {
            tag: BaseImageConfig(one["working_dir"], one["env"], tuple(one["on_build"]))
            for tag, one in self.header["base_images"].items()
        }
        request = BuildRequest(
            context=PackedContext(Path("none"), 0, "", 0.0),
            dockerfile=dockerfile,
            dockerfile_path="Dockerfile",
            tag="t",
            build_args=case.build_args,
            target=case.target,
            base_images=bases,
        )
        reading: ClassicReading | BuildKitReading
        if self.builder == "classic":
            reading = ClassicReading(dockerfile, case.target)
        else:
            reading = BuildKitReading(request)
        for at, message in self.messages:
            reading.take(Arrival(at, message))
        outcome = BuildOutcome.FAILED if reading.error else BuildOutcome(self.header["outcome"])
        return reading.result(outcome, self.header["error"], self.header["seconds"])


def _recordings() -> list[Recording]:
    found = []
    for path in FIXTURES:
        header: dict[str, Any] = {}
        messages: list[tuple[float, dict[str, Any]]] = []
        for line in gzip.decompress(path.read_bytes()).decode().splitlines():
            entry = json.loads(line)
            if isinstance(entry, list):
                messages.append((entry[0], entry[1]))
                continue
            if header:
                found.append(Recording(path.name[:-9], header, tuple(messages)))
            header, messages = entry, []
        found.append(Recording(path.name[:-9], header, tuple(messages)))
    return found


RECORDINGS = _recordings()
each_recording = pytest.mark.parametrize(
    "recording", RECORDINGS, ids=[f"{one.fixture}-{'-'.join(one.key)}" for one in RECORDINGS]
)


def outcomes(build: Build) -> str:
    stages: dict[int, str] = defaultdict(str)
    for step in build.steps:
        stages[step.stage_index] += LETTERS[step.outcome]
    return " ".join(stages[index] for index in sorted(stages))


@each_recording
def test_every_instruction_is_scored_by_the_rules(recording: Recording) -> None:
    truth = TRUTH[recording.key][0 if recording.builder == "classic" else 1]

    assert outcomes(recording.replay()) in truth.split("|")


@each_recording
def test_the_image_is_known_where_the_build_ended_well(recording: Recording) -> None:
    build = recording.replay()

    assert (build.image_id is not None) == (build.outcome is BuildOutcome.OK)
    assert bool(build.log_tail) <= (build.outcome is not BuildOutcome.OK)


@each_recording
def test_hits_agree_with_the_engine_s_own_words(recording: Recording) -> None:
    """Counted in another way: lines of text, and one field of the raw protobuf bytes."""
    build = recording.replay()
    if build.outcome is not BuildOutcome.OK or recording.key[0] in {"pretender", "link"}:
        return
    hits = sum(step.outcome is StepOutcome.HIT for step in build.steps)

    if recording.builder == "classic":
        lines = "".join(message.get("stream", "") for _, message in recording.messages)
        own, triggers = lines.count(" ---> Using cache\n"), _trigger_hits(lines)
        assert hits == own - triggers
    elif "on-build" not in recording.key[0]:
        assert hits == len(_cached_names(recording))


def _trigger_hits(lines: str) -> int:
    """Count the cached lines of triggers: those between a FROM and the next step."""
    blocks = re.split(r"(?=^Step \d+/\d+ : )", lines, flags=re.M)
    return sum(
        block.count(" ---> Using cache\n")
        for block in blocks
        if re.match(r"Step \d+/\d+ : FROM ", block)
    )


def _cached_names(recording: Recording) -> set[str]:
    """Return the names of instruction vertices with field 4 set, by a decoder of a few lines."""
    names = set()
    for _, message in recording.messages:
        if message.get("id") != "moby.buildkit.trace":
            continue
        for number, vertex in _fields(base64.b64decode(message["aux"])):
            if number != 1:
                continue
            fields = dict(_fields(vertex))
            name = fields[3].decode()
            step = re.match(r"\[[^\]]*\d+/\d+\] (\S+)", name)
            if step and step[1] in VERTEX_KEYWORDS and fields.get(4):
                names.add(name)
    return names


def _fields(data: bytes) -> list[tuple[int, Any]]:
    """Split a protobuf message: https://protobuf.dev/programming-guides/encoding/."""
    found: list[tuple[int, Any]] = []
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        value: Any
        value, at = _varint(data, at)
        if key & 7 == 2:
            value, at = data[at : at + value], at + value
        found.append((key >> 3, value))
    return found


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        value |= (data[at] & 0x7F) << shift
        shift += 7
        at += 1
        if data[at - 1] < 0x80:
            return value, at


@pytest.mark.parametrize("build", ["cold", "edit"])
@pytest.mark.parametrize("fixture", [one.name[:-9] for one in FIXTURES if "buildkit" in one.name])
def test_the_critical_path_runs_through_the_slow_stage(fixture: str, build: str) -> None:
    """Two seconds in one stage hide one second in the other, also after an edit."""
    [recording] = [
        one for one in RECORDINGS if one.fixture == fixture and one.key == ("critical", build)
    ]
    slow, side, final = recording.replay().stages

    assert 2.0 < slow.critical_seconds < 3.0
    assert side.critical_seconds < 0.2
    assert final.critical_seconds < 1.0
    assert 1.0 < side.busy_seconds < 2.0


@pytest.mark.parametrize("name", ["cold", "again"])
def test_classic_seconds_add_up_to_no_more_than_the_build(name: str) -> None:
    for recording in RECORDINGS:
        if recording.builder == "classic" and recording.key == ("two-stages", name):
            build = recording.replay()
            assert sum(step.seconds or 0.0 for step in build.steps) <= build.wall_seconds
            offsets = [step.offset_seconds for step in build.steps]
            assert offsets == sorted(offset for offset in offsets if offset is not None)
            assert offsets[0] == 0.0
