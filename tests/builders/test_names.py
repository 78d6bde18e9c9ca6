"""What builders are called, and which real one a simulated one follows."""

from __future__ import annotations

import pytest

from bench.builders import BUILDERS
from bench.builders.names import REAL_BUILDERS, SIMULATED_BUILDERS, is_simulated, rules_of


def test_every_real_builder_can_be_made_and_has_a_simulated_one() -> None:
    assert tuple(BUILDERS) == REAL_BUILDERS
    assert tuple(map(rules_of, SIMULATED_BUILDERS)) == REAL_BUILDERS


@pytest.mark.parametrize(
    ("builder", "simulated"), [("classic", False), ("simulated-classic", True), ("buildkit", False)]
)
def test_a_simulated_builder_is_told_by_its_name(builder: str, simulated: bool) -> None:
    assert is_simulated(builder) is simulated
    assert rules_of(builder) in REAL_BUILDERS
