"""The head of a run folder, ``run.json``: what was measured, where, and what was asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bench.errors import RecordsError

RUN_NAME = "run.json"
FORMAT = 1


class _Part(BaseModel):
    """A part of ``run.json``; keys of a newer version are left alone, not refused."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class VariantInfo(_Part):
    """One Dockerfile variant as it was measured."""

    name: str
    title: str | None = None
    dockerfile_text: str = ""


class ChangeInfo(_Part):
    """One change; ``weight`` says how often it happens against the others."""

    name: str
    title: str | None = None
    weight: float = Field(default=1.0, ge=0)


class Engine(_Part):
    """The engine and the machine it ran on."""

    id: str = ""
    version: str = "unknown"
    api_version: str = ""
    image_store: str = ""
    storage_driver: str = ""
    data_root_filesystem: str = ""
    kernel: str = ""
    cpu_model: str = ""
    cpus: int = 0
    memory_bytes: int = 0
    os: str = ""

    @property
    def label(self) -> str:
        """The short name on charts: version and image store."""
        return f"{self.version} {self.image_store}".strip()


class BaseInfo(_Part):
    """Where one base image came from: local, pulled, standin or replaced."""

    image: str
    source: str = ""
    image_id: str = ""
    local_tag: str = ""


class ExpectationInfo(_Part):
    """A declared expectation and whether the builds met it."""

    variant: str
    change: str
    builder: str = ""
    outcome: str
    builds: int = 0
    problems: tuple[str, ...] = ()


class VerdictInfo(_Part):
    """A question put to the data: whether ``variant`` beats ``against`` on ``change``.

    Without ``against`` it is held against the baseline, without ``builder`` on every builder.

    ``margin`` is the smallest difference that matters, as text: ``5%`` of the baseline, ``0.5s``,
    or a bare number in the unit of the metric.
    """

    ask: str = ""
    variant: str
    against: str | None = None
    change: str
    builder: str | None = None
    metric: str = "rebuild_seconds"
    margin: str | float = "5%"


class SimulationInfo(_Part):
    """Where the figures of a simulated run come from; see `bench.simulation`.

    ``step_times`` counts how well the times of its steps were known: recorded, estimated, guessed.
    """

    times_run: str = ""
    times_folder: str = ""
    times_engine: str = ""
    rule: str = ""
    step_times: dict[str, int] = Field(default_factory=dict)

    @property
    def recorded_share(self) -> float | None:
        """The share of step times that are of the very instruction; None where nothing tells."""
        total = sum(self.step_times.values())
        return self.step_times.get("recorded", 0) / total if total else None


class CommitInfo(_Part):
    """One commit of a replay; ``change`` is what the builds after it are recorded under."""

    change: str
    id: str = ""
    title: str = ""
    is_merge: bool = False


class ReplayInfo(_Part):
    """What a replay went through: the commits of a repository, oldest first.

    ``folder`` is the build context's path from the top of the repository. ``tracked`` are the
    variants whose Dockerfile is the one of each commit, with its path; others are fixed texts.
    """

    repository: str = ""
    folder: str = ""
    commits: tuple[CommitInfo, ...] = ()
    tracked: dict[str, str] = Field(default_factory=dict)
    notes: tuple[str, ...] = ()


class PredictedRebuild(_Part):
    """What was predicted of the rebuild after one change.

    ``hits`` of ``scored`` steps; ``open`` of the others only an artefact decides, and they count as
    misses in ``seconds``.
    """

    change: str
    hits: int
    scored: int
    open: int
    seconds: float


class PredictedOrdering(_Part):
    """What was predicted of one ordering on one builder.

    ``rank`` counts from 1 among all orderings that the builder can tell apart; None where it is
    not known. ``expected_seconds`` and ``hit_share`` are weighted means over the changes.
    """

    builder: str
    rank: int | None = None
    expected_seconds: float
    hit_share: float
    rebuilds: tuple[PredictedRebuild, ...] = ()


