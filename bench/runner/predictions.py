"""Every build is predicted before it is made, and held against the prediction afterwards."""

from __future__ import annotations

import dataclasses
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.builders.protocol import BuildOutcome, StepOutcome
from bench.cache_model import (
    BaseImage,
    BuildInput,
    History,
    ReasonKind,
    StepPlace,
    disagreements,
    predict,
)
from bench.cache_model.profiles import Family
from bench.journal import Disagreement
from bench.workspace import Manifest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Set

    from bench.bases.isolation import SaltedDockerfile
    from bench.builders.protocol import BaseImageConfig, Build, BuildRequest, Step
    from bench.cache_model import Decision, Prediction, Profile, Reason

NOT_MADE = frozenset({StepOutcome.FAILED, StepOutcome.NOT_RUN})
"""Outcomes of steps that a failed build broke off at, or never came to: nothing to compare."""


@dataclass(frozen=True)
class Forecast:
    """What was said of one build before it was made; ``prediction`` is None where nothing was.

    ``names`` gives the salted images in the Dockerfile the names that its author knows.
    """

    build: BuildInput
    prediction: Prediction | None
    names: Mapping[str, str]


@dataclass(frozen=True)
class Checked:
    """A build's steps with what was predicted and why they missed; and where that was wrong."""

    steps: tuple[Step, ...]
    disagreements: tuple[Disagreement, ...] = ()


class PredictionCheck:
    """Predicts the builds on one isolated cache, and learns from what they did.

    A fault of the model must not cost a measurement: it is told once to ``note``, and the builds
    on this cache are recorded as not predicted from there on.
    """

    def __init__(self, profile: Profile, note: Callable[[str], None]) -> None:
        self._profile = profile
        self._note = note
        self._history = History()
        self._answered: set[str] = set()
        """The keys that the engine has answered from its cache."""
        self._at_fault = False

    def forecast(
        self, request: BuildRequest, manifest: Manifest, salted: SaltedDockerfile
    ) -> Forecast:
        """Predict a build from what is about to be sent."""
        build = build_input(request, manifest, salted, self._profile)
        names = {tag: origin.image for tag, origin in salted.origins.items()}
        return Forecast(build, self._predicted(build), names)

    def check(self, forecast: Forecast, build: Build) -> Checked:
        """Hold a build against what was forecast, and remember it for the next."""
        if forecast.prediction is None:
            return Checked(build.steps)
        try:
            return self._checked(forecast, forecast.prediction, build)
        except Exception as error:
            self._fault(error)
            return Checked(build.steps)

    def _predicted(self, build: BuildInput) -> Prediction | None:
        if self._at_fault:
            return None
        try:
            return predict(build, self._profile, self._history)
        except Exception as error:
            self._fault(error)
            return None

    def _fault(self, error: Exception) -> None:
        self._at_fault = True
        self._note(
            f"the cache model failed ({type(error).__name__}: {error}): the builds that follow "
            "on this cache are not predicted"
        )

    def _checked(self, forecast: Forecast, said: Prediction, build: Build) -> Checked:
        outcomes = {_place(step): step.outcome for step in build.steps}
        made = {
            place: outcome.value for place, outcome in outcomes.items() if outcome not in NOT_MADE
        }
        # What an artefact decided is known now, so what stands on it can be judged too.
        known = predict(forecast.build, self._profile, self._history, observed=made)
        wrong = {one.place: one for one in disagreements(known, made)}
        reasons = _Reasons(known, frozenset(wrong), self._answered, forecast.names)
        steps = []
        for step in build.steps:
            place = _place(step)
            reason, detail = reasons.of(place, step.outcome)
            steps.append(
                dataclasses.replace(
                    step,
                    predicted=said.at(place).outcome.value,
                    reason=reason,
                    reason_detail=detail,
                )
            )
        self._remember(known, outcomes, build.outcome)
        return Checked(
            tuple(steps),
            tuple(
                Disagreement(
                    stage=step.stage,
                    stage_index=step.stage_index,
                    step=step.step,
                    text=step.text,
                    predicted=str(wrong[_place(step)].predicted),
                    observed=step.outcome.value,
                    detail=_named(wrong[_place(step)].text, forecast.names),
                )
                for step in steps
                if _place(step) in wrong
            ),
        )

    def _remember(
        self,
        prediction: Prediction,
        outcomes: Mapping[StepPlace, StepOutcome],
        outcome: BuildOutcome,
    ) -> None:
        self._history.add(prediction, {place: one.value for place, one in outcomes.items()})
        if outcome is BuildOutcome.OK:
            for place, key in prediction.keys.items():
                if outcomes.get(place) is StepOutcome.HIT:
                    self._answered.add(key.exact)


