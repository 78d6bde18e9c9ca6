"""``bench bases`` on the command line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from bench.bases.recipe import load_recipe, recipe_names
from bench.cli.bases import bases
from bench.errors import BaseImageError, UsageError

if TYPE_CHECKING:
    import docker


@pytest.mark.parametrize("command", ["build", "remove"])
@pytest.mark.parametrize("arguments", [[], ["busybox", "--all"]])
def test_names_or_all_must_be_given_but_not_both(command: str, arguments: list[str]) -> None:
    result = CliRunner().invoke(bases, [command, *arguments])
    assert isinstance(result.exception, UsageError)
    assert "there are base, busybox" in result.exception.remedy


def test_an_unknown_name_is_refused_before_any_engine_is_asked() -> None:
    arguments = ["build", "cobol", "--engine-host", "tcp://127.0.0.1:1"]
    result = CliRunner().invoke(bases, arguments)
    assert isinstance(result.exception, BaseImageError)
    assert 'no stand-in called "cobol"' in result.exception.message


@pytest.mark.engine
def test_build_prints_the_tag_and_list_shows_it_as_present(
    engine_client: docker.DockerClient,
) -> None:
    busybox = load_recipe("busybox")
    built = CliRunner().invoke(bases, ["build", "busybox"])
    assert built.stdout == f"{busybox.tag}\n"
    listed = CliRunner().invoke(bases, ["list", "--json"])
    rows = {row["name"]: row for row in json.loads(listed.stdout)}
    assert tuple(rows) == recipe_names()
    assert rows["busybox"]["present"] is True
    assert rows["busybox"]["stands_for"] == ["busybox"]
    assert rows["busybox"]["image_id"] == engine_client.images.get(busybox.tag).id
    table = CliRunner().invoke(bases, ["list"])
    assert busybox.tag in table.stdout
