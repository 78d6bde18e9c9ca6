"""Advise on a Dockerfile of a project: look at its history, measure it, and verify the advice."""

from __future__ import annotations

import dataclasses
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from bench.advising.advice import Advice, Question, advise, rewritten_states
from bench.advising.candidates import ADVISED, WRITTEN, Candidate, as_scenario
from bench.advising.project import Project, ignore_file_of, inspected
from bench.advising.saving import Saving, measured_saving
from bench.advising.verifying import compare_variants
from bench.cache_model import BaseImage, find_profile, profile_of
from bench.commits import WeightedChange, as_changes, ignore_rules, weighted_changes
from bench.commits.history import commit_history
from bench.commits.weights import FileEdit
from bench.dataset import read_run
from bench.errors import BenchError, ExitCode, UsageError
from bench.orderings.rewrites import Facts, find_rewrite, read_contents
from bench.predicting.edits import after_edit, file_edits
from bench.predicting.plain import read_state
from bench.runner import Phase, make_settings, read_head, run_scenario
from bench.scenario.dockerfiles import DEFAULT_PLACE
from bench.simulation import guessed_times, times_of
from bench.simulation.costs import measured_costs, recorded_costs
from bench.tracing import Subject as Watched
from bench.tracing import observe
from bench.workspace import ClientRule, Workspace

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from docker import DockerClient

    from bench.cache_model import Profile, StepPlace
    from bench.commits import CommitHistory
    from bench.dockerfile import Dockerfile
    from bench.equality import ImageComparison
    from bench.journal import BuildRecord
    from bench.orderings.access import Access
    from bench.orderings.costs import StepCosts
    from bench.predicting import BuildState
    from bench.runner import EngineSite, Observer, RunResult
    from bench.simulation import StepTimes

_COLD = 3
_WARM = 2
MOST_CHANGES = 3
"""So many kinds of commits are built for verification, the most frequent ones."""


@dataclass(frozen=True)
class Verification:
    """What came of building both Dockerfiles.

    ``saving`` is None where the images differ, or where no round of builds was whole. ``folder``
    holds the run that measured it.
    """

    comparison: ImageComparison
    saving: Saving | None
    folder: Path


