"""Every engine version is given the rules it follows."""

from __future__ import annotations

import pytest

from bench.cache_model import PROFILES, find_profile, profile_of
from bench.errors import UsageError


@pytest.mark.parametrize(
    ("builder", "version", "store", "name"),
    [
        ("classic", "20.10.24+dfsg1", "graphdriver", "classic-20.10"),
        ("classic", "25.0.1", "graphdriver", "classic-20.10"),
        ("classic", "25.0.2", "graphdriver", "classic-25.0.2"),
        ("classic", "25.0.5", "graphdriver", "classic-25.0.2"),
        ("classic", "28.5.2+dfsg4", "containerd", "classic-26"),
        ("buildkit", "20.10.24+dfsg1", "graphdriver", "buildkit-0.8"),
        ("buildkit", "23.0.6", "graphdriver", "buildkit-0.10"),
        ("buildkit", "24.0.9", "graphdriver", "buildkit-0.11"),
        ("buildkit", "25.0.5", "graphdriver", "buildkit-0.12"),
        ("buildkit", "25.0.5", "containerd", "buildkit-0.12-containerd"),
        ("buildkit", "26.1.3", "graphdriver", "buildkit-28"),
        ("buildkit", "28.5.2+dfsg4", "containerd", "buildkit-28-containerd"),
        ("buildah", "1.28.2", "", "buildah"),
    ],
)
def test_profile_of_an_engine(builder: str, version: str, store: str, name: str) -> None:
    assert profile_of(builder, version, store).name == name


def test_owners_count_since_engine_24() -> None:
    owners = {
        version: profile_of("buildkit", version, "graphdriver").owner_is_content
        for version in ("20.10.24", "23.0.6", "24.0.0", "28.5.2")
    }
    assert owners == {"20.10.24": False, "23.0.6": False, "24.0.0": True, "28.5.2": True}


def test_profiles_are_found_by_name_and_by_builder() -> None:
    for name, profile in PROFILES.items():
        assert find_profile(name) is profile
    assert find_profile("buildkit").name == "buildkit-28"


def test_an_unknown_profile_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UsageError) as caught:
        find_profile("kaniko")
    assert "kaniko" in str(caught.value)
    assert "buildkit-0.8" in str(caught.value)
