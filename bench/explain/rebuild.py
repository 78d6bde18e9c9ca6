"""Which steps a build of one state repeats, given that another state was built before."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bench.cache_model import History, disagreements, predict
from bench.cache_model.profiles import BUILDKIT_28_CONTAINERD, Family
from bench.errors import UsageError
from bench.explain.account import of_observed, of_prediction
from bench.explain.ignorable import Hints
from bench.explain.observed import is_link_merged, observe, outcomes_of
from bench.predicting import BuildState, client_of
from bench.predicting.assumptions import assumptions, unused_build_args

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench.builders.protocol import Build
    from bench.cache_model import BuildInput, Disagreement, Prediction, Profile
    from bench.explain.account import Account
    from bench.explain.rawjson import BuildLog
    from bench.explain.states import Place, State
    from bench.workspace import ManifestDiff

_BASES = "base images are taken as unchanged: no engine is asked"


@dataclass(frozen=True)
class Request:
    """What goes with a build beside its files; ``build_args_before`` are those of the earlier."""

    profile: Profile
    build_args: Mapping[str, str] = field(default_factory=dict)
    build_args_before: Mapping[str, str] = field(default_factory=dict)
    target: str | None = None


@dataclass(frozen=True)
class Rebuild:
    """The steps of a build and why they miss.

    ``build`` is what a log told of a build that was made; None where it is only predicted.
    ``doubts`` say why the log may be of something else.
    """

    request: Request
    before: State
    after: State
    prediction: Prediction
    accounts: tuple[Account, ...]
    build: Build | None = None
    disagreements: tuple[Disagreement, ...] = ()
    doubts: tuple[str, ...] = ()

    @property
    def changes(self) -> ManifestDiff:
        """How the two build contexts differ."""
        return self.before.manifest.diff(self.after.manifest)

    @property
    def notes(self) -> tuple[str, ...]:
        """What raises doubts, what nothing uses, and what was taken for granted."""
        state = build_state(self.after, self.request)
        unused = (
            f"no ARG of the Dockerfile takes the build argument {name}"
            for name in unused_build_args(state)
        )
        return (*self.doubts, *unused, *assumptions(state), _BASES)

    @property
    def dockerfile_changed(self) -> bool:
        """Whether the two Dockerfiles differ."""
        return self.before.dockerfile.text != self.after.dockerfile.text

    def hints(self, place: Place) -> Hints:
        """Return what says how a miss could have been avoided."""
        return Hints(
            is_own_dockerfile=lambda path: path == place.inside,
            has_ignore_file=self.after.ignore_file is not None,
        )


def profile_of_log(log: BuildLog, usual: Profile) -> Profile:
    """Return the rules that a log's builder follows, as far as the log tells."""
    return BUILDKIT_28_CONTAINERD if is_link_merged(log) else usual


def explain_rebuild(before: State, after: State, request: Request) -> Rebuild:
    """Predict a build of ``after`` where nothing but ``before`` was built.

    Raises:
        UsageError: the target is no stage of a Dockerfile.

    """
    history = _history(before, request)
    prediction = predict(_input(after, request), request.profile, history)
    return Rebuild(request, before, after, prediction, tuple(of_prediction(prediction)))


def explain_log(log: BuildLog, before: State, after: State, request: Request) -> Rebuild:
    """Explain a build that was made, by its log, where nothing but ``before`` was built for sure.

    Raises:
        UsageError: the target is no stage, the log is of another Dockerfile, or the builder makes
            no such logs.

    """
    if request.profile.family is not Family.BUILDKIT:
        raise UsageError(
            f"{log.path}: the builder {request.profile.name} makes no such logs",
            remedy="choose a profile of BuildKit with --builder",
        )
    _check_link(log, after, request)
    now = build_state(after, request)
    seen = observe(log, after.dockerfile, build_args=now.build_args, target=now.target)
    outcomes = outcomes_of(seen.build)
    history = _history(before, request)
    build_input = now.input_for(request.profile)
    prediction = predict(build_input, request.profile, history, observed=outcomes)
    return Rebuild(
        request,
        before,
        after,
        prediction,
        tuple(of_observed(prediction, outcomes)),
        seen.build,
        tuple(disagreements(prediction, outcomes)),
        seen.doubts,
    )


def _history(before: State, request: Request) -> History:
    history = History()
    earlier = _input(before, request, request.build_args_before)
    history.add(predict(earlier, request.profile, history))
    return history


def _input(
    state: State, request: Request, build_args: Mapping[str, str] | None = None
) -> BuildInput:
    return build_state(state, request, build_args).input_for(request.profile)


def build_state(
    state: State, request: Request, build_args: Mapping[str, str] | None = None
) -> BuildState:
    """Return a state with what goes with its build.

    Raises:
        UsageError: the target is no stage of the Dockerfile.

    """
    return BuildState(
        change=state.label,
        dockerfile=state.dockerfile,
        manifests={client_of(request.profile): state.manifest},
        build_args=request.build_args if build_args is None else build_args,
        target=request.target,
    )


def _check_link(log: BuildLog, after: State, request: Request) -> None:
    """Refuse rules of another image store than the log's: they treat ``COPY --link`` otherwise."""
    linked = any(
        "--link" in instruction.flags
        for stage in after.dockerfile.stages
        for instruction in stage.instructions
    )
    if linked and is_link_merged(log) and not request.profile.link_is_merge:
        raise UsageError(
            f"{log.path}: the log is of an engine with the containerd image store, where --link "
            f"has an effect; {request.profile.name} is without",
            remedy=f"leave --builder out, or write --builder {BUILDKIT_28_CONTAINERD.name}",
        )
