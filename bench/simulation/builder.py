"""A builder that makes nothing: it says what a build would do, and how long it would take."""

from __future__ import annotations

import dataclasses
import hashlib
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bench.builders.names import rules_of
from bench.builders.protocol import Build, BuildOutcome, Step, StepOutcome
from bench.builders.stages import stage_timings
from bench.cache_model import BuildInput, History, Predicted, predict, profile_of
from bench.cache_model.profiles import Family
from bench.dockerfile import GLOBAL_STAGE_INDEX
from bench.simulation.context import manifest_of
from bench.simulation.schedule import Schedule, in_order, side_by_side

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench.builders.protocol import BuildRequest
    from bench.cache_model import BaseImage, Decision, Prediction, StepPlace
    from bench.dockerfile import Dockerfile
    from bench.simulation.times import Moment, Source, StepTimes

_OF = {
    Predicted.HIT: StepOutcome.HIT,
    Predicted.MISS: StepOutcome.MISS,
    Predicted.BASE: StepOutcome.BASE,
    Predicted.CONFIG: StepOutcome.CONFIG,
    Predicted.MERGED: StepOutcome.MERGED,
    Predicted.UNREACHED: StepOutcome.UNREACHED,
    Predicted.UNKNOWN: StepOutcome.NOT_RUN,
}
_TIMED = frozenset({StepOutcome.HIT, StepOutcome.MISS, StepOutcome.BASE})
_IN_SCHEDULE = _TIMED | {StepOutcome.MERGED}


@dataclass
class SimulatedCaches:
    """What the simulated builders of one engine remember, and the images that it has.

    ``images`` are by the name that a Dockerfile gives them. ``originals`` gives a Dockerfile's text
    the Dockerfile that it was made from: step times are known by the instructions in that one.
    ``sources`` counts the times that were given out, by how well they were known.
    """

    times: StepTimes
    images: dict[str, BaseImage] = field(default_factory=dict)
    originals: dict[str, Dockerfile] = field(default_factory=dict)
    sources: Counter[Source] = field(default_factory=Counter)
    _histories: dict[str, History] = field(default_factory=dict)

    def history(self, rules: str) -> History:
        """Return the cache of the builder that ``rules`` names."""
        return self._histories.setdefault(rules, History())


