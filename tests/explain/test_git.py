"""Repositories are read as they are, whatever is odd about them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bench.errors import UsageError
from bench.explain.git import Blob, Repository, has_content
from tests.explain.repositories import commit, git, make_repository, write

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    return make_repository(tmp_path / "shop")


def test_paths_are_relative_to_the_folder(shop: Path) -> None:
    write(shop, {"src/deep/new.txt": "x"})
    repository = Repository(shop / "src")

    assert repository.files(repository.commit("one")).keys() == {"App.java"}
    assert repository.index().files.keys() == {"App.java"}
    assert repository.untracked() == {"deep/new.txt"}
    assert (repository.top, repository.prefix) == (str(shop), "src")


def test_any_name_of_a_commit_will_do(shop: Path) -> None:
    repository = Repository(shop)
    full = git(shop, "rev-parse", "HEAD")

    for name in ("HEAD", "one", full, full[:8], "HEAD^{}", "@"):
        assert repository.commit(name) == full
    assert repository.head() == full
    assert full.startswith(repository.short(full))


def test_a_file_anywhere_in_the_repository_is_read(shop: Path) -> None:
    repository = Repository(shop / "src")
    first = repository.commit("one")

    assert repository.file(first, shop / "README.md") == b"# Shop\n"
    assert repository.file(first, shop / "src/../run.sh") == b"#!/bin/sh\n"
    assert repository.file(first, shop / "nothing") is None
    assert repository.holds(shop / "README.md")
    assert not repository.holds(shop.parent / "README.md")


def test_contents_come_in_the_order_they_are_asked_for(shop: Path) -> None:
    repository = Repository(shop)
    files = repository.files(repository.commit("one"))
    names = ("run.sh", "README.md", "run.sh")

    assert list(repository.contents([files[name] for name in names])) == [
        b"#!/bin/sh\n",
        b"# Shop\n",
        b"#!/bin/sh\n",
    ]


def test_a_file_is_held_against_the_id_of_its_content(shop: Path) -> None:
    blob = Repository(shop).index().files["README.md"]

    assert has_content(shop / "README.md", blob)
    assert not has_content(shop / "run.sh", blob)


def test_a_repository_of_longer_ids(tmp_path: Path) -> None:
    root = tmp_path / "long"
    root.mkdir()
    git(root, "init", "-q", "--object-format=sha256")
    write(root, {"a": "x"})
    commit(root, "one")

    blob = Repository(root).index().files["a"]
    assert len(blob.oid) == 64
    assert has_content(root / "a", blob)


def test_a_repository_without_commits_has_no_head(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")

    assert Repository(tmp_path).head() is None
    with pytest.raises(UsageError, match="there is no revision 'HEAD'"):
        Repository(tmp_path).commit("HEAD")


def test_what_a_partial_clone_lacks_is_not_fetched(
    shop: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    write(shop, {"README.md": "# Other\n"})
    commit(shop, "two")
    git(shop, "config", "uploadpack.allowFilter", "true")
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", "--filter=blob:none", f"file://{shop}", str(clone))
    repository = Repository(clone)
    old = repository.files(repository.commit("one"))["README.md"]

    with pytest.raises(UsageError, match=f"git has no content for {old.oid}") as caught:
        list(repository.contents([old]))
    assert "whole history" in caught.value.remedy
    assert capfd.readouterr().err == ""


def test_a_content_that_is_nowhere_is_an_error(shop: Path) -> None:
    with pytest.raises(UsageError, match="git has no content for 0000"):
        list(Repository(shop).contents([Blob("100644", "0" * 40)]))


def test_without_git_the_remedy_is_to_install_it(
    shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")

    with pytest.raises(UsageError, match="git cannot be run") as caught:
        Repository(shop)
    assert caught.value.remedy == "install git"
