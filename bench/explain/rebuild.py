"""Which steps a build of one state repeats, given that another state was built before."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bench.cache_model import BuildInput, History, disagreements, predict
from bench.cache_model.profiles import BUILDKIT_28_CONTAINERD, Family
from bench.errors import UsageError
from bench.explain.account import of_observed, of_prediction
from bench.explain.ignorable import Hints
from bench.explain.observed import is_link_merged, observe, outcomes_of
from bench.workspace import ClientRule

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench.builders.protocol import Build
    from bench.cache_model import Disagreement, Prediction, Profile
    from bench.explain.account import Account
    from bench.explain.rawjson import BuildLog
    from bench.explain.states import Place, State
    from bench.workspace import ManifestDiff


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
    """

    request: Request
    before: State
    after: State
    prediction: Prediction
    accounts: tuple[Account, ...]
    build: Build | None = None
    disagreements: tuple[Disagreement, ...] = ()

    @property
    def changes(self) -> ManifestDiff:
        """How the two build contexts differ."""
        return self.before.manifest.diff(self.after.manifest)

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


def client_rule(profile: Profile) -> ClientRule:
    """Return whose rules for ``.dockerignore`` go with a builder."""
    return ClientRule.CLASSIC if profile.family is Family.CLASSIC else ClientRule.BUILDKIT


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
    build = observe(
        log, after.dockerfile, build_args=request.build_args, target=_target(after, request)
    )
    outcomes = outcomes_of(build)
    history = _history(before, request)
    prediction = predict(_input(after, request), request.profile, history, observed=outcomes)
    return Rebuild(
        request,
        before,
        after,
        prediction,
        tuple(of_observed(prediction, outcomes)),
        build,
        tuple(disagreements(prediction, outcomes)),
    )


def _history(before: State, request: Request) -> History:
    history = History()
    earlier = _input(before, request, request.build_args_before)
    history.add(predict(earlier, request.profile, history))
    return history


def _input(
    state: State, request: Request, build_args: Mapping[str, str] | None = None
) -> BuildInput:
    return BuildInput(
        dockerfile=state.dockerfile,
        manifest=state.manifest,
        build_args=request.build_args if build_args is None else build_args,
        target=_target(state, request),
    )


def _target(state: State, request: Request) -> str | None:
    """Return the target, which must be a stage."""
    try:
        state.dockerfile.target_stage(request.target)
    except KeyError:
        names = ", ".join(stage.label for stage in state.dockerfile.stages)
        raise UsageError(
            f"{state.dockerfile.path}: there is no stage {request.target!r}",
            remedy=f"choose one of {names} with --target",
        ) from None
    return request.target


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