class _Reasons:
    """Says why the steps of one build missed."""

    def __init__(
        self,
        prediction: Prediction,
        wrong: frozenset[StepPlace],
        answered: Set[str],
        names: Mapping[str, str],
    ) -> None:
        self._prediction = prediction
        self._wrong = wrong
        self._answered = answered
        self._names = names
        self._stages = {one.stage_index: one.stage for one in prediction.decisions}
        self._of_group = {
            decision.group: decision.reason
            for decision in prediction.decisions
            if decision.group is not None and decision.reason is not None
        }

    def of(self, place: StepPlace, outcome: StepOutcome) -> tuple[str | None, str | None]:
        """Return the reason and its details; nothing for a step that did not miss."""
        if outcome is not StepOutcome.MISS:
            return None, None
        decision = self._prediction.at(place)
        if place in self._wrong:
            return self._unexpected(decision)
        reason = decision.reason
        if reason is None and decision.group is not None:
            # An equal step of another stage was to be shown as the one that missed.
            reason = self._of_group.get(decision.group)
        if reason is None:
            return ReasonKind.UNKNOWN.value, "the model gives no reason"
        return reason.kind.value, _named(self._detail(reason), self._names)

    def _detail(self, reason: Reason) -> str:
        """Say it of a build that was made."""
        if reason.kind is ReasonKind.PARENT_MISSED and reason.origin is not None:
            stage = self._stages.get(reason.origin.stage_index, "")
            stage = f"stage {stage}" if stage.isdecimal() else stage
            return f"step {reason.origin.step} of {stage} missed"
        return reason.detail

    def _unexpected(self, decision: Decision) -> tuple[str, str]:
        key = self._prediction.keys.get(decision.place)
        if key is not None and key.exact in self._answered:
            return (
                ReasonKind.EVICTED.value,
                "the engine had answered it from the cache before, and did not any more",
            )
        return ReasonKind.UNKNOWN.value, f"the model expected: {decision.outcome}"


def build_input(
    request: BuildRequest, manifest: Manifest, salted: SaltedDockerfile, profile: Profile
) -> BuildInput:
    """Return what the model has to know of a build, from what is sent.

    ``manifest`` is that of the context on the disk, in which the Dockerfile is not salted yet.
    """
    classic = profile.family is Family.CLASSIC
    bases = {}
    for tag, origin in salted.origins.items():
        config = request.base_images[tag]
        # BuildKit knows a base by its layers alone, the classic builder by its image ID.
        chain = (origin.image_id,) if classic else origin.layers
        bases[tag] = inspected_base(
            origin.image, config, identity="\n".join(chain), content=origin.content
        )
    return BuildInput(
        dockerfile=request.dockerfile,
        manifest=as_sent(manifest, request.dockerfile_path, request.dockerfile.text),
        build_args=request.build_args,
        target=request.target,
        bases=bases,
        network=request.network,
    )


def inspected_base(
    name: str, config: BaseImageConfig, *, identity: str, content: str = ""
) -> BaseImage:
    """Return what the model has to know of an image that was looked at; see `BaseImage`."""
    return BaseImage(
        name=name,
        identity=identity,
        content=content,
        env=tuple(config.env.items()),
        working_dir=config.working_dir,
        user=config.user,
        shell=config.shell,
        on_build=config.on_build,
        inspected=True,
    )


def as_sent(manifest: Manifest, path: str, text: str) -> Manifest:
    """Return ``manifest`` with ``text`` as the content of the file at ``path``."""
    if path not in manifest:
        return manifest
    content = text.encode()
    changed = manifest[path]._replace(size=len(content), sha256=hashlib.sha256(content).hexdigest())
    entries = (changed if entry.path == path else entry for entry in manifest.values())
    return Manifest(entries, manifest.sent_although_ignored)


def _place(step: Step) -> StepPlace:
    return StepPlace(step.stage_index, step.step)


def _named(text: str, names: Mapping[str, str]) -> str:
    for tag, name in names.items():
        text = text.replace(tag, name)
    return text
