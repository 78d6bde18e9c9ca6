"""Build every state of a case for real, predict it, and compare step by step."""

from __future__ import annotations

import hashlib
import secrets
import tempfile
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench.builders import BuildOutcome, BuildRequest, PackedContext
from bench.builders.buildkit import BuildKitBuilder
from bench.builders.classic import ClassicBuilder
from bench.cache_model import (
    BuildInput,
    History,
    StepPlace,
    disagreements,
    predict,
)
from bench.dockerfile import parse
from tests.conformance.base_images import CaseBases, EngineBases
from tests.conformance.case import DOCKERFILE
from tests.conformance.exclusions import exclusion_of
from tests.conformance.features import features_of
from tests.conformance.sending import pack

if TYPE_CHECKING:
    from bench.builders import Build, Step
    from bench.cache_model import Prediction
    from bench.dockerfile import Dockerfile
    from tests.conformance.case import Case, State
    from tests.conformance.targets import OwnEngine, Target

_TIMEOUT_SECONDS = 60.0
_NO_ANSWER = frozenset({"unknown", "nothing"})
"""A step that built and that the model does not understand: all that is generated it should."""
_LOOKED_UP = frozenset({"hit", "miss", "merged", "depends"})


@dataclass(frozen=True)
class StepResult:
    """One step of one build: what was said of it and what was seen."""

    text: str
    place: StepPlace
    features: tuple[str, ...]
    predicted: str
    observed: str
    differs: bool
    excluded: str | None = None

    @property
    def is_looked_up(self) -> bool:
        """Whether the cache decides on it: FROM, metadata of BuildKit and the like are not."""
        return bool({self.predicted, self.observed} & _LOOKED_UP)


@dataclass(frozen=True)
class BuildResult:
    """One state of a case, built. ``failure`` is the builder's error, or the model's."""

    change: str
    steps: tuple[StepResult, ...]
    seconds: float
    failure: str = ""
    model_error: str = ""

    @property
    def disagreements(self) -> list[StepResult]:
        """The steps on which model and builder differ."""
        return [step for step in self.steps if step.differs]


@dataclass(frozen=True)
class CaseResult:
    """All builds of one case up to the first that failed."""

    case: Case
    builds: tuple[BuildResult, ...]

    @property
    def first_bad(self) -> int | None:
        """The number of the first state with a disagreement."""
        for number, build in enumerate(self.builds):
            if build.disagreements or build.model_error:
                return number
        return None


class Runner:
    """Runs cases on one builder of one engine."""

    def __init__(self, engine: OwnEngine, target: Target) -> None:
        self.target = target
        client = engine.client
        self._builder = (
            ClassicBuilder(client) if target.builder == "classic" else BuildKitBuilder(client)
        )
        self._bases = EngineBases(client, target.image_store)
        self._folder = tempfile.TemporaryDirectory(prefix="cachebench-conformance-")

    def close(self) -> None:
        """Remove the files of this runner."""
        self._folder.cleanup()

    def run(self, case: Case) -> CaseResult:
        """Build every state of a case on a cache of its own, and compare.

        Raises:
            EngineLostError: the engine went away.

        """
        bases = CaseBases(self._bases, secrets.token_hex(6))
        history = History()
        results: list[BuildResult] = []
        for number, state in enumerate(case.states):
            # A tag for each build: the containerd image store may collect an image that lost its
            # tag together with snapshots that BuildKit still counts on.
            tag = f"{bases.repository}/built:{number}"
            result = self._run_state(state, tag, bases, history)
            results.append(result)
            if result.failure or result.model_error:
                break
        return CaseResult(case, tuple(results))

    def _run_state(self, state: State, tag: str, bases: CaseBases, history: History) -> BuildResult:
        known, configs = bases.prepare(state)
        dockerfile = parse(bases.fill_in(state.text))
        arguments = {name: bases.fill_in(value) for name, value in state.build_args.items()}
        body, manifest = pack(state.files, dockerfile.text, self.target.builder)
        build = self._builder.build(
            BuildRequest(
                context=self._write(body),
                dockerfile=dockerfile,
                dockerfile_path=DOCKERFILE,
                tag=tag,
                build_args=arguments,
                target=state.target,
                timeout_seconds=_TIMEOUT_SECONDS,
                base_images=configs,
            )
        )
        failure = "" if build.outcome is BuildOutcome.OK else build.error
        observed = {
            StepPlace(step.stage_index, step.step): step.outcome.value for step in build.steps
        }
        given = BuildInput(
            dockerfile=dockerfile,
            manifest=manifest,
            build_args=arguments,
            target=state.target,
            bases=known,
            network="none",
        )
        try:
            prediction = predict(given, self.target.profile, history, observed=observed)
            history.add(prediction, observed)
        except Exception:  # whatever the model raises is a finding, and the suite goes on
            error = traceback.format_exc()
            return BuildResult(state.change, (), build.wall_seconds, failure, model_error=error)
        steps = () if failure else self._compare(state, dockerfile, build, prediction)
        return BuildResult(state.change, steps, build.wall_seconds, failure)

    def _write(self, body: bytes) -> PackedContext:
        path = Path(self._folder.name) / "context.tar"
        path.write_bytes(body)
        return PackedContext(path, len(body), hashlib.sha256(body).hexdigest(), 0.0)

    def _compare(
        self, state: State, dockerfile: Dockerfile, build: Build, prediction: Prediction
    ) -> tuple[StepResult, ...]:
        observed = {
            StepPlace(step.stage_index, step.step): step.outcome.value for step in build.steps
        }
        differing = {one.place for one in disagreements(prediction, observed)}
        said = {one.place: one.outcome.value for one in prediction.decisions}
        results = []
        for step in build.steps:
            place = StepPlace(step.stage_index, step.step)
            predicted = said.get(place, "nothing")
            excluded = exclusion_of(self.target, state, step, predicted)
            results.append(
                StepResult(
                    text=step.text,
                    place=place,
                    features=_features(dockerfile, step),
                    predicted=predicted,
                    observed=step.outcome.value,
                    differs=excluded is None and (place in differing or predicted in _NO_ANSWER),
                    excluded=excluded,
                )
            )
        return tuple(results)


def _features(dockerfile: Dockerfile, step: Step) -> tuple[str, ...]:
    if step.stage_index < 0:
        return ("ARG before FROM",)
    return features_of(dockerfile.stages[step.stage_index].instructions[step.step - 1])
