"""A Dockerfile and a context as a docker client would send them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bench.errors import BenchError, UsageError
from bench.explain.states import Place, parse_dockerfile, read_state
from bench.workspace import ClientRule
from bench.workspace.manifest import EntryIndex
from tests.explain.repositories import write

if TYPE_CHECKING:
    from pathlib import Path

FILES = {"Dockerfile": "FROM busybox\nCOPY . .\n", "a.txt": "a", "b.md": "b"}


def paths(dockerfile: Path, context: Path, client: ClientRule = ClientRule.BUILDKIT) -> list[str]:
    place = Place.of(dockerfile, context)
    return list(read_state(place, "now", client, EntryIndex(context)).manifest)


def test_a_dockerfile_in_the_context_is_part_of_it(tmp_path: Path) -> None:
    write(tmp_path, FILES)

    assert Place.of(tmp_path / "Dockerfile", tmp_path).inside == "Dockerfile"
    assert paths(tmp_path / "Dockerfile", tmp_path) == ["Dockerfile", "a.txt", "b.md"]


@pytest.mark.parametrize("client", ClientRule)
def test_an_ignored_dockerfile_is_sent_but_copied_by_nothing(
    tmp_path: Path, client: ClientRule
) -> None:
    write(tmp_path, {**FILES, ".dockerignore": "Dockerfile\n.dockerignore\n"})

    assert paths(tmp_path / "Dockerfile", tmp_path, client) == ["a.txt", "b.md"]


def test_a_dockerfile_outside_is_no_part_of_the_context(tmp_path: Path) -> None:
    write(tmp_path, {"web.Dockerfile": FILES["Dockerfile"], "app/a.txt": "a", "app/b.md": "b"})
    place = Place.of(tmp_path / "web.Dockerfile", tmp_path / "app")

    assert place.inside is None
    assert paths(tmp_path / "web.Dockerfile", tmp_path / "app") == ["a.txt", "b.md"]


def test_the_ignore_file_beside_an_outside_dockerfile_is_buildkit_s_alone(tmp_path: Path) -> None:
    write(tmp_path, {"web.Dockerfile": FILES["Dockerfile"], "app/a.txt": "a", "app/b.md": "b"})
    write(tmp_path, {"web.Dockerfile.dockerignore": "*.md\n"})

    assert paths(tmp_path / "web.Dockerfile", tmp_path / "app") == ["a.txt"]
    classic = paths(tmp_path / "web.Dockerfile", tmp_path / "app", ClientRule.CLASSIC)
    assert classic == ["a.txt", "b.md"]


def test_where_a_dockerfile_stands_counts_not_what_it_links_to(tmp_path: Path) -> None:
    write(tmp_path, {"shared/Dockerfile": FILES["Dockerfile"], "app/a.txt": "a"})
    (tmp_path / "app/Dockerfile").symlink_to("../shared/Dockerfile")
    (tmp_path / "link").symlink_to("app")

    assert Place.of(tmp_path / "app/Dockerfile", tmp_path / "link").inside == "Dockerfile"


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    write(tmp_path, FILES)

    with pytest.raises(UsageError, match="context is not a folder"):
        Place.of(tmp_path / "Dockerfile", tmp_path / "a.txt")
    with pytest.raises(UsageError, match="no such Dockerfile"):
        Place.of(tmp_path / "Web", tmp_path)


def test_a_dockerfile_from_elsewhere_is_named_in_errors() -> None:
    assert parse_dockerfile(b"\xef\xbb\xbfFROM a\n", "D at one").stages[0].base == "a"
    with pytest.raises(UsageError, match="D at one: is no UTF-8 text"):
        parse_dockerfile(b"FROM \xff\n", "D at one")
    with pytest.raises(BenchError, match="D at one:1: unknown instruction"):
        parse_dockerfile(b"FRUM a\n", "D at one")
