"""The simulated builder: what a request and its tar say, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bench.builders.protocol import BuildOutcome, BuildRequest, StepOutcome
from bench.cache_model import BaseImage
from bench.dockerfile import parse
from bench.simulation import Moment, SimulatedBuilder, guessed_times
from bench.simulation.builder import SimulatedCaches
from bench.simulation.context import manifest_of
from bench.workspace import ClientRule, Workspace

if TYPE_CHECKING:
    from pathlib import Path

    from bench.builders.protocol import Build

MOMENT = Moment("v", "classic", "change", "c")
TEXT = """\
FROM base AS builder
WORKDIR /src
COPY a.txt .
RUN make
FROM base
COPY --from=builder /src/out /out
EXPOSE 80
"""


class Bench:
    """A scratch context and the simulated caches of one engine."""

    def __init__(self, folder: Path, text: str = TEXT) -> None:
        source = folder / "source"
        source.mkdir()
        (source / "a.txt").write_text("one\n")
        self.workspace = Workspace.create(
            source, folder / "scratch", dockerfile_text=text, dockerfile_path="Dockerfile"
        )
        self.caches = SimulatedCaches(guessed_times(), images={"base": BaseImage("base")})

    def build(self, builder: str, *, no_cache: bool = False) -> Build:
        text = (self.workspace.root / "Dockerfile").read_text()
        request = BuildRequest(
            context=self.workspace.pack(),
            dockerfile=parse(text),
            dockerfile_path="Dockerfile",
            tag="t",
            no_cache=no_cache,
        )
        return SimulatedBuilder(builder, self.caches, MOMENT).build(request)


def outcomes(build: Build) -> list[str]:
    return [step.outcome.value for step in build.steps]


def test_a_cold_build_misses_and_the_next_one_hits(tmp_path: Path) -> None:
    bench = Bench(tmp_path)

    cold, warm = bench.build("simulated-buildkit"), bench.build("simulated-buildkit")

    assert outcomes(cold) == ["base", "miss", "miss", "miss", "base", "miss", "config"]
    assert outcomes(warm) == ["base", "hit", "hit", "hit", "base", "hit", "config"]
    assert warm.wall_seconds < cold.wall_seconds
    assert cold.builder == "simulated-buildkit"
    assert cold.image_id == warm.image_id
    assert str(cold.image_id).startswith("simulated:")


def test_each_builder_has_a_cache_of_its_own(tmp_path: Path) -> None:
    bench = Bench(tmp_path)

    bench.build("simulated-buildkit")

    assert outcomes(bench.build("simulated-classic")).count("hit") == 0


def test_without_cache_everything_is_done_again(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.build("simulated-classic")

    assert outcomes(bench.build("simulated-classic", no_cache=True)).count("hit") == 0


def test_an_artefact_of_a_run_that_ran_again_counts_as_changed(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.build("simulated-buildkit")
    (bench.workspace.root / "a.txt").write_text("two\n")

    assert outcomes(bench.build("simulated-buildkit"))[-2] == "miss"
    (bench.workspace.root / "a.txt").write_text("one\n")
    assert outcomes(bench.build("simulated-buildkit")).count("miss") == 0  # built before


def test_the_stages_hold_the_seconds_of_their_steps(tmp_path: Path) -> None:
    build = Bench(tmp_path).build("simulated-buildkit")

    first, last = build.stages
    own = sum(step.seconds or 0.0 for step in build.steps if step.stage_index == 0)
    assert first.busy_seconds == pytest.approx(own)
    assert (first.misses, last.misses) == (3, 1)
    assert build.wall_seconds > first.critical_seconds + last.critical_seconds
    copied = next(step for step in build.steps if step.text.startswith("COPY --from"))
    assert copied.offset_seconds == pytest.approx(own)


def test_what_the_model_does_not_understand_is_a_failed_build(tmp_path: Path) -> None:
    """Nothing is guessed: neither hits nor seconds."""
    bench = Bench(tmp_path, "FROM base\nCOPY no-such-file /x\nRUN y\n")

    build = bench.build("simulated-buildkit")

    assert build.outcome is BuildOutcome.FAILED
    assert "cannot be simulated: line 2: COPY no-such-file" in build.error
    assert [step.outcome for step in build.steps[1:]] == [StepOutcome.FAILED, StepOutcome.NOT_RUN]
    assert build.image_id is None


@pytest.mark.parametrize("client", list(ClientRule))
def test_the_manifest_of_a_tar_is_the_one_that_was_packed(
    tmp_path: Path, client: ClientRule
) -> None:
    """But for times below a second, which no builder hashes."""
    source = tmp_path / "source"
    (source / "dir/empty").mkdir(parents=True)
    (source / "dir/run.sh").write_text("#!/bin/sh\n")
    (source / "dir/run.sh").chmod(0o755)
    (source / "link").symlink_to("dir/run.sh")
    (source / "ünï").write_bytes(b"\0\xff")
    (source / ".dockerignore").write_text("Dockerfile\n.dockerignore\n")
    workspace = Workspace.create(
        source, tmp_path / "scratch", dockerfile_text="FROM x\n", dockerfile_path="Dockerfile"
    )
    packed = workspace.manifest(client)

    found = manifest_of(workspace.pack(client=client).path, "Dockerfile")

    assert list(found) == list(packed)
    for path, entry in packed.items():
        assert found[path]._replace(mtime_ns=0) == entry._replace(mtime_ns=0)
    assert found.sent_although_ignored == packed.sent_although_ignored
