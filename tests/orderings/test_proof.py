"""Legal orderings of generated Dockerfiles make equal images: a slice, the same one every time."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench.cache_model import find_profile
from bench.orderings.legality import partial_order
from bench.orderings.ordering import Ordering
from tests.conformance.case import load
from tests.conformance.dialect import DIALECTS
from tests.conformance.targets import BUILDERS
from tests.orderings.generated import state_of
from tests.orderings.generated_subjects import generated_case
from tests.orderings.proof_summary import markdown

REPOSITORY = Path(__file__).parents[2]
COUNTEREXAMPLES = sorted((Path(__file__).parent / "counterexamples").glob("*.json"))
CASES = 10
SAMPLE = 5
SEED = 20_404


@pytest.mark.engine
@pytest.mark.slow
def test_legal_orderings_build_to_equal_images(tmp_path: Path) -> None:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "tests.orderings.proof"),
            *("--generated", str(CASES), "--sample", str(SAMPLE), "--seed", str(SEED)),
            *("--results", str(tmp_path), "--counterexamples", str(tmp_path / "found")),
        ],
        cwd=REPOSITORY,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-8000:]
    documents = [json.loads(path.read_text()) for path in tmp_path.glob("*.json")]
    assert {one["builder"] for one in documents} == set(BUILDERS)
    for document in documents:
        assert document["dockerfiles"] == CASES
        assert document["orderings_built"] == document["orderings_equal"] > 2 * CASES
        assert document["orderings_uncached"] == document["dockerfiles_built"]
        # What was only taken from the cache would prove nothing.
        assert document["steps_run"] > document["orderings_built"]
    assert (tmp_path / "README.md").read_text() == markdown(
        sorted(documents, key=lambda one: one["builder"])
    )


def test_an_ordering_that_made_another_image_is_not_legal() -> None:
    for path in COUNTEREXAMPLES:
        case, _ = load(path)
        about = json.loads(path.read_text(encoding="utf-8"))
        profile = find_profile(about["profile"])
        build = state_of(case.states[0], profile).input_for(profile)
        order = partial_order(build, [profile])
        ordering = Ordering(tuple(tuple(steps) for steps in about["ordering"]))
        assert not order.allows(ordering), path.name
        assert order.allows(Ordering.written(build.dockerfile))


def test_generated_environments_are_written_in_an_order_of_their_own() -> None:
    texts = [generated_case(1, number, DIALECTS[0]).states[0].text for number in range(205, 211)]
    assert any("env | sort >" in text for text in texts)
    assert not any("env >" in text for text in texts)
