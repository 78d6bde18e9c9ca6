"""Run a scenario: get its bases, make every build of the plan, keep records, clean up."""

from __future__ import annotations

import contextlib
import datetime as dt
import secrets
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from bench.builders.names import rules_of
from bench.builders.protocol import BuildOutcome
from bench.cache_model import profile_of
from bench.dataset import RUN_NAME, tables_of, write_tables
from bench.dataset.predictions import count_predictions, wrong_predictions
from bench.errors import BenchError, UsageError
from bench.journal import JOURNAL_NAME, Journal, read_journal
from bench.runner.events import Silent
from bench.runner.expectations import check_expectations, unstable_controls
from bench.runner.head import RunHead, read_head, stored_settings
from bench.runner.plan import NO_ROUND, Phase, PlannedBuild, make_plan
from bench.runner.prepare import make_workspaces, rehearse
from bench.runner.trial import Trial
from bench.scenario import dockerfile_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from bench.dataset.predictions import PredictionCounts, WrongPrediction
    from bench.journal import BuildRecord
    from bench.runner.events import Observer
    from bench.runner.expectations import ExpectationResult
    from bench.runner.plan import Settings
    from bench.runner.site import Site, Workbench
    from bench.scenario import Scenario
    from bench.workspace import Workspace


@dataclass
class RunResult:
    """How a run ended: its folder, its records, and what was found.

    ``simulated`` says that no build was made at all. ``predictions`` is None then, since the model
    that predicts is the one that builds; and where nothing was predicted, by an older version.
    """

    folder: Path
    records: list[BuildRecord]
    expectations: list[ExpectationResult]
    unstable: list[BuildRecord]
    excluded: list[str]
    left_behind: list[str] = field(default_factory=list)
    complete: bool = True
    predictions: PredictionCounts | None = None
    simulated: bool = False

    @property
    def disagreements(self) -> tuple[WrongPrediction, ...]:
        """The steps that did other than the cache model had said for certain."""
        return wrong_predictions(self.records)

    @property
    def failed(self) -> list[BuildRecord]:
        """The builds that did not end well."""
        return [record for record in self.records if record.outcome is not BuildOutcome.OK]

    @property
    def broken(self) -> list[ExpectationResult]:
        """The expectations that some build broke."""
        return [result for result in self.expectations if not result.met]


def new_run_id() -> str:
    """Return an identifier that sorts by time and is unique on every machine."""
    now = dt.datetime.now(dt.UTC).strftime("%Y%m%d-%H%M%S")
    return f"{now}-{secrets.token_hex(3)}"


def run_scenario(
    scenario: Scenario,
    settings: Settings,
    site: Site,
    folder: Path,
    *,
    observer: Observer | None = None,
    time_budget_seconds: float | None = None,
) -> RunResult:
    """Run ``scenario`` on ``site`` into ``folder``, which must not hold a run yet.

    Raises:
        BenchError: with the exit code of what went wrong; every build made until then is kept.

    """
    make_folder(folder, "bench run")
    run = Run(
        scenario, settings, site, folder, new_run_id(), observer or Silent(), time_budget_seconds
    )
    return run.execute()


def resume_run(
    scenario: Scenario,
    site: Site,
    folder: Path,
    *,
    observer: Observer | None = None,
    time_budget_seconds: float | None = None,
) -> RunResult:
    """Make the builds that the run in ``folder`` still lacks, in the order it recorded.

    Raises:
        BenchError: as `run_scenario`; also where the scenario is no longer the one of the run.

    """
    document = read_head(folder)
    if document["scenario"] != scenario.name:
        raise UsageError(
            f"{folder} holds a run of {document['scenario']!r}, not of {scenario.name!r}",
            remedy="leave the scenario's path out: --resume finds it",
        )
    settings = stored_settings(document)
    _same_scenario(scenario, document, settings, folder)
    run = Run(
        scenario,
        settings,
        site,
        folder,
        document["run"],
        observer or Silent(),
        time_budget_seconds,
    )
    run.started_at = document["started_at"]
    run.attempt = document.get("attempt", 0) + 1
    run.known_engine = document["engine"].get("id")
    return run.execute()


