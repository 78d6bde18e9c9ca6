"""Say what one build will do, given everything that was built before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.cache_model.buildah import BuildahWalk
from bench.cache_model.buildkit import BuildKitWalk
from bench.cache_model.classic import ClassicWalk
from bench.cache_model.outcomes import Prediction
from bench.cache_model.profiles import Family
from bench.cache_model.settling import Settler

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench.cache_model.history import History
    from bench.cache_model.inputs import BuildInput
    from bench.cache_model.outcomes import StepPlace
    from bench.cache_model.profiles import Profile
    from bench.cache_model.walk import Walk

_WALKS: dict[Family, type[Walk]] = {
    Family.BUILDKIT: BuildKitWalk,
    Family.CLASSIC: ClassicWalk,
    Family.BUILDAH: BuildahWalk,
}


def predict(
    build: BuildInput,
    profile: Profile,
    history: History,
    *,
    observed: Mapping[StepPlace, str] | None = None,
) -> Prediction:
    """Return what ``profile`` will do with ``build``. The history is read, never changed.

    ``observed`` holds the outcomes of the real build, once it was made. They settle what depended
    on an artefact, so that later steps and later builds can be told for certain; a definite
    prediction never changes by them.
    """
    settler = Settler(history, observed)
    _WALKS[profile.family](build, profile, settler).run()
    return Prediction(
        profile=profile.name,
        decisions=tuple(settler.decisions),
        problems=tuple(settler.problems),
        keys=settler.keys,
        aliases=settler.aliases,
        distinct=frozenset(settler.distinct),
        files=settler.files,
    )