class SimulatedBuilder:
    """Plays one real builder by the rules of the cache model; see `bench.builders.Builder`.

    It takes what a real one takes and looks at nothing else: the request, and the tar in it.
    """

    def __init__(self, name: str, caches: SimulatedCaches, moment: Moment) -> None:
        """Play ``rules_of(name)``; ``moment`` says which recorded builds to take times from."""
        self.name = name
        self._caches = caches
        self._moment = moment
        self._texts: dict[tuple[int, int], str] = {}
        times = caches.times
        self._profile = profile_of(rules_of(name), times.engine_version, times.image_store)

    def build(self, request: BuildRequest) -> Build:
        """Say what a build of ``request`` would do; it fails where the model is at a loss."""
        build = BuildInput(
            dockerfile=request.dockerfile,
            manifest=manifest_of(request.context.path, request.dockerfile_path),
            build_args=request.build_args,
            target=request.target,
            bases=self._caches.images,
            network=request.network,
        )
        history = self._caches.history(self._profile.name)
        known = History() if request.no_cache else history
        self._texts = self._original_texts(request.dockerfile)
        prediction, decided = self._settled(build, known)
        if prediction.problems:
            return self._failure(request, prediction)
        outcomes = {one.place: _outcome(one, decided) for one in prediction.decisions}
        history.add(prediction, {place: outcome.value for place, outcome in outcomes.items()})
        return self._success(request, prediction, outcomes)

    def _settled(
        self, build: BuildInput, history: History
    ) -> tuple[Prediction, dict[StepPlace, str]]:
        """Predict, and decide one after the other what artefacts decide."""
        decided: dict[StepPlace, str] = {}
        while True:
            prediction = predict(build, self._profile, history, observed=decided)
            first = next(
                (
                    one
                    for one in prediction.decisions
                    if one.outcome is Predicted.DEPENDS and one.place not in decided
                ),
                None,
            )
            if first is None:
                return prediction, decided
            decided[first.place] = self._by_artefact(first, prediction, decided)

    def _by_artefact(
        self, step: Decision, prediction: Prediction, decided: Mapping[StepPlace, str]
    ) -> str:
        if step.group is not None and any(
            one.group == step.group and one.place in decided for one in prediction.decisions
        ):
            return "hit"  # an equal step of this build was just done
        hits = self._caches.times.artefact_hits(self._moment, self._as_written(step))
        return "hit" if hits else "miss"

    def _success(
        self,
        request: BuildRequest,
        prediction: Prediction,
        outcomes: Mapping[StepPlace, StepOutcome],
    ) -> Build:
        seconds = {
            one.place: self._seconds(one, outcomes[one.place])
            for one in prediction.decisions
            if outcomes[one.place] in _IN_SCHEDULE and one.stage_index != GLOBAL_STAGE_INDEX
        }
        schedule = self._schedule(request, prediction, seconds)
        steps = tuple(_step(one, outcomes[one.place], schedule) for one in prediction.decisions)
        intervals: dict[int, list[tuple[float, float]]] = {}
        for place, interval in schedule.intervals.items():
            intervals.setdefault(place.stage_index, []).append(interval)
        return Build(
            builder=self.name,
            outcome=BuildOutcome.OK,
            wall_seconds=schedule.seconds + self._caches.times.outside(self._moment),
            steps=steps,
            stages=stage_timings(request.dockerfile, steps, intervals, schedule.critical),
            image_id=_image_id(prediction),
        )

    def _original_texts(self, dockerfile: Dockerfile) -> dict[tuple[int, int], str]:
        original = self._caches.originals.get(dockerfile.text, dockerfile)
        return {
            (stage.index, step): instruction.text
            for stage in original.stages
            for step, instruction in enumerate(stage.instructions, start=1)
        }

    def _as_written(self, step: Decision) -> Decision:
        """Return a step with the text that its author gave it, without salted names."""
        text = self._texts.get((step.stage_index, step.step), step.text)
        return dataclasses.replace(step, text=text)

    def _seconds(self, step: Decision, outcome: StepOutcome) -> float:
        if outcome is StepOutcome.MERGED:
            return 0.0
        seconds, source = self._caches.times.seconds(self._moment, self._as_written(step), outcome)
        self._caches.sources[source] += 1
        return seconds

    def _schedule(
        self, request: BuildRequest, prediction: Prediction, seconds: Mapping[StepPlace, float]
    ) -> Schedule:
        if self._profile.family is Family.CLASSIC:
            return in_order(seconds)
        return side_by_side(
            request.dockerfile, request.build_args, seconds, _twins(prediction, seconds)
        )

    def _failure(self, request: BuildRequest, prediction: Prediction) -> Build:
        """Return a build that broke off at the first step that nothing can be said of."""
        first = next(one for one in prediction.decisions if one.outcome is Predicted.UNKNOWN)
        steps = tuple(
            _step(one, StepOutcome.FAILED if one is first else StepOutcome.NOT_RUN, None)
            for one in prediction.decisions
        )
        return Build(
            builder=self.name,
            outcome=BuildOutcome.FAILED,
            wall_seconds=0.0,
            steps=steps,
            stages=stage_timings(request.dockerfile, steps, {}, {}),
            error=f"cannot be simulated: {prediction.problems[0]}",
        )


def _outcome(decision: Decision, decided: Mapping[StepPlace, str]) -> StepOutcome:
    if decision.outcome is Predicted.DEPENDS:
        return StepOutcome(decided[decision.place])
    return _OF[decision.outcome]


def _step(decision: Decision, outcome: StepOutcome, schedule: Schedule | None) -> Step:
    interval = None
    if schedule is not None and outcome in _TIMED:
        interval = schedule.intervals.get(decision.place)
    return Step(
        stage=decision.stage,
        stage_index=decision.stage_index,
        step=decision.step,
        line=decision.line,
        instruction=decision.instruction,
        text=decision.text,
        outcome=outcome,
        seconds=None if interval is None else interval[1] - interval[0],
        offset_seconds=None if interval is None else interval[0],
    )


def _twins(
    prediction: Prediction, seconds: Mapping[StepPlace, float]
) -> dict[StepPlace, StepPlace]:
    """Return for each merged step the one that is done for both."""
    done: dict[int, StepPlace] = {}
    twins: dict[StepPlace, StepPlace] = {}
    for decision in prediction.decisions:
        if decision.group is None or decision.place not in seconds:
            continue
        first = done.setdefault(decision.group, decision.place)
        if first != decision.place:
            twins[decision.place] = first
    return twins


def _image_id(prediction: Prediction) -> str:
    """Return an ID that is equal for equal builds; the prefix tells it from an engine's."""
    keys = sorted(key.exact for key in prediction.keys.values())
    return f"simulated:{hashlib.sha256(repr(keys).encode()).hexdigest()}"
