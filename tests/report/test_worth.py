"""Hits gained and lost are priced by the steps' own seconds, not by the scatter of the build."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bench.dataset import load_dataset
from bench.report.compare import comparisons
from bench.report.worth import Worth, worth_of_hits, worth_sentence
from tests.report.factory import java

if TYPE_CHECKING:
    from pathlib import Path


def worth(tmp_path: Path, builder: str, change: str) -> Worth:
    dataset = load_dataset([java(noise=0.0).write(tmp_path / "run")])
    [comparison] = [
        one
        for one in comparisons(dataset)
        if (one.setup.builder, one.change, one.variant) == (builder, change, "metadata-first")
    ]
    return worth_of_hits(dataset, comparison)


def test_steps_that_hit_instead_count_with_the_seconds_they_took_when_run(tmp_path: Path) -> None:
    """EXPOSE and ENTRYPOINT take 0.1 s each in the synthetic run."""
    found = worth(tmp_path, "classic", "edit-source")

    assert (found.gained, found.lost) == (2, 0)
    assert found.gained_seconds == pytest.approx(0.2)
    assert worth_sentence(found) == (
        "By the steps' own times: 2 steps that hit instead take 0.20 s when run."
    )


def test_steps_that_miss_instead_are_the_price(tmp_path: Path) -> None:
    found = worth(tmp_path, "classic", "edit-port")

    assert found.lost > 0
    assert "run instead of hitting" in worth_sentence(found)


def test_nothing_is_said_where_no_step_changes_sides(tmp_path: Path) -> None:
    assert worth_sentence(worth(tmp_path, "buildkit", "edit-source")) == ""
