"""Recipes: what they stand for, and tags that follow their files."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

import pytest

from bench.bases.recipe import (
    INSTALL_SCRIPT,
    RECIPES,
    default_recipe,
    load_recipe,
    load_recipes,
    recipe_names,
    untagged,
)
from bench.errors import BaseImageError

if TYPE_CHECKING:
    from pathlib import Path

NAMES = recipe_names()


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """The packaged recipes, free to be changed."""
    return shutil.copytree(RECIPES, tmp_path / "recipes")


def tags(folder: Path) -> dict[str, str]:
    return {recipe.name: recipe.tag for recipe in load_recipes(folder)}


def changed_tags(folder: Path, before: dict[str, str]) -> set[str]:
    return {name for name, tag in tags(folder).items() if before[name] != tag}


def test_a_tag_is_the_recipe_name_and_a_hash_under_a_name_of_our_own() -> None:
    for recipe in load_recipes():
        assert re.fullmatch(rf"cachebench/standin-{recipe.name}:[0-9a-f]{{12}}", recipe.tag)


def test_copied_recipes_have_the_same_tags(copied: Path) -> None:
    """The hash is of the files, not of where they lie."""
    assert changed_tags(copied, tags(RECIPES)) == set()


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("node/package.json", {"node"}),
        ("node/bumped/package.json", {"node"}),
        ("python/requirements.txt", {"python"}),
        ("openjdk/Dockerfile", {"openjdk", "maven"}),
        ("base/strip.sh", set(NAMES) - {"busybox"}),
        (INSTALL_SCRIPT, set(NAMES) - {"base", "busybox"}),
    ],
)
def test_an_edited_file_changes_its_recipe_and_those_made_from_it(
    copied: Path, path: str, expected: set[str]
) -> None:
    before = tags(copied)
    with (copied / path).open("a") as file:
        file.write("\n")
    assert changed_tags(copied, before) == expected


def test_a_renamed_or_moved_byte_changes_the_hash(copied: Path) -> None:
    """File names and sizes are hashed too: content cannot slide from one file to the next."""
    before = tags(copied)
    (copied / "golang" / "packages.txt").rename(copied / "golang" / "packages.lst")
    assert changed_tags(copied, before) == {"golang"}


@pytest.mark.parametrize(
    ("image", "name"),
    [
        ("diamol/base", "base"),
        ("diamol/maven", "maven"),
        ("diamol/openjdk", "openjdk"),
        ("diamol/node:2e", "node"),
        ("docker.io/diamol/golang:latest", "golang"),
        ("busybox:1.36", "busybox"),
        ("python:3.11-slim", "python"),
        ("gcc:12", "gcc"),
        ("docker.io/library/busybox", "busybox"),
    ],
)
def test_well_known_images_have_a_stand_in(image: str, name: str) -> None:
    recipe = default_recipe(image)
    assert recipe is not None
    assert recipe.name == name


@pytest.mark.parametrize(
    "image",
    ["debian", "localhost:5000/diamol/base", "diamol/base-extra", f"busybox@sha256:{'0' * 64}"],
)
def test_other_images_and_exact_digests_have_none(image: str) -> None:
    assert default_recipe(image) is None


def test_a_registry_port_is_not_a_tag() -> None:
    assert untagged("localhost:5000/app") == "localhost:5000/app"
    assert untagged("localhost:5000/app:1") == "localhost:5000/app"


@pytest.mark.parametrize("name", ["mvn", "", "../base", "base/"])
def test_an_unknown_stand_in_is_refused_with_those_known(name: str) -> None:
    with pytest.raises(BaseImageError) as caught:
        load_recipe(name)
    assert f'"{name}"' in caught.value.message
    for known in NAMES:
        assert known in caught.value.remedy


def test_recipes_of_packages_are_complete() -> None:
    for recipe in load_recipes():
        if recipe.make == "packages":
            assert recipe.parent in NAMES
            assert recipe.packages
            assert "FROM ${INSTALLED}" in (recipe.folder / "Dockerfile").read_text()
        else:
            assert recipe.parent is None


def test_no_recipe_names_a_host() -> None:
    """Where packages come from is what the user's apt and npm are configured with."""
    for path in RECIPES.rglob("*"):
        if path.is_file():
            hosts = re.findall(r"https?://([^/\s\"]+)", path.read_text())
            assert set(hosts) <= {"maven.apache.org"}, path  # an XML namespace
