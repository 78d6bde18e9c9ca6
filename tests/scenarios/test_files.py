"""The shipped scenarios as files: they load, they are the notes', nothing is left undeclared."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import pytest

from bench.bases import recipe_names
from bench.changes import ChangeIds, SourceState, apply_change
from bench.dockerfile import external_images, matches, parse
from bench.scenario import dockerfile_text
from bench.workspace import Workspace
from tests.scenarios.notes import DOCKERFILES
from tests.scenarios.shipped import FOLDER, NAMES, shipped

if TYPE_CHECKING:
    from pathlib import Path

    from bench.dockerfile import Instruction
    from bench.scenario import Expect, Scenario

BUILDERS = ("classic", "buildkit")
WITH_VERTEX = frozenset({"RUN", "COPY", "ADD", "WORKDIR"})
"""What BuildKit scores; the classic builder scores everything but FROM."""
LEAVES_THE_SAME = {"none", "touch-only"}


def text_of(scenario: Scenario, variant: str) -> str:
    return dockerfile_text(scenario, scenario.variant(variant))


def test_every_folder_is_a_scenario_that_is_tested_here() -> None:
    assert tuple(sorted(one.name for one in FOLDER.iterdir() if one.is_dir())) == NAMES


@pytest.mark.parametrize("name", DOCKERFILES)
def test_the_dockerfile_of_the_notes_is_kept_to_the_byte(name: str) -> None:
    file = FOLDER / name / "Dockerfile"
    assert file.read_bytes() == DOCKERFILES[name].encode()
    assert text_of(shipped(name), "as-written") == DOCKERFILES[name]


@pytest.mark.parametrize("name", NAMES)
def test_title_and_question_are_there_in_english_and_korean(name: str) -> None:
    scenario = shipped(name)
    assert scenario.title != name
    assert scenario.question.endswith("?")
    assert scenario.title_in("ko") != scenario.title
    assert scenario.question_in("ko").endswith("?")
    assert scenario.question_in("ko") != scenario.question


@pytest.mark.parametrize("name", NAMES)
def test_every_variant_change_and_builder_has_exactly_one_expectation(name: str) -> None:
    scenario = shipped(name)
    variants = [one.name for one in scenario.variants]
    changes = [one.name for one in scenario.changes]
    for variant, change, builder in product(variants, changes, BUILDERS):
        fitting = [
            one
            for one in scenario.expects
            if (one.variant, one.change) == (variant, change) and one.builder in {None, builder}
        ]
        assert len(fitting) == 1, f"{variant} / {change} / {builder}: {len(fitting)}"


@pytest.mark.parametrize("name", NAMES)
def test_every_expectation_is_exact_and_names_steps_that_the_builder_scores(name: str) -> None:
    scenario = shipped(name)
    for expect in scenario.expects:
        assert expect.miss is not None
        assert expect.hit is None
        for reference in expect.miss:
            named = named_instructions(scenario, expect, reference)
            assert named, f"{expect.variant} / {expect.change}: {reference} names nothing"
            if expect.builder != "classic":
                # One expectation for both builders must name nothing that only one of them scores.
                assert {one.keyword for one in named} <= WITH_VERTEX


def named_instructions(scenario: Scenario, expect: Expect, reference: str) -> list[Instruction]:
    label, _, beginning = reference.partition(":")
    stages = parse(text_of(scenario, expect.variant)).stages
    [stage] = [one for one in stages if label in {one.name, str(one.index)}]
    return [one for one in stage.instructions[1:] if matches(one, beginning)]


@pytest.mark.parametrize("name", NAMES)
def test_every_change_can_be_applied_and_is_new_in_every_round(name: str, tmp_path: Path) -> None:
    """Content that was built before would hit in the second round, whatever the expectation."""
    scenario = shipped(name)
    for variant in scenario.variants:
        workspace = Workspace.create(
            scenario.context,
            tmp_path / variant.name,
            dockerfile_text=dockerfile_text(scenario, variant),
            dockerfile_path="Dockerfile",
        )
        for change in scenario.changes:
            seen = []
            for number in range(3):
                apply_change(change, state_of(scenario, workspace), ids(number))
                seen.append(fingerprint(workspace))
                workspace.reset()
            alone = len({*seen, fingerprint(workspace)})
            assert alone == (1 if change.name in LEAVES_THE_SAME else 4), change.name


def state_of(scenario: Scenario, workspace: Workspace) -> SourceState:
    return SourceState(
        root=workspace.root,
        dockerfile="Dockerfile",
        source=scenario.context,
        pristine=workspace.pristine,
        scenario=scenario.directory,
    )


def ids(number: int) -> ChangeIds:
    return ChangeIds(id=f"{number:012x}", port=2000 + number, n=number, round=number)


def fingerprint(workspace: Workspace) -> tuple[tuple[str, int, str | None], ...]:
    """What the builders hash: everything but the time."""
    return tuple((path, entry.mode, entry.sha256) for path, entry in workspace.manifest().items())


@pytest.mark.parametrize("name", NAMES)
def test_every_base_image_has_a_recipe_to_stand_in_for_it(name: str) -> None:
    scenario = shipped(name)
    for variant in scenario.variants:
        for use in external_images(parse(dockerfile_text(scenario, variant))):
            assert scenario.bases[use.image].standin in recipe_names()


def test_java_metadata_first_moves_two_lines_and_changes_none() -> None:
    moved = text_of(shipped("java-iotd"), "metadata-first")
    written = DOCKERFILES["java-iotd"]
    assert sorted(moved.splitlines()) == sorted(written.splitlines())
    keywords = [one.keyword for one in parse(moved).stages[1].instructions]
    assert keywords == ["FROM", "EXPOSE", "ENTRYPOINT", "WORKDIR", "COPY"]


def test_java_copy_all_lacks_the_first_copy_and_nothing_else() -> None:
    builder = parse(text_of(shipped("java-iotd"), "copy-all")).stages[0]
    assert [one.text for one in builder.instructions[1:]] == [
        "WORKDIR /usr/src/iotd",
        "COPY . .",
        "RUN mvn -B dependency:go-offline",
        "RUN mvn package",
    ]


def test_java_has_no_dockerignore_so_that_copy_all_takes_the_readme_and_the_dockerfile() -> None:
    context = shipped("java-iotd").context
    assert not (context / ".dockerignore").exists()
    assert (context / "README.md").is_file()


def test_node_the_two_test_stages_differ_in_where_the_image_takes_its_source_from() -> None:
    scenario = shipped("node-access-log")
    pairs = zip(
        text_of(scenario, "test-chained").splitlines(),
        text_of(scenario, "test-aside").splitlines(),
        strict=True,
    )
    assert [pair for pair in pairs if pair[0] != pair[1]] == [
        ("COPY --from=test /src/app/ .", "COPY src/ .")
    ]


def test_go_env_late_has_the_same_lines() -> None:
    late = text_of(shipped("go-gallery"), "env-late")
    assert sorted(late.split()) == sorted(DOCKERFILES["go-gallery"].split())
    assert parse(late).stages[1].instructions[-1].keyword == "ENV"


def test_the_file_of_both_images_holds_the_two_dockerfiles_unchanged() -> None:
    scenario = shipped("dev-and-deploy")
    both = text_of(scenario, "one-file")
    assert text_of(scenario, "deploy") in both
    assert text_of(scenario, "dev").replace("golang\n", "golang AS dev\n", 1) in both
