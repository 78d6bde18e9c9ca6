"""Declared files of steps: read as they are written, and refused where they cannot be meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bench.scenario import AccessSpec, load_scenario
from tests.scenario.conftest import BODY, HEAD, problems

if TYPE_CHECKING:
    from pathlib import Path

    from bench.scenario import Scenario

GOOD = """
[[access]]
step = "builder:RUN mvn -B"
reads = ["/src/pom.xml"]
writes = ["/root/.m2"]
"""


def load(folder: Path, text: str) -> Scenario:
    (folder / "scenario.toml").write_text(HEAD + BODY + text, encoding="utf-8")
    return load_scenario(folder)


def test_a_declaration_is_read_as_it_is_written(folder: Path) -> None:
    assert load(folder, GOOD).accesses == (
        AccessSpec(step="builder:RUN mvn -B", reads=("/src/pom.xml",), writes=("/root/.m2",)),
    )


def test_a_stage_may_be_named_by_its_index(folder: Path) -> None:
    assert load(folder, GOOD.replace("builder:", "0:")).accesses


def test_a_step_that_only_one_variant_has_needs_no_variant_named(folder: Path) -> None:
    (folder / "Dockerfile.other").write_text("FROM diamol/maven AS tools\nRUN make\nEXPOSE 80\n")
    other = '\n[[variant]]\nname = "other"\ndockerfile = "Dockerfile.other"\n'

    assert load(folder, other + GOOD.replace("builder:RUN mvn -B", "tools:RUN make")).accesses


@pytest.mark.parametrize(
    ("old", "new", "key", "message"),
    [
        ("RUN mvn -B", "RUN mvm", "access[0].step", "matches no instruction"),
        ("builder:", "bilder:", "access[0].step", "names no stage"),
        ("builder:RUN mvn -B", "RUN", "access[0].step", "no reference"),
        ("RUN mvn -B", "WORKDIR", "access[0].step", "touches no files"),
        ('"/src/pom.xml"', '"pom.xml"', "access[0].reads[0]", "no absolute path"),
        ('"/src/pom.xml"', '"/src/./pom.xml"', "access[0].reads[0]", "no absolute path"),
        ('"/src/pom.xml"', '"/src/../pom.xml"', "access[0].reads[0]", "no absolute path"),
        ('writes = ["/root/.m2"]', "", "access[0]", "does not say what the RUN writes"),
        ("writes", "write", "access[0].write", "not a known key"),
        ("step", 'variant = "as-writen"\nstep', "access[0].variant", "names no variant"),
    ],
)
def test_what_cannot_be_meant_is_told_with_its_place_and_a_remedy(
    folder: Path, old: str, new: str, key: str, message: str
) -> None:
    assert old in GOOD
    found = problems(folder, HEAD + BODY + GOOD.replace(old, new, 1))

    assert key in found, found
    assert message in found[key].message


def test_a_folder_without_what_is_in_it_can_be_declared(folder: Path) -> None:
    assert load(folder, GOOD.replace("/src/pom.xml", "/src/.")).accesses[0].reads == ("/src/.",)


def test_a_copy_needs_its_writes_alone(folder: Path) -> None:
    text = '\n[[access]]\nstep = "1:COPY"\nwrites = ["/app/app.jar"]\n'

    assert load(folder, text).accesses[0].reads is None