def make_folder(folder: Path, command: str) -> None:
    """Make the folder of a new run; ``command`` is what would go on with one that is there.

    Raises:
        UsageError: it holds a run already, or cannot be made.

    """
    if (folder / RUN_NAME).exists():
        raise UsageError(
            f"{folder} holds a run already",
            remedy=f"go on with it by {command} --resume {folder}, or choose another --out",
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"{folder}: cannot make the folder of the run: {error.strerror}",
            remedy="choose a folder that can be written with --out",
        ) from error


def _same_scenario(
    scenario: Scenario, document: dict[str, object], settings: Settings, folder: Path
) -> None:
    known = {one.name for one in scenario.changes} | {one.name for one in scenario.variants}
    missing = [name for name in (*settings.variants, *settings.changes) if name not in known]
    texts = {
        one["name"]: one["dockerfile_text"]
        for one in document["variants"]  # type: ignore[attr-defined]  # JSON of our own making
    }
    differing = [
        name
        for name in settings.variants
        if name not in missing
        and dockerfile_text(scenario, scenario.variant(name)) != texts.get(name)
    ]
    if missing or differing:
        raise UsageError(
            f"{folder}: the scenario has changed since the run began "
            f"({', '.join([*missing, *differing])})",
            remedy="begin a new run: builds of unlike scenarios are not mixed",
        )


