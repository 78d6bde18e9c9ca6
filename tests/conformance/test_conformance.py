"""The model against real builders: a slice of generated cases, the same ones every time."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conformance.case import load
from tests.conformance.dialect import DIALECTS
from tests.conformance.targets import BUILDERS, ENGINES

REPOSITORY = Path(__file__).parents[2]
CASES = 100
SEED = 20_401


@pytest.mark.engine
@pytest.mark.slow
def test_model_and_builders_agree_on_every_step(tmp_path: Path) -> None:
    """300 cases for each builder, 100 on each engine, and all minimal cases of before."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "tests.conformance"),
            *("--cases", str(CASES), "--seed", str(SEED), "--size", "small"),
            *("--shrink", "0", "--results", str(tmp_path)),
        ],
        cwd=REPOSITORY,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-8000:]
    documents = [json.loads(path.read_text()) for path in tmp_path.glob("*.json")]
    assert len(documents) == len(ENGINES) * len(BUILDERS)
    for document in documents:
        assert document["cases"] == CASES
        assert document["disagreements"] == []
        assert document["unknown_steps"] == 0
        assert document["steps_compared"] > 5 * CASES
        assert sum(document["failed_builds"].values()) <= document["builds"] // 50
        # The model may leave open what only the bytes of an artefact decide, and little else.
        assert document["by_prediction"].get("depends", 0) < document["steps_compared"] // 20


@pytest.mark.parametrize("folder", ["regressions", "rules"])
def test_every_kept_case_can_be_read_and_names_a_dialect(folder: str) -> None:
    paths = sorted((Path(__file__).parent / folder).glob("*.json"))
    assert paths
    for path in paths:
        case, dialect = load(path)
        assert case.states
        assert dialect in {one.name for one in DIALECTS}