@dataclass
class Consultation:
    """One project, looked at; what is measured goes below ``folder``.

    ``notes`` is what has to be said beside the advice.
    """

    project: Project
    folder: Path
    observer: Observer
    notes: list[str] = field(default_factory=list)
    bases: dict[str, BaseImage] = field(default_factory=dict)
    access: dict[StepPlace, Access] = field(default_factory=dict)
    times: StepTimes = field(default_factory=guessed_times)
    profile: Profile = field(init=False)
    _measured: tuple[BuildRecord, BuildRecord] | None = field(default=None, init=False)
    _kinds: list[WeightedChange] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
        """Read the Dockerfile, the context and the history.

        Raises:
            DockerfileError: the Dockerfile cannot be read, or is not right.
            UsageError: the stage or the repository is not there.
            WorkspaceError: the context cannot be read.

        """
        project = self.project
        self.profile = find_profile(project.builder)
        self.state = dataclasses.replace(
            read_state(
                project.dockerfile,
                project.context,
                tuple(ClientRule),
                build_args=project.build_args,
                target=project.target,
            ),
            network=project.network,
        )
        self.rules = ignore_rules(project.context, project.dockerfile)
        self.ignore_name, self.ignore_text = ignore_file_of(project)
        self.history = self._history()

    @property
    def dockerfile(self) -> Dockerfile:
        """The Dockerfile as written."""
        return self.state.dockerfile

    def _history(self) -> CommitHistory | None:
        project = self.project
        repository = project.repository or project.context
        try:
            return commit_history(repository, commits=project.commits, context=project.context)
        except UsageError:
            if project.repository is not None:
                raise
            return None  # the context is in no repository, and nobody said that it is

    def measure(self, site: EngineSite, client: DockerClient, *, timeout_seconds: float) -> None:
        """Build the Dockerfile on an empty cache, and again on a full one, for the times.

        The first build on an empty cache does not count: what it reads of a base image comes from
        the disk, what rebuilds read does not. Of two others the faster one does.

        Raises:
            BenchError: an engine or base image is missing; `MeasuringError`: it does not build.

        """
        engine = site.engine
        self.profile = profile_of(self.project.builder, engine.version, engine.image_store)
        scenario = as_scenario(
            self.project,
            [Candidate(WRITTEN, self.dockerfile.text)],
            (),
            self.folder / "cold" / "dockerfiles",
        )
        settings = make_settings(
            scenario,
            builders=(self.project.builder,),
            rounds=1,
            cold=_COLD,
            warmup=_WARM,
            timeout_seconds=timeout_seconds,
        )
        result = run_scenario(
            scenario, settings, site, self.folder / "cold", observer=self.observer
        )
        if result.failed:
            failed = result.failed[0]
            raise MeasuringError(
                "\n".join([f"the Dockerfile does not build: {failed.error}", *failed.log_tail]),
                remedy="mend it, or take times from a recorded run with --times",
            )
        _, *colds = (one for one in result.records if one.phase == Phase.COLD)
        warms = [one for one in result.records if one.phase == Phase.WARMUP]
        # Whatever else the machine does only ever lengthens a build.
        cold, warm = (min(builds, key=lambda one: one.wall_seconds) for builds in (colds, warms))
        self.times = times_of(read_run(self.folder / "cold"), [cold, warm])
        self._measured = (cold, warm)
        self.bases = inspected(client, read_head(self.folder / "cold")["bases"])

    def watch(self, site: EngineSite, client: DockerClient, *, timeout_seconds: float) -> None:
        """Build once more and watch what each RUN reads and writes.

        Raises:
            CannotObserveError: nothing can be watched here; the message names the remedy.

        """
        with (
            site.held(self.observer.note),
            tempfile.TemporaryDirectory(prefix="cachebench-") as scratch,
        ):
            workspace = Workspace.create(
                self.project.context,
                Path(scratch, "watch"),
                dockerfile_text=self.dockerfile.text,
                dockerfile_path=DEFAULT_PLACE,
            )
            watched = Watched(
                workspace=workspace,
                dockerfile=self.dockerfile,
                build_args=self.project.build_args,
                target=self.project.target,
                network=self.project.network,
                timeout_seconds=timeout_seconds,
            )
            seen = observe(
                client, watched, builder=self.project.builder, progress=self.observer.note
            )
        self.access = dict(seen.accesses)
        self.notes += [
            f"line {self._line(place)}: not watched: {why}"
            for place, why in seen.unobserved.items()
        ]

    def _line(self, place: StepPlace) -> int:
        stage = self.dockerfile.stages[place.stage_index]
        return stage.instructions[place.step - 1].line

    def _changes(self, base: BuildState, others: Sequence[BuildState]) -> list[WeightedChange]:
        """Return the kinds of commits with their shares; without a history, edits of each file."""
        if self.history is not None and self.history.commits:
            return weighted_changes(
                self.history, base, [self.profile], rules=self.rules, others=others
            )
        edits = file_edits([base, *others], [self.profile])
        total = sum(len(one.paths) for one in edits)
        return [
            WeightedChange(
                name=one.name,
                weight=len(one.paths) / total,
                commits=(),
                edits=(FileEdit(one.paths[0]),),
                state=after_edit(base, one),
            )
            for one in edits
        ]

    def advise(self, rewrites: Sequence[str] | None) -> Advice:
        """Return the best Dockerfile, legal on both families unless a rewrite is for one alone.

        Raises:
            NotRankableError: the cache model does not understand the Dockerfile.
            UsageError: nothing of the context is taken in by any step, or no such rewrite.

        """
        base = dataclasses.replace(self.state, bases=self.bases)
        facts = Facts(
            build=base.input_for(self.profile),
            profiles=self._legal_for(rewrites),
            access=self.access,
            weights=self.history.counts if self.history is not None else {},
            contents=read_contents(self.project.context, self.state.manifests[ClientRule.BUILDKIT]),
            dockerignore=self.ignore_text,
            ignore_file=self.ignore_name,
        )
        self._kinds = self._changes(base, rewritten_states(base, facts, rewrites))
        if not self._kinds:
            raise UsageError(
                f"{self.project.context}: no step takes in a file of this context, so there is "
                "nothing to gain",
                remedy="name the context that the Dockerfile is built with: --context DIR",
            )
        question = Question(
            base=base,
            facts=facts,
            changes=tuple(self._kinds),
            profile=self.profile,
            costs=self._costs,
            rules=self.rules,
            limit=self.project.limit,
        )
        return advise(question, rewrites)

    def _legal_for(self, rewrites: Sequence[str] | None) -> tuple[Profile, ...]:
        """Return the builder in question and the other family, unless a rewrite is for it alone."""
        own = self.project.builder
        if any(find_rewrite(name).builders == (own,) for name in rewrites or ()):
            return (self.profile,)
        return (self.profile, find_profile("classic" if own == "buildkit" else "buildkit"))

    def _costs(self, dockerfile: Dockerfile) -> StepCosts:
        """Return what steps cost: by their texts, so that a rewritten Dockerfile has costs too."""
        if self._measured is None:
            return recorded_costs(
                dockerfile, self.times, variant=WRITTEN, builder=self.project.builder, changes=()
            )
        return measured_costs(dockerfile, self.times, *self._measured, builder=self.project.builder)

    def _candidates(self, advice: Advice) -> list[Candidate]:
        """Return the written Dockerfile and the advised one, to be built."""
        return [
            Candidate(WRITTEN, advice.written.text),
            Candidate(ADVISED, advice.dockerfile.text, dockerignore=advice.dockerignore),
        ]

    def verify(
        self,
        advice: Advice,
        site: EngineSite,
        client: DockerClient,
        *,
        rounds: int,
        timeout_seconds: float,
        margin_share: float,
    ) -> Verification:
        """Build both Dockerfiles and compare their images; if they are equal, measure the saving.

        Raises:
            VerificationError: one does not build.
            BenchError: the engine went away, or the records cannot be written.

        """
        folder = self.folder / "verify"
        weighted = sorted(self._kinds, key=lambda one: -one.weight)[:MOST_CHANGES]
        changes = [
            change.model_copy(update={"weight": one.weight})
            for change, one in zip(
                as_changes(weighted, self.project.context), weighted, strict=True
            )
        ]
        scenario = as_scenario(
            self.project, self._candidates(advice), changes, folder / "dockerfiles"
        )
        comparison = compare_variants(
            client,
            site,
            scenario,
            self.project.builder,
            self.observer,
            timeout_seconds=timeout_seconds,
        )
        if not comparison.equal:
            return Verification(comparison, None, folder)
        settings = make_settings(
            scenario,
            builders=(self.project.builder,),
            rounds=rounds,
            timeout_seconds=timeout_seconds,
        )
        result = run_scenario(scenario, settings, site, folder, observer=self.observer)
        saving = measured_saving(
            result.records,
            {one.name: one.weight for one in changes},
            self.project.builder,
            before=WRITTEN,
            after=ADVISED,
            margin_share=margin_share,
        )
        self.notes += _remarks(weighted, result)
        return Verification(comparison, saving, folder)


class MeasuringError(BenchError):
    """The Dockerfile that is to be advised on does not build."""

    exit_code = ExitCode.BUILD_FAILED


def _remarks(weighted: Sequence[WeightedChange], result: RunResult) -> Iterator[str]:
    """Yield what has to be said beside a saving: what was not measured, and what failed."""
    covered = sum(one.weight for one in weighted)
    if covered < 1 - 1e-9:
        yield (
            f"measured over the {len(weighted)} most frequent kinds of commits, which are "
            f"{covered:.0%} of all"
        )
    for failed in result.failed[:1]:
        yield f"{failed.variant} did not build after {failed.change}: {failed.error}"