@dataclass
class Run:
    """One run on one site: what is built, in which order, is for a kind of run to say."""

    scenario: Scenario
    settings: Settings
    site: Site
    folder: Path
    run: str
    observer: Observer
    time_budget_seconds: float | None = None
    started_at: str = field(default_factory=lambda: dt.datetime.now(dt.UTC).isoformat())
    attempt: int = 0
    known_engine: str | None = None
    excluded: list[str] = field(default_factory=list)
    left_behind: list[str] = field(default_factory=list)
    replay: Mapping[str, object] | None = None

    def execute(self) -> RunResult:
        """Make the builds that are missing, clean up, and return how it ended."""
        engine = self.site.engine
        if self.known_engine not in {None, engine.id}:
            raise UsageError(
                f"{self.folder}: the run was made on another engine ({self.known_engine})",
                remedy="point DOCKER_HOST at that engine, or begin a new run",
            )
        dockerfiles = self.dockerfiles()
        with (
            self.site.held(self.observer.note),
            tempfile.TemporaryDirectory(prefix="cachebench-") as scratch,
        ):
            workbench, trials = self.ready(dockerfiles, Path(scratch))
            head = RunHead(
                run=self.run,
                scenario=self.scenario,
                dockerfiles=dockerfiles,
                settings=self.settings,
                started_at=self.started_at,
                engine=engine,
                bases=workbench.bases,
                attempt=self.attempt,
                simulation=self.site.simulation,
                replay=self.replay,
            )
            complete = False
            try:
                head.write(self.folder)
                complete = self.build_all(trials)
                head.state = "complete" if complete else "stopped"
            except BaseException:
                head.state = "interrupted"
                raise
            finally:
                self.left_behind = workbench.clean()
                records = self._finish(head)
        return RunResult(
            folder=self.folder,
            records=records,
            expectations=head.expectations,
            unstable=unstable_controls(records),
            excluded=self.excluded,
            left_behind=self.left_behind,
            complete=complete,
            predictions=head.predictions,
            simulated=self.site.simulation is not None,
        )

    def dockerfiles(self) -> dict[str, str]:
        """Return the text of each variant's Dockerfile, for the records."""
        return {
            name: dockerfile_text(self.scenario, self.scenario.variant(name))
            for name in self.settings.variants
        }

    def ready(
        self, dockerfiles: dict[str, str], scratch: Path
    ) -> tuple[Workbench, Mapping[tuple[str, str], Trial]]:
        """Get everything that can fail before the first build, and a trial for each pair."""
        workspaces = make_workspaces(self.scenario, dockerfiles, scratch)
        rehearse(self.scenario, self.settings.changes, workspaces, self.run)
        workbench = self.site.workbench(self.run, self.scenario, dockerfiles, self.observer)
        return workbench, self._trials(workspaces, workbench)

    def _trials(
        self, workspaces: dict[str, Workspace], workbench: Workbench
    ) -> dict[tuple[str, str], Trial]:
        engine = self.site.engine
        return {
            (variant, builder): Trial(
                run=self.run,
                scenario=self.scenario,
                variant=self.scenario.variant(variant),
                builder=builder,
                workbench=workbench,
                workspace=workspaces[variant],
                profile=profile_of(rules_of(builder), engine.version, engine.image_store),
                timeout_seconds=self.settings.timeout_seconds,
                note=self.observer.note,
                attempt=self.attempt,
            )
            for variant in self.settings.variants
            for builder in self.settings.builders
        }

    def build_all(self, trials: Mapping[tuple[str, str], Trial]) -> bool:
        """Make every build that is not in the journal yet; False if the time ran out first."""
        journal = Journal(self.folder)
        done = {record.build for record in self.records()}
        plan = self._plan()
        # A resumed run has no cache any more: the numbers after the plan's are for priming it.
        spare = max([len(plan), *(number + 1 for number in done)])
        missing = [planned for planned in plan if planned.number not in done]
        deadline = None
        if self.time_budget_seconds is not None:
            deadline = time.monotonic() + self.time_budget_seconds
        given_up: set[tuple[str, str]] = set()
        for behind, planned in enumerate(missing):
            key = (planned.variant, planned.builder)
            if key in given_up:
                continue
            out_of_time = deadline is not None and time.monotonic() > deadline
            if out_of_time and planned.phase is Phase.CONTROL:
                self._exclude(f"the time budget ended before round {planned.round} was whole")
                return False
            trial = trials[key]
            todo = [planned]
            if not planned.fresh and not trial.primed:
                todo.insert(0, _priming(planned, spare))
                spare += 1
            for one in todo:
                self.observer.starting(one, len(done) + behind, len(plan))
                record = trial.build(one)
                journal.append(record)
                self.observer.finished(record)
                if not trial.primed:
                    break  # what was to follow the priming cannot be measured
            if not trial.primed:
                given_up.add(key)
                self._exclude(
                    f"{planned.variant} on {planned.builder}: every build after the first, "
                    "because its pristine tree does not build"
                )
        return True

    def _plan(self) -> Sequence[PlannedBuild]:
        changes = [self.scenario.change(name) for name in self.settings.changes]
        return make_plan(self.settings, changes)

    def _exclude(self, text: str) -> None:
        self.excluded.append(text)
        self.observer.note(text)

    def _finish(self, head: RunHead) -> list[BuildRecord]:
        """Write the head and the tables of what there is; return the records."""
        records = list(self.records())
        head.excluded = self.excluded
        head.expectations = check_expectations(
            self.scenario.expects, self.settings.builders, records
        )
        head.simulation = self.site.simulation
        if head.simulation is None:
            head.predictions = count_predictions(records)
        head.disagreements = wrong_predictions(records)
        # An error on the way out must not hide the one that ended the run.
        with contextlib.suppress(BenchError, OSError):
            head.write(self.folder)
            if records:
                engine = f"{head.engine.version} {head.engine.image_store}"
                write_tables(tables_of(records, engine), self.folder)
        return records

    def records(self) -> Iterator[BuildRecord]:
        """Yield the records that there are."""
        if (self.folder / JOURNAL_NAME).exists():
            yield from read_journal(self.folder)


def _priming(planned: PlannedBuild, number: int) -> PlannedBuild:
    return PlannedBuild(
        number=number,
        phase=Phase.WARMUP,
        round=NO_ROUND,
        position=0,
        variant=planned.variant,
        builder=planned.builder,
        change="",
        fresh=True,
    )
