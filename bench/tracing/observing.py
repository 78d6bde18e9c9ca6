"""Build a Dockerfile once and watch what each of its RUNs reads and writes.

The build is a real one, on a base of its own (`bench.bases.isolation`), and everything it makes is
removed again. Every RUN is run once, by the builder itself: it only waits at its very beginning
until strace is attached to it from outside of its container.
"""

from __future__ import annotations

import hashlib
import secrets
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import docker.errors
import requests

from bench.bases import resolve_base
from bench.bases.isolation import Isolation
from bench.bases.salt import SCRATCH
from bench.builders import BuildOutcome, BuildRequest, StepOutcome, make_builder
from bench.builders.buildkit import BuildKitBuilder
from bench.builders.classic import ClassicBuilder
from bench.cache_model import StepPlace
from bench.dockerfile import external_images, global_variables, parse
from bench.engine import describe
from bench.tracing.concluding import RunFacts, StageFacts, conclude
from bench.tracing.destinations import destinations
from bench.tracing.errors import CannotObserveError, WatchedBuildError
from bench.tracing.hooks import START, WAITED_IN_VAIN, hooked
from bench.tracing.needs import require_watching
from bench.tracing.watching import Seen, Watcher
from bench.workspace import ClientRule

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from docker import DockerClient

    from bench.bases.isolation import SaltedDockerfile
    from bench.bases.resolve import Wish
    from bench.builders import Build
    from bench.dockerfile import Dockerfile
    from bench.orderings.access import Access
    from bench.workspace import Workspace

_NOT_RUN = "it did not run"
_NO_SHELL = "its image has no /bin/sh to wait in"


