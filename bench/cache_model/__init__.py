"""The cache model: which step hits, for every builder, from text and manifests alone.

`predict` says what a build will do given the `History` of what was built before. Nothing in this
package talks to Docker.
"""

from bench.cache_model.checking import Disagreement, disagreements
from bench.cache_model.history import History
from bench.cache_model.inputs import BaseImage, BuildInput
from bench.cache_model.outcomes import (
    Decision,
    Predicted,
    Prediction,
    Reason,
    ReasonKind,
    StepPlace,
)
from bench.cache_model.predicting import predict
from bench.cache_model.profiles import PROFILES, Profile, find_profile, profile_of

__all__ = [
    "PROFILES",
    "BaseImage",
    "BuildInput",
    "Decision",
    "Disagreement",
    "History",
    "Predicted",
    "Prediction",
    "Profile",
    "Reason",
    "ReasonKind",
    "StepPlace",
    "disagreements",
    "find_profile",
    "predict",
    "profile_of",
]
