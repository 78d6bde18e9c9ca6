"""What every builder takes and gives: one request, one build, one schema of steps and stages."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from bench.dockerfile import Dockerfile


class StepOutcome(StrEnum):
    """What the builder did with one instruction of the Dockerfile."""

    HIT = "hit"
    MISS = "miss"
    BASE = "base"
    """FROM: names where the stage starts; neither builder looks it up in the build cache."""
    CONFIG = "config"
    """The instruction makes no vertex (BuildKit) or no image (classic, an ARG before FROM)."""
    MERGED = "merged"
    """Needed, but done once together with an equal step of another stage (BuildKit)."""
    UNREACHED = "unreached"
    """The stage is not needed for the target."""
    FAILED = "failed"
    NOT_RUN = "not-run"
    """The build ended before this step."""


class BuildOutcome(StrEnum):
    """How a whole build ended."""

    OK = "ok"
    FAILED = "failed"
    TIMEOUT = "timeout"


@dataclass(frozen=True)
class PackedContext:
    """A build context as one tar on disk, the Dockerfile inside.

    ``seconds`` is the time that walking, hashing and packing took; ``digest`` is the sha256 of
    the tar's bytes.
    """

    path: Path
    size: int
    digest: str
    seconds: float


@dataclass(frozen=True)
class BuildRequest:
    """One build to make. ``dockerfile`` is the parsed text as it stands in the context."""

    context: PackedContext
    dockerfile: Dockerfile
    dockerfile_path: str
    tag: str
    build_args: Mapping[str, str] = field(default_factory=dict)
    target: str | None = None
    network: str = "none"
    no_cache: bool = False
    timeout_seconds: float = 600.0
    base_images: Mapping[str, BaseImageConfig] = field(default_factory=dict)
    """What the builders must know of each image a FROM names (working directory, triggers)."""


@dataclass(frozen=True)
class BaseImageConfig:
    """The part of a base image's config that decides what a builder makes of the steps on it.

    ``env`` keeps the order of the config: it is part of the cache key of every RUN.
    """

    working_dir: str = "/"
    env: Mapping[str, str] = field(default_factory=dict)
    on_build: tuple[str, ...] = ()
    user: str = ""
    shell: tuple[str, ...] = ()


@dataclass(frozen=True)
class Step:
    """One instruction of the Dockerfile in one build.

    ``step`` counts instructions inside the stage from 1 (FROM is 1). An ARG before the first
    FROM belongs to the stage named ``""`` with index -1. ``seconds`` is the time the builder
    worked on it (None where it did not), ``offset_seconds`` when it began, counted from the
    build's first event.

    ``predicted`` is what the cache model said before the build (a value of
    `bench.cache_model.Predicted`; None where it was not asked). ``reason`` and ``reason_detail``
    say why a step missed: a value of `bench.cache_model.ReasonKind`, and a sentence fragment. A
    builder leaves all three out.
    """

    stage: str
    stage_index: int
    step: int
    line: int
    instruction: str
    text: str
    outcome: StepOutcome
    seconds: float | None = None
    offset_seconds: float | None = None
    predicted: str | None = None
    reason: str | None = None
    reason_detail: str | None = None


@dataclass(frozen=True)
class StageTiming:
    """How long one stage kept the builder busy.

    ``busy_seconds`` is the union of its steps' intervals, ``span_seconds`` first start to last
    end, ``critical_seconds`` its share of the build's critical path.
    """

    stage: str
    stage_index: int
    busy_seconds: float
    span_seconds: float
    critical_seconds: float
    hits: int
    misses: int


@dataclass(frozen=True)
class Build:
    """What one build did."""

    builder: str
    outcome: BuildOutcome
    wall_seconds: float
    steps: tuple[Step, ...]
    stages: tuple[StageTiming, ...]
    image_id: str | None = None
    error: str = ""
    log_tail: tuple[str, ...] = ()
    """The last lines the build printed; kept only where it failed."""

    @property
    def hits(self) -> int:
        """Steps the cache answered."""
        return sum(step.outcome is StepOutcome.HIT for step in self.steps)

    @property
    def misses(self) -> int:
        """Steps the cache did not answer."""
        return sum(step.outcome is StepOutcome.MISS for step in self.steps)


class Builder(Protocol):
    """A real builder. It never raises for a build that fails; it returns it as a record."""

    name: str

    def build(self, request: BuildRequest) -> Build:
        """Build ``request``.

        Raises:
            EngineLostError: the engine went away before the build ended.

        """
        ...
