"""The applications that orderings are proved on: they load, and every build is predicted."""

from __future__ import annotations

import tempfile
import tomllib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bench.bases import recipe_names
from bench.cache_model import profile_of
from bench.changes import ChangeIds, SourceState, apply_change
from bench.dockerfile import external_images, parse
from bench.orderings.declared import access_of
from bench.orderings.legality import partial_order
from bench.orderings.ranking import WeightedState, rank
from bench.predicting import scenario_states
from bench.scenario import dockerfile_text, load_scenario
from bench.simulation.costs import guessed_costs
from bench.workspace import ClientRule, Workspace

if TYPE_CHECKING:
    from bench.cache_model import Profile
    from bench.orderings.ranking import Ranking
    from bench.predicting import BuildState
    from bench.scenario import Scenario

FOLDER = Path(__file__).parent / "applications"
NAMES = tuple(sorted(one.parent.name for one in FOLDER.glob("*/scenario.toml")))
CASES = [
    pytest.param(name, variant["name"], id=f"{name}-{variant['name']}")
    for name in NAMES
    for variant in tomllib.loads((FOLDER / name / "scenario.toml").read_text())["variant"]
]
PROFILES = (
    profile_of("classic", "20.10.24", "graphdriver"),
    profile_of("buildkit", "20.10.24", "graphdriver"),
)
MOST_FILES = 40
LIMIT = 50
"""Orderings that are ranked: enough to tell whether one is better than the written one."""


@cache
def application(name: str) -> Scenario:
    return load_scenario(FOLDER / name)


@cache
def states(name: str, variant: str) -> tuple[BuildState, ...]:
    scenario = application(name)
    changes = [one.name for one in scenario.changes]
    with tempfile.TemporaryDirectory() as scratch:
        return tuple(
            scenario_states(scenario, variant, changes, tuple(ClientRule), Path(scratch) / "copy")
        )


@cache
def ranking(name: str, variant: str, profile: Profile) -> Ranking:
    scenario = application(name)
    base, *changed = states(name, variant)
    access = access_of(base.dockerfile, scenario.accesses, variant)
    order = partial_order(base.input_for(profile), [profile], access)
    weighted = [
        WeightedState(state, change.weight)
        for state, change in zip(changed, scenario.changes, strict=True)
    ]
    return rank(base, weighted, profile, order, guessed_costs(base.dockerfile), limit=LIMIT)


def test_there_are_all_the_kinds_that_the_proof_names() -> None:
    kinds = {"python-pip", "node-test", "go-vendored", "c-make", "static-site", "monorepo"}
    assert kinds | {"already-optimal", "immovable"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_context_is_small(name: str) -> None:
    files = [one for one in application(name).context.rglob("*") if one.is_file()]
    assert 0 < len(files) < MOST_FILES


@pytest.mark.parametrize(("name", "variant"), CASES)
def test_every_base_image_has_a_recipe_to_stand_in_for_it(name: str, variant: str) -> None:
    scenario = application(name)
    text = dockerfile_text(scenario, scenario.variant(variant))
    for use in external_images(parse(text)):
        assert scenario.bases[use.image].standin in recipe_names()


@pytest.mark.parametrize(("name", "variant"), CASES)
def test_every_change_can_be_applied_and_is_new_in_every_round(
    name: str, variant: str, tmp_path: Path
) -> None:
    scenario = application(name)
    workspace = Workspace.create(
        scenario.context,
        tmp_path / "copy",
        dockerfile_text=dockerfile_text(scenario, scenario.variant(variant)),
        dockerfile_path="Dockerfile",
    )
    for change in scenario.changes:
        seen = set()
        for number in range(2):
            ids = ChangeIds(id=f"{number:012x}", port=2000 + number, n=number, round=number)
            state = SourceState(
                root=workspace.root,
                dockerfile="Dockerfile",
                source=scenario.context,
                pristine=workspace.pristine,
                scenario=scenario.directory,
            )
            apply_change(change, state, ids)
            arguments = tuple(sorted(state.build_args.items()))
            seen.add((arguments, *((k, v.sha256) for k, v in workspace.manifest().items())))
            workspace.reset()
        assert len(seen) == 2, change.name


@pytest.mark.parametrize(("name", "variant"), CASES)
def test_every_declared_access_is_of_a_step_that_is_there(name: str, variant: str) -> None:
    scenario = application(name)
    dockerfile = states(name, variant)[0].dockerfile
    declared = access_of(dockerfile, scenario.accesses, variant)
    assert bool(declared) == bool(scenario.accesses)


@pytest.mark.parametrize("profile", PROFILES, ids=lambda one: one.name)
@pytest.mark.parametrize(("name", "variant"), CASES)
def test_every_rebuild_is_predicted_and_its_orderings_are_ranked(
    name: str, variant: str, profile: Profile
) -> None:
    found = ranking(name, variant, profile)
    assert found.written.hits
    assert all(found.written.scored)
    assert found.best.expected_seconds <= found.written.expected_seconds


@pytest.mark.parametrize("profile", PROFILES, ids=lambda one: one.name)
def test_immovable_has_one_legal_ordering(profile: Profile) -> None:
    assert ranking("immovable", "as-written", profile).orderings.value == 1


@pytest.mark.parametrize("profile", PROFILES, ids=lambda one: one.name)
def test_nothing_is_better_than_already_optimal(profile: Profile) -> None:
    found = ranking("already-optimal", "as-written", profile)
    assert found.orderings.value > 1
    assert found.is_optimal
    assert found.best.expected_seconds == pytest.approx(found.written.expected_seconds)


@pytest.mark.parametrize("name", ["go-vendored", "c-make", "static-site"])
@pytest.mark.parametrize("profile", PROFILES, ids=lambda one: one.name)
def test_the_others_can_be_made_better_on_either_builder(name: str, profile: Profile) -> None:
    found = ranking(name, "as-written", profile)
    assert found.best.expected_seconds < found.written.expected_seconds


def test_an_argument_in_front_of_every_run_cannot_be_moved_behind_one() -> None:
    """A RUN sees it, so only a rewrite with a proof of its own helps where BuildKit builds."""
    classic, buildkit = (ranking("ci-labels", "as-written", one) for one in PROFILES)
    assert classic.best.expected_seconds < classic.written.expected_seconds
    assert buildkit.best.expected_seconds == buildkit.written.expected_seconds
    assert buildkit.best.hits == (0, 0, 0, 0, 0)


def test_they_hold_what_people_write() -> None:
    """Metadata of every kind among the instructions that build."""
    written = {
        instruction.keyword
        for name in NAMES
        for variant in application(name).variants
        for stage in states(name, variant.name)[0].dockerfile.stages
        for instruction in stage.instructions
    }
    names = "ARG CMD COPY ENTRYPOINT ENV EXPOSE FROM HEALTHCHECK LABEL RUN STOPSIGNAL USER VOLUME"
    assert {*names.split(), "WORKDIR"} <= written