class OrderedVariant(_Part):
    """A variant that is an ordering of another one, or that one itself (kind ``written``).

    ``ordering`` lists for each stage the instructions by their numbers in the Dockerfile as
    written (FROM is 1). ``kind`` is best, worst, random, ordering (of all) or written.
    """

    name: str
    kind: str
    ordering: tuple[tuple[int, ...], ...]
    moves: tuple[str, ...] = ()
    relies_on: tuple[str, ...] = ()
    predicted: tuple[PredictedOrdering, ...] = ()


class CurvePoint(_Part):
    """One of all orderings; ``place`` counts from 1, the fastest first."""

    place: int
    expected_seconds: float
    hit_share: float


class OrderedBuilder(_Part):
    """What is known of all legal orderings on one builder; see `bench orderings --json`.

    ``curve`` are points of all that were tried, thinned out where there are very many.
    """

    builder: str
    rules: str = ""
    orderings: int
    orderings_exact: bool = True
    classes: int
    classes_exact: bool = True
    complete: bool
    optimal: bool
    bound_seconds: float
    floor_seconds: float
    step_times: str = ""
    weights: dict[str, float] = Field(default_factory=dict)
    curve: tuple[CurvePoint, ...] = ()


class OrderingsInfo(_Part):
    """The generated orderings of a run (`bench run --orderings`).

    ``of`` is the variant that they were made from, ``spec`` what was asked for, and ``seed`` what
    the random ones were drawn from. ``variants`` holds the written one first, built or not.
    """

    of: str
    dockerfile_text: str = ""
    spec: str = ""
    seed: int = 1
    with_baseline: bool = False
    builders: tuple[OrderedBuilder, ...] = ()
    variants: tuple[OrderedVariant, ...] = ()


class RunInfo(_Part):
    """All of ``run.json``; ``folder`` is where it was read from."""

    folder: Path = Path()
    format: int = FORMAT
    run: str
    scenario: str
    scenario_path: str = ""
    title: str = ""
    question: str = ""
    title_i18n: dict[str, str] = Field(default_factory=dict)
    question_i18n: dict[str, str] = Field(default_factory=dict)
    baseline: str
    variants: tuple[VariantInfo, ...] = ()
    changes: tuple[ChangeInfo, ...] = ()
    builders: tuple[str, ...] = ()
    seed: int | str | None = None
    rounds: int | None = None
    cold: int | None = None
    warmup: int | None = None
    started_at: str = ""
    engine: Engine = Field(default_factory=Engine)
    simulation: SimulationInfo | None = None
    orderings: OrderingsInfo | None = None
    bases: tuple[BaseInfo, ...] = ()
    versions: dict[str, str] = Field(default_factory=dict)
    expectations: tuple[ExpectationInfo, ...] = ()
    excluded: tuple[Any, ...] = ()
    verdicts: tuple[VerdictInfo, ...] = ()
    replay: ReplayInfo | None = None

    @property
    def excluded_builds(self) -> frozenset[int]:
        """Numbers of the builds that do not count, such as one whose change never arrived."""
        return frozenset(
            int(item["build"])
            for item in self.excluded
            if isinstance(item, dict) and "build" in item
        )


def read_run(folder: Path) -> RunInfo:
    """Read ``run.json`` of a run folder.

    Raises:
        RecordsError: the folder is no run, or the file is not one this version reads.

    """
    path = folder / RUN_NAME
    remedy = "name the folder of a run: the one bench run printed, with run.json and journal.jsonl"
    if not path.is_file():
        what = "no run folder: it has no run.json" if folder.is_dir() else "no such folder"
        raise RecordsError(f"{folder}: {what}", remedy=remedy)
    try:
        info = RunInfo.model_validate_json(path.read_bytes())
    except OSError as error:
        raise RecordsError(f"{path}: cannot read: {error.strerror}", remedy=remedy) from error
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(map(str, problem['loc'])) or 'the file'}: {problem['msg']}"
            for problem in error.errors()
        )
        raise RecordsError(f"{path}: not the head of a run: {problems}", remedy=remedy) from error
    if info.format != FORMAT:
        raise RecordsError(
            f"{path}: format {info.format}, this version reads format {FORMAT}",
            remedy="use the version of cachebench that made the run",
        )
    return info.model_copy(update={"folder": folder})
