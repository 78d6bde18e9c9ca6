"""What each of the last commits changed of a build context, read from real repositories."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.commits import PathChangeKind, commit_history
from bench.errors import UsageError
from tests.commits.repositories import Repo


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return Repo(tmp_path / "repo")


def kinds(repo: Repo, context: str = ".", commits: int = 10) -> list[dict[str, str]]:
    """Return what each commit changed, oldest first."""
    history = commit_history(repo.folder, commits=commits, context=Path(context))
    return [{one.path: one.kind.value for one in commit.changes} for commit in history.commits]


def test_commits_come_oldest_first_with_the_paths_they_changed(repo: Repo) -> None:
    first = repo.commit("first", {"a": "1", "b": "1"})
    second = repo.commit("second: ünïcode\n\nand a body", {"a": "2"})
    history = commit_history(repo.folder, commits=5, context=repo.folder)

    assert [commit.id for commit in history.commits] == [first, second]
    assert [commit.subject for commit in history.commits] == ["first", "second: ünïcode"]
    assert history.commits[0].paths == {"a", "b"}
    assert history.counts == {"a": 2, "b": 1}
    assert second.startswith(history.commits[1].short)
    assert len(history.commits[1].short) < len(second)
    assert history.commits[1].title == f"{history.commits[1].short} second: ünïcode"


def test_a_merge_is_one_commit_with_all_that_came_in_by_it(repo: Repo) -> None:
    repo.commit("first", {"a": "1"})
    repo.git("checkout", "--quiet", "-b", "side")
    repo.commit("side 1", {"s": "1"})
    repo.commit("side 2", {"s": "2", "t": "1"})
    repo.git("checkout", "--quiet", "main")
    repo.commit("main", {"a": "2"})
    repo.git("merge", "--quiet", "--no-ff", "--message", "merge", "side")
    history = commit_history(repo.folder, commits=9, context=repo.folder)

    assert [commit.subject for commit in history.commits] == ["first", "main", "merge"]
    assert [commit.is_merge for commit in history.commits] == [False, False, True]
    assert history.commits[2].paths == {"s", "t"}
    assert history.counts == {"a": 2, "s": 1, "t": 1}


def test_a_merge_that_brings_nothing_to_the_context_is_no_commit_of_it(repo: Repo) -> None:
    repo.commit("first", {"app/a": "1"})
    repo.git("checkout", "--quiet", "-b", "side")
    repo.commit("side", {"doc": "1"})
    repo.git("checkout", "--quiet", "main")
    repo.commit("main", {"app/a": "2"})
    repo.git("merge", "--quiet", "--no-ff", "--message", "merge", "side")

    assert kinds(repo, "app") == [{"a": "added"}, {"a": "content"}]


def test_every_kind_of_change_is_told(repo: Repo) -> None:
    repo.commit("first", {"edit": "1", "move": "x\n" * 50, "mode": "1", "type": "1", "gone": "1"})
    (repo.folder / "mode").chmod(0o755)
    (repo.folder / "type").unlink()
    (repo.folder / "type").symlink_to("edit")
    (repo.folder / "gone").unlink()
    (repo.folder / "move").rename(repo.folder / "moved")
    repo.commit("second", {"edit": "2"})
    (repo.folder / "type").unlink()
    (repo.folder / "type").symlink_to("mode")
    repo.commit("third")

    assert kinds(repo)[1:] == [
        {
            "edit": "content",
            "gone": "deleted",
            "mode": "mode",
            "move": "deleted",
            "moved": "added",
            "type": "type",
        },
        {"type": "content"},
    ]


def test_a_submodule_is_told_as_such(repo: Repo, tmp_path: Path) -> None:
    other = Repo(tmp_path / "other")
    other.commit("one", {"x": "1"})
    repo.git("submodule", "--quiet", "add", str(other.folder), "lib")
    repo.commit("add lib")
    (found,) = kinds(repo)

    assert found["lib"] == PathChangeKind.SUBMODULE.value


def test_only_the_context_counts_and_its_paths_are_relative_to_it(repo: Repo) -> None:
    repo.commit("both", {"shop/src/a": "1", "other": "1", "shopping": "1"})
    repo.commit("other alone", {"other": "2", "shopping": "2"})
    expected = [{"src/a": "added"}]

    assert kinds(repo, "shop") == expected
    assert kinds(repo, str(repo.folder / "shop")) == expected


def test_names_and_settings_that_are_hostile_change_nothing(repo: Repo) -> None:
    for setting in ("log.follow=true", "log.showRoot=false", "diff.renames=copies"):
        repo.git("config", *setting.split("="))
    names = ["a b", "q\"'", "ü한", "line\nbreak", ":colon", "*"]
    repo.commit(":000000 \x02 odd", dict.fromkeys(names, "1"))

    assert kinds(repo) == [dict.fromkeys(sorted(names), "added")]


def test_the_last_commits_count_and_too_few_are_told(repo: Repo) -> None:
    for number in range(4):
        repo.commit(f"commit {number}", {"a": str(number)})
    last = commit_history(repo.folder, commits=2, context=repo.folder)
    all_of_them = commit_history(repo.folder, commits=9, context=repo.folder)

    assert [one.subject for one in last.commits] == ["commit 2", "commit 3"]
    assert last.notes == ()
    assert len(all_of_them.commits) == 4
    assert all_of_them.notes == ("only 4 commits touch the repository; 9 were asked for",)


def test_a_shallow_clone_ends_before_its_oldest_commit(repo: Repo, tmp_path: Path) -> None:
    for number in range(4):
        repo.commit(f"commit {number}", {"a": str(number), f"b{number}": ""})
    repo.git("clone", "--quiet", "--depth=3", f"file://{repo.folder}", str(tmp_path / "clone"))
    history = commit_history(tmp_path / "clone", commits=9, context=tmp_path / "clone")
    enough = commit_history(tmp_path / "clone", commits=2, context=tmp_path / "clone")

    assert [one.subject for one in history.commits] == ["commit 2", "commit 3"]
    assert "b0" not in history.counts
    assert "shallow clone" in history.notes[0]
    assert "git fetch --unshallow" in history.notes[0]
    assert enough.notes == ()


def test_a_bare_repository_is_read_too(repo: Repo, tmp_path: Path) -> None:
    repo.commit("first", {"app/a": "1"})
    repo.git("clone", "--quiet", "--bare", str(repo.folder), str(tmp_path / "bare.git"))
    history = commit_history(tmp_path / "bare.git", commits=3, context=Path("app"))

    assert history.commits[0].paths == {"a"}


def test_without_a_commit_the_history_is_empty(repo: Repo) -> None:
    history = commit_history(repo.folder, commits=3, context=repo.folder)

    assert history.commits == ()
    assert "no commit yet" in history.notes[0]


def test_no_repository_and_a_context_elsewhere_are_refused(repo: Repo, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"finds no repository.*name a folder of a git repository"):
        commit_history(tmp_path, commits=3, context=tmp_path)
    repo.commit("first", {"a": "1"})
    (tmp_path / "elsewhere").mkdir()
    with pytest.raises(UsageError, match="does not lie in the repository"):
        commit_history(repo.folder, commits=3, context=tmp_path / "elsewhere")


def test_what_is_not_committed_does_not_count(repo: Repo) -> None:
    repo.commit("first", {"a": "1"})
    repo.write({"a": "2", "new": ""})

    assert kinds(repo) == [{"a": "added"}]
