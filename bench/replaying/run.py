"""Replay a repository: every build of the sequence, records as of any run, and how to go on."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.builders.names import rules_of
from bench.builders.protocol import BuildOutcome
from bench.cache_model import profile_of
from bench.errors import UsageError
from bench.explain.git import Repository
from bench.journal import Journal
from bench.replaying.source import Recipe, ReplaySource, Step
from bench.replaying.tree import CommitTree
from bench.replaying.trial import ReplayTrial
from bench.runner import read_head, stored_settings
from bench.runner.events import Silent
from bench.runner.plan import NO_ROUND, Phase, Settings, make_sequence
from bench.runner.run import Run, make_folder, new_run_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bench.journal import BuildRecord
    from bench.runner import RunResult, Site
    from bench.runner.events import Observer
    from bench.runner.plan import PlannedBuild
    from bench.runner.site import Workbench
    from bench.runner.trial import Trial

COMMAND = "bench replay"


def replay(
    source: ReplaySource,
    site: Site,
    folder: Path,
    *,
    builders: Sequence[str],
    seed: int = 1,
    timeout_seconds: float = 600.0,
    observer: Observer | None = None,
) -> RunResult:
    """Build the commits of ``source`` on ``site``, with records in ``folder``.

    Raises:
        BenchError: with the exit code of what went wrong; every build made until then is kept.

    """
    make_folder(folder, COMMAND)
    settings = Settings(
        builders=tuple(builders),
        variants=tuple(recipe.name for recipe in source.recipes),
        changes=tuple(step.change for step in source.steps),
        rounds=1,
        cold=1,
        warmup=0,
        seed=seed,
        timeout_seconds=timeout_seconds,
    )
    return _replay(source, settings, site, folder, new_run_id(), observer).execute()


def resume_replay(site: Site, folder: Path, *, observer: Observer | None = None) -> RunResult:
    """Make the builds that the replay in ``folder`` still lacks.

    The caches are gone, so the commits before are built again first, unmeasured, as far as they
    had put something into them.

    Raises:
        BenchError: as `replay`; also where the folder holds no replay, or commits are gone.

    """
    head, source = read_replay(folder)
    run = _replay(source, stored_settings(head), site, folder, head["run"], observer)
    run.started_at = head["started_at"]
    run.attempt = head.get("attempt", 0) + 1
    run.known_engine = head["engine"].get("id")
    return run.execute()


def read_replay(folder: Path) -> tuple[dict[str, Any], ReplaySource]:
    """Read the head of a replay, and what it builds.

    Raises:
        RecordsError: the folder is no run.
        UsageError: it is one of a scenario, or its repository is gone or has lost commits.

    """
    head = read_head(folder)
    stored = head.get("replay")
    if stored is None:
        raise UsageError(
            f"{folder} holds no replay but a run of the scenario {head['scenario']}",
            remedy=f"go on with it by bench run --resume {folder}",
        )
    remedy = "put it back where it was, or begin a new replay"
    repository = Repository(Path(stored["repository"]), remedy=remedy)
    steps = tuple(
        Step(one["change"], one["id"], one["title"], one["is_merge"]) for one in stored["commits"]
    )
    for step in steps:
        repository.commit(step.id)
    recipes = tuple(
        Recipe(
            name=variant["name"],
            title=variant["title"],
            place=stored["places"][variant["name"]],
            tracked=stored["tracked"].get(variant["name"]),
            text=variant["dockerfile_text"],
            ignore=stored["ignore_files"].get(variant["name"]),
        )
        for variant in head["variants"]
    )
    source = ReplaySource(
        repository=repository,
        folder=stored["folder"],
        steps=steps,
        recipes=recipes,
        build_args=stored["build_args"],
        target=stored["target"],
        network=stored["network"],
        notes=tuple(stored["notes"]),
    )
    return head, source


def _replay(
    source: ReplaySource,
    settings: Settings,
    site: Site,
    folder: Path,
    run: str,
    observer: Observer | None,
) -> _Replay:
    return _Replay(
        source.scenario(),
        settings,
        site,
        folder,
        run,
        observer or Silent(),
        replay=source.document(),
        source=source,
    )


@dataclass
class _Replay(Run):
    source: ReplaySource = field(kw_only=True)

    def dockerfiles(self) -> dict[str, str]:
        """Return for each variant the text that its newest commit has."""
        return {recipe.name: self.source.newest_text(recipe) for recipe in self.source.recipes}

    def ready(
        self, dockerfiles: dict[str, str], scratch: Path
    ) -> tuple[Workbench, Mapping[tuple[str, str], Trial]]:
        """Get the base images that can be had, and a scratch copy for each Dockerfile."""
        del dockerfiles  # an old commit may need an image that is nowhere any more
        trees = {
            recipe.name: CommitTree(self.source, recipe, scratch) for recipe in self.source.recipes
        }
        workbench = self.site.workbench(
            self.run, self.scenario, {}, self.observer, optional=self.source.images()
        )
        engine = self.site.engine
        return workbench, {
            (recipe.name, builder): ReplayTrial(
                run=self.run,
                scenario=self.scenario,
                variant=self.scenario.variant(recipe.name),
                builder=builder,
                workbench=workbench,
                workspace=trees[recipe.name].workspace,
                profile=profile_of(rules_of(builder), engine.version, engine.image_store),
                timeout_seconds=self.settings.timeout_seconds,
                note=self.observer.note,
                attempt=self.attempt,
                source=self.source,
                recipe=recipe,
                tree=trees[recipe.name],
            )
            for recipe in self.source.recipes
            for builder in self.settings.builders
        }

    def build_all(self, trials: Mapping[tuple[str, str], Trial]) -> bool:
        """Make every build that is not in the journal yet."""
        journal = Journal(self.folder)
        records = list(self.records())
        done = {record.build for record in records}
        plan = make_sequence(self.settings)
        # Numbers after the plan's are for builds that fill the caches of a resumed replay again.
        spare = max([len(plan), *(number + 1 for number in done)])
        begun: set[tuple[str, str]] = set()
        missing = [planned for planned in plan if planned.number not in done]
        for behind, planned in enumerate(missing):
            key = (planned.variant, planned.builder)
            todo = [planned]
            if key not in begun and not planned.fresh:
                todo = [*_refilling(plan, planned, records, spare), planned]
                spare += len(todo) - 1
            begun.add(key)
            for one in todo:
                self.observer.starting(one, len(plan) - len(missing) + behind, len(plan))
                record = trials[key].build(one)
                journal.append(record)
                self.observer.finished(record)
        return True


def _refilling(
    plan: Iterable[PlannedBuild],
    until: PlannedBuild,
    records: Iterable[BuildRecord],
    spare: int,
) -> list[PlannedBuild]:
    """Return the builds that bring a cache back to where it was before ``until``.

    A commit whose build hit everywhere had put nothing into the cache, and is left out.
    """
    key = (until.variant, until.builder)
    idle = {
        record.build
        for record in records
        if record.outcome is BuildOutcome.OK and record.misses == 0
    }
    before = [
        planned
        for planned in plan
        if (planned.variant, planned.builder) == key
        and planned.number < until.number
        and planned.number not in idle
    ]
    return [
        dataclasses.replace(
            planned,
            number=spare + place,
            phase=Phase.WARMUP,
            round=NO_ROUND,
            fresh=place == 0,
        )
        for place, planned in enumerate(before)
    ]