@dataclass(frozen=True)
class Observation:
    """What one build showed.

    ``accesses`` holds what each RUN read and wrote *in this build*: with other files it may read
    others. ``unobserved`` says of every other RUN why nothing may be said of it. ``seconds`` is
    how long each RUN took while it was watched, which is longer than it takes otherwise.
    """

    accesses: Mapping[StepPlace, Access]
    unobserved: Mapping[StepPlace, str] = field(default_factory=dict)
    seconds: Mapping[StepPlace, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Subject:
    """What is built: a Dockerfile in a scratch copy of its context, and what goes with it."""

    workspace: Workspace
    dockerfile: Dockerfile
    build_args: Mapping[str, str] = field(default_factory=dict)
    target: str | None = None
    network: str = "none"
    wishes: Mapping[str, Wish] = field(default_factory=dict)
    """Where a FROM comes from, by the image it names (`Scenario.bases`)."""
    timeout_seconds: float = 3600.0


def observe(
    client: DockerClient,
    subject: Subject,
    *,
    builder: str = BuildKitBuilder.name,
    progress: Callable[[str], None],
) -> Observation:
    """Build ``subject`` once and return what each RUN that its target needs read and wrote.

    The caller holds the engine (`bench.engine.engine_lock`). What is below /proc, /sys and /dev
    is left out: it is no part of an image.

    Raises:
        CannotObserveError: nothing can be watched here; the message names the remedy.
        WatchedBuildError: the build fails, as it would without being watched.
        BaseImageError: a base image cannot be had.
        EngineLostError: the engine went away.

    """
    require_watching(client)
    places = runs_of(subject, builder)
    if not places:
        return Observation({})
    bases = {
        use.image: resolve_base(
            client, use.image, subject.wishes.get(use.image), progress=progress
        ).image_id
        for use in external_images(subject.dockerfile, subject.build_args)
        if use.image != SCRATCH
    }
    run = f"watch-{secrets.token_hex(6)}"
    isolation = Isolation(client, run, describe(client).image_store, bases)
    what = "what the RUN reads and writes" if len(places) == 1 else f"{len(places)} RUNs"
    progress(f"watching {what} in one build on {builder}")
    try:
        return _Observing(client, subject, builder, isolation, places).observe()
    finally:
        _clean(isolation, progress)


def _clean(isolation: Isolation, progress: Callable[[str], None]) -> None:
    """Remove what the build made in the engine; what cannot be is left to ``bench clean``."""
    try:
        isolation.clean()
    except (docker.errors.DockerException, requests.RequestException) as error:
        progress(f"could not clean up ({error}); bench clean does it later")


def runs_of(subject: Subject, builder: str) -> frozenset[StepPlace]:
    """Return every RUN that ``builder`` runs for the target."""
    dockerfile = subject.dockerfile
    needed = dockerfile.reachable(subject.target, subject.build_args)
    if builder == ClassicBuilder.name:
        needed = frozenset(range(dockerfile.target_stage(subject.target).index + 1))
    return frozenset(
        StepPlace(stage.index, step)
        for stage in dockerfile.stages
        if stage.index in needed
        for step, instruction in enumerate(stage.instructions, start=1)
        if instruction.keyword == "RUN"
    )


class _Observing:
    """One observation: as many builds as it takes to learn which RUNs cannot be watched."""

    def __init__(
        self,
        client: DockerClient,
        subject: Subject,
        builder: str,
        isolation: Isolation,
        places: frozenset[StepPlace],
    ) -> None:
        self._subject = subject
        self._builder = make_builder(builder, client)
        self._isolation = isolation
        self._runs = places
        self._token = f"cachebench-{isolation.run}"
        self._salt = hashlib.sha256(isolation.run.encode()).hexdigest()[:16]
        self._seen: dict[StepPlace, Seen] = {}

    def observe(self) -> Observation:
        """Build until a build ends well."""
        salted = self._isolation.salted(
            self._subject.dockerfile, self._salt, self._subject.build_args, {}
        )
        places = set(self._runs) | self._starts()
        unobserved: dict[StepPlace, str] = {}
        while (without := self._build(salted, frozenset(places))) is not None:
            places.discard(without)
            if without in self._runs:
                unobserved[without] = _NO_SHELL
        return self._concluded(salted, unobserved)

    def _starts(self) -> set[StepPlace]:
        """Return the beginnings of stages that are worth a look."""
        dockerfile = self._subject.dockerfile
        variables = global_variables(dockerfile, self._subject.build_args)
        stages = [dockerfile.stages[index] for index in {run.stage_index for run in self._runs}]
        return {
            StepPlace(stage.index, START)
            for stage in stages
            if stage.base != SCRATCH or dockerfile.parent(stage, variables) is not None
        }

    def _build(self, salted: SaltedDockerfile, places: frozenset[StepPlace]) -> StepPlace | None:
        """Make one build; return the one place that has no shell to wait in, None if all is well.

        What ran in a build that failed is in the build cache, and does not run again in the next.
        """
        waiting = hooked(
            salted.dockerfile,
            self._token,
            places,
            salted.base_images,
            self._subject.build_args,
        )
        sent = parse(waiting.text, salted.dockerfile.path)
        starts = {mark for mark, place in waiting.marks.items() if place not in self._runs}
        with (
            tempfile.TemporaryDirectory(prefix="cachebench-watch-") as logs,
            Watcher(waiting.marks, starts, Path(logs)) as watcher,
        ):
            build = self._request(sent, salted)
        self._seen |= {waiting.marks[mark]: seen for mark, seen in watcher.seen.items()}
        if watcher.errors:
            raise watcher.errors[0]
        if build.outcome is BuildOutcome.OK:
            return None
        failed = _failed_mark(sent, build, waiting.marks)
        if failed is None or failed in watcher.seen:
            raise WatchedBuildError(
                f"the watched build failed: {build.error}",
                remedy="see that docker build ends well; it said: "
                + " / ".join(build.log_tail[-3:]),
            )
        if f"code: {WAITED_IN_VAIN}" in build.error:
            raise CannotObserveError(
                "the processes of the engine cannot be seen from here",
                remedy="run the command on the machine of the engine, outside of containers",
            )
        return waiting.marks[failed]

    def _request(self, sent: Dockerfile, salted: SaltedDockerfile) -> Build:
        subject = self._subject
        path = subject.workspace.dockerfile_path
        classic = self._builder.name == ClassicBuilder.name
        context = subject.workspace.pack(
            replace={path: sent.text.encode()},
            client=ClientRule.CLASSIC if classic else ClientRule.BUILDKIT,
        )
        try:
            with self._isolation.building():
                return self._builder.build(
                    BuildRequest(
                        context=context,
                        dockerfile=sent,
                        dockerfile_path=path,
                        tag=self._isolation.built_tag(self._salt, "watched", self._builder.name),
                        build_args=subject.build_args,
                        target=subject.target,
                        network=subject.network,
                        timeout_seconds=subject.timeout_seconds,
                        base_images=salted.base_images,
                    )
                )
        finally:
            context.path.unlink(missing_ok=True)

    def _concluded(self, salted: SaltedDockerfile, unobserved: dict[StepPlace, str]) -> Observation:
        accesses: dict[StepPlace, Access] = {}
        stages = sorted({run.stage_index for run in self._runs})
        for index in stages:
            facts = self._facts(index, salted, unobserved)
            for step, access in conclude(facts).items():
                accesses[StepPlace(index, step)] = access
        seconds = {place: self._seen[place].seconds for place in accesses}
        return Observation(accesses, unobserved, seconds)

    def _facts(
        self, index: int, salted: SaltedDockerfile, unobserved: dict[StepPlace, str]
    ) -> StageFacts:
        runs: dict[int, RunFacts] = {}
        for place in sorted(run for run in self._runs if run.stage_index == index):
            seen = self._seen.get(place)
            if seen is None or seen.touched is None:
                unobserved.setdefault(place, _NOT_RUN)
            elif seen.touched.problems:
                unobserved[place] = "it cannot be understood: " + "; ".join(seen.touched.problems)
            else:
                runs[place.step] = RunFacts(seen.touched, seen.cwd, seen.links)
        start = self._seen.get(StepPlace(index, START))
        return StageFacts(
            runs,
            frozenset(start.before.folders) if start is not None else frozenset(),
            destinations(
                salted.dockerfile,
                index,
                self._subject.build_args,
                salted.base_images,
                frozenset(path for path in self._subject.workspace.manifest() if "/" not in path),
            ),
        )


def _failed_mark(sent: Dockerfile, build: Build, marks: Mapping[str, StepPlace]) -> str | None:
    """Return the mark of the RUN that failed, if it was one that waits."""
    for step in build.steps:
        if step.outcome is StepOutcome.FAILED and step.stage_index >= 0:
            stage = sent.stages[step.stage_index].instructions
            texts = [one.text for one in stage[max(0, step.step - 2) : step.step]]
            # In shell form the mark stands in the SHELL before it.
            for text in reversed(texts):
                for mark in marks:
                    if f'"{mark}"' in text:
                        return mark
    return None
