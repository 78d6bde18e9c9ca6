"""A variant's Dockerfile: where it is found, its text, its place in the scratch copy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bench.dockerfile import parse
from bench.errors import DockerfileError
from bench.scenario import (
    Reorder,
    Scenario,
    Variant,
    dockerfile_file,
    dockerfile_place,
    dockerfile_text,
    load_scenario,
)
from tests.scenario.conftest import BODY, DOCKERFILE, HEAD

if TYPE_CHECKING:
    from pathlib import Path


def test_file_beside_the_scenario_is_placed_at_the_contexts_root(folder: Path) -> None:
    scenario = load_scenario(folder)
    variant = scenario.variant("as-written")
    assert dockerfile_text(scenario, variant) == DOCKERFILE
    assert dockerfile_place(scenario, variant) == "Dockerfile"
    assert dockerfile_file(scenario, variant) == folder.resolve() / "Dockerfile"


@pytest.mark.parametrize("written", ["docker/Web.Dockerfile", "app/docker/Web.Dockerfile"])
def test_file_inside_the_context_keeps_its_place(folder: Path, written: str) -> None:
    (folder / "app" / "docker").mkdir()
    (folder / "app" / "docker" / "Web.Dockerfile").write_text(DOCKERFILE)
    text = (HEAD + BODY).replace('dockerfile = "Dockerfile"', f'dockerfile = "{written}"')
    (folder / "scenario.toml").write_text(text, encoding="utf-8")
    scenario = load_scenario(folder)
    for variant in scenario.variants:
        assert dockerfile_place(scenario, variant) == "docker/Web.Dockerfile"


def test_scenario_folder_comes_before_the_context(folder: Path) -> None:
    (folder / "app" / "Dockerfile").write_text("FROM other\n")
    scenario = load_scenario(folder)
    assert dockerfile_text(scenario, scenario.variants[0]) == DOCKERFILE


def test_context_reached_through_a_symlink_still_counts_as_the_context(folder: Path) -> None:
    (folder / "app").rename(folder / "real")
    (folder / "app").symlink_to("real")
    (folder / "Dockerfile").rename(folder / "real" / "My.Dockerfile")
    text = (HEAD + BODY).replace('dockerfile = "Dockerfile"', 'dockerfile = "My.Dockerfile"')
    (folder / "scenario.toml").write_text(text, encoding="utf-8")
    scenario = load_scenario(folder)
    assert dockerfile_place(scenario, scenario.variants[0]) == "My.Dockerfile"


def test_reorder_moves_the_instructions_of_the_other_variant(folder: Path) -> None:
    scenario = load_scenario(folder)
    text = dockerfile_text(scenario, scenario.variant("metadata-first"))
    keywords = [one.keyword for one in parse(text).stages[1].instructions]
    assert keywords == ["FROM", "EXPOSE", "ENTRYPOINT", "WORKDIR", "COPY"]


@pytest.mark.parametrize(
    ("place", "keywords"),
    [
        ({"after": "FROM"}, ["FROM", "EXPOSE", "ENTRYPOINT", "WORKDIR", "COPY"]),
        ({"after": "WORKDIR"}, ["FROM", "WORKDIR", "EXPOSE", "ENTRYPOINT", "COPY"]),
        ({"before": "COPY"}, ["FROM", "WORKDIR", "EXPOSE", "ENTRYPOINT", "COPY"]),
        ({}, ["FROM", "EXPOSE", "ENTRYPOINT", "WORKDIR", "COPY"]),
    ],
)
def test_reorder_puts_them_before_or_after_and_before_workdir_where_neither_is_given(
    folder: Path, place: dict[str, str], keywords: list[str]
) -> None:
    scenario = load_scenario(folder)
    step = Reorder(of="as-written", stage=1, move=("EXPOSE", "ENTRYPOINT"), **place)
    moved = Variant(name="moved", reorder=step)
    extended = scenario.model_copy(update={"variants": (*scenario.variants, moved)})
    stage = parse(dockerfile_text(extended, moved)).stages[1]
    assert [one.keyword for one in stage.instructions] == keywords


def test_reorder_of_a_reorder_applies_both_in_order(folder: Path) -> None:
    scenario = load_scenario(folder)
    step = Reorder(of="metadata-first", stage="1", move=("ENTRYPOINT",), before="EXPOSE")
    second = Variant(name="second", reorder=step)
    extended = scenario.model_copy(update={"variants": (*scenario.variants, second)})
    keywords = [
        one.keyword for one in parse(dockerfile_text(extended, second)).stages[1].instructions
    ]
    assert keywords == ["FROM", "ENTRYPOINT", "EXPOSE", "WORKDIR", "COPY"]


def test_line_ends_are_kept(folder: Path) -> None:
    (folder / "Dockerfile").write_bytes(DOCKERFILE.replace("\n", "\r\n").encode())
    scenario = load_scenario(folder)
    assert dockerfile_text(scenario, scenario.variants[0]).count("\r\n") == DOCKERFILE.count("\n")


def test_file_that_went_away_after_loading_is_an_error(folder: Path) -> None:
    scenario: Scenario = load_scenario(folder)
    (folder / "Dockerfile").unlink()
    with pytest.raises(DockerfileError, match="there is no file 'Dockerfile'"):
        dockerfile_text(scenario, scenario.variants[0])


def test_unknown_and_circular_sources_are_errors(folder: Path) -> None:
    scenario = load_scenario(folder)
    for of, message in (("nope", "names no variant"), ("self", "in a circle")):
        variant = Variant(name="self", reorder=Reorder(of=of, stage=1, move=("EXPOSE",)))
        extended = scenario.model_copy(update={"variants": (*scenario.variants, variant)})
        with pytest.raises(DockerfileError, match=message):
            dockerfile_text(extended, variant)
