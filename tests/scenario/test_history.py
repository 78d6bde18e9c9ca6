"""The history of a folder: how often each file was changed, read from real repositories."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from bench.scenario.history import COMMITS, History, read_history
from tests.scenario.starting import commit, git, write

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch=main")
    return folder


def test_counts_are_the_commits_that_changed_each_file(repository: Path) -> None:
    commit(repository, ["a.py", "b.py"])
    commit(repository, ["a.py"])
    commit(repository, ["a.py", "c/d.py"])
    counts = Counter({"a.py": 3, "b.py": 1, "c/d.py": 1})
    assert read_history(repository) == History(3, counts)


def test_only_the_folder_itself_counts_and_paths_are_relative_to_it(repository: Path) -> None:
    commit(repository, ["shop/src/a.py", "other/b.py"])
    commit(repository, ["other/b.py"])
    history = read_history(repository / "shop")
    assert (history.commits, dict(history.counts)) == (1, {"src/a.py": 1})


def test_merges_are_skipped(repository: Path) -> None:
    commit(repository, ["a.py"])
    git(repository, "checkout", "--quiet", "-b", "side")
    commit(repository, ["b.py"])
    git(repository, "checkout", "--quiet", "main")
    commit(repository, ["a.py"])
    git(repository, "merge", "--quiet", "--no-ff", "--message", "merge", "side")
    history = read_history(repository)
    assert (history.commits, dict(history.counts)) == (3, {"a.py": 2, "b.py": 1})


def test_a_renamed_file_counts_anew_under_its_new_name(repository: Path) -> None:
    commit(repository, ["old.py"], "a long text that git would know again\n" * 20)
    git(repository, "mv", "old.py", "new.py")
    git(repository, "commit", "--quiet", "--message", "rename")
    assert read_history(repository).counts["new.py"] == 1


@pytest.mark.parametrize("name", ["a b.py", "q\"'.py", "ü한.py", "line\nbreak.py", "\ttab.py"])
def test_hostile_names_come_back_as_they_are(repository: Path, name: str) -> None:
    commit(repository, [name, "z.py"])
    commit(repository, [name])
    assert read_history(repository).counts == {name: 2, "z.py": 1}


def test_settings_of_the_repository_change_nothing(repository: Path) -> None:
    for setting in ("log.follow=true", "log.showRoot=false", "diff.renames=copies"):
        git(repository, "config", *setting.split("="))
    commit(repository, ["a.py"])
    commit(repository, ["a.py"])
    assert read_history(repository).counts == {"a.py": 2}


def test_only_the_last_commits_count(repository: Path) -> None:
    commit(repository, ["old.py"])
    for _ in range(COMMITS):
        commit(repository, ["a.py"])
    history = read_history(repository)
    assert (history.commits, dict(history.counts)) == (COMMITS, {"a.py": COMMITS})


def test_no_repository_or_no_commit_is_no_history(tmp_path: Path, repository: Path) -> None:
    for folder, says in (
        (write(tmp_path / "plain", {"a.py": ""}), "not a git repository"),
        (repository, "does not have any commits yet"),
    ):
        history = read_history(folder)
        assert (history.commits, dict(history.counts)) == (0, {})
        assert says in history.fault
