"""Commits become few weighted changes: by the steps that take in what they changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bench.cache_model import History, Predicted, find_profile, predict
from bench.changes import ChangeIds, SourceState, apply_change
from bench.commits import (
    WeightedChange,
    as_change,
    as_changes,
    commit_history,
    ignore_rules,
    weighted_changes,
)
from bench.predicting import read_state
from bench.workspace import ClientRule, Workspace
from tests.commits.repositories import Repo

if TYPE_CHECKING:
    from pathlib import Path

PROFILES = (find_profile("classic"), find_profile("buildkit"))
DOCKERFILE = """\
FROM busybox
WORKDIR /app
COPY list.txt .
RUN cat list.txt > deps
COPY src/ src/
RUN cat src/* > out
"""
FILES = {
    "Dockerfile": DOCKERFILE,
    ".dockerignore": "docs\n.git\n**/*.log\n",
    "list.txt": "a\n",
    "src/a.sh": "1\n",
    "src/b.sh": "1\n",
    "README.md": "1\n",
}


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    made = Repo(tmp_path / "repo")
    made.commit("first", FILES)
    return made


def weigh(repo: Repo, commits: int) -> list[WeightedChange]:
    dockerfile = repo.folder / "Dockerfile"
    return weighted_changes(
        commit_history(repo.folder, commits=commits, context=repo.folder),
        read_state(dockerfile, repo.folder, list(ClientRule)),
        PROFILES,
        rules=ignore_rules(repo.folder, dockerfile),
    )


def missed(repo: Repo, change: WeightedChange, builder: str) -> list[str]:
    """Return the steps that miss after a change, by what they do."""
    profile = find_profile(builder)
    before = read_state(repo.folder / "Dockerfile", repo.folder, list(ClientRule))
    first = predict(before.input_for(profile), profile, History())
    history = History()
    history.add(first, {one.place: "miss" for one in first.decisions})
    after = predict(change.state.input_for(profile), profile, history)
    return [one.text for one in after.decisions if one.outcome is not Predicted.HIT][1:]


def test_commits_are_one_change_where_the_same_steps_take_them_in(repo: Repo) -> None:
    repo.commit("src", {"src/a.sh": "2\n"})
    repo.commit("src again", {"src/b.sh": "2\n", "src/a.sh": "3\n"})
    repo.commit("list", {"list.txt": "b\n"})
    repo.commit("readme", {"README.md": "2\n"})
    found = weigh(repo, 4)

    assert [(one.name, one.weight) for one in found] == [
        ("edit src/ (2 of 4 commits)", 0.5),
        ("edit list.txt (1 of 4 commits)", 0.25),
        ("edit nothing that a step takes in (1 of 4 commits)", 0.25),
    ]
    assert sum(one.weight for one in found) == 1
    assert [edit.path for edit in found[0].edits] == ["src/a.sh"]


@pytest.mark.parametrize("builder", ["classic", "buildkit"])
def test_the_state_after_a_change_misses_what_the_commits_missed(repo: Repo, builder: str) -> None:
    repo.commit("src", {"src/a.sh": "2\n"})
    repo.commit("list", {"list.txt": "b\n"})
    repo.commit("docs", {"docs/x": "1"})
    by_name = {one.commits[0].subject: one for one in weigh(repo, 3)}

    assert missed(repo, by_name["src"], builder) == ["COPY src/ src/", "RUN cat src/* > out"]
    assert missed(repo, by_name["list"], builder)[0] == "COPY list.txt ."
    assert missed(repo, by_name["docs"], builder) == []


def test_ignored_paths_change_nothing_there_or_gone(repo: Repo) -> None:
    repo.commit("docs", {"docs/x": "1"})
    repo.commit("log", {"src/x.log": "1"})
    (repo.folder / "docs/x").unlink()
    (repo.folder / "src/x.log").unlink()
    repo.commit("both gone")
    (found,) = weigh(repo, 3)

    assert found.name == "edit nothing that a step takes in (3 of 3 commits)"
    assert found.edits == ()


def test_a_file_that_came_and_went_strikes_what_its_folder_strikes(repo: Repo) -> None:
    repo.commit("came", {"src/c.sh": "1"})
    (repo.folder / "src/c.sh").unlink()
    repo.commit("went")
    (found,) = weigh(repo, 2)

    assert found.name == "edit src/c.sh (2 of 2 commits)"
    assert [(edit.path, edit.is_new) for edit in found.edits] == [("src/c.sh", True)]
    assert missed(repo, found, "buildkit") == ["COPY src/ src/", "RUN cat src/* > out"]


def test_a_rename_a_mode_and_a_link_strike_too(repo: Repo) -> None:
    (repo.folder / "src/a.sh").rename(repo.folder / "src/c.sh")
    repo.commit("rename")
    (repo.folder / "src/b.sh").chmod(0o755)
    repo.commit("mode")
    (repo.folder / "src/link").symlink_to("b.sh")
    repo.commit("link")
    (repo.folder / "src/link").unlink()
    (repo.folder / "src/link").symlink_to("c.sh")
    repo.commit("link elsewhere")
    (found,) = weigh(repo, 4)

    assert found.name == "edit src/ (4 of 4 commits)"


def test_a_folder_that_was_a_file_and_a_file_that_was_a_folder_strike(repo: Repo) -> None:
    repo.commit("file", {"src/d": "1"})
    (repo.folder / "src/d").unlink()
    repo.commit("folder", {"src/d/e": "1"})
    (repo.folder / "src/d/e").unlink()
    (repo.folder / "src/d").rmdir()
    repo.commit("file again", {"src/d": "2"})
    found = weigh(repo, 3)

    assert [one.name for one in found] == ["edit src/d (3 of 3 commits)"]


def test_a_submodule_without_files_in_the_context_changes_nothing(
    repo: Repo, tmp_path: Path
) -> None:
    other = Repo(tmp_path / "other")
    other.commit("one", {"x": "1"})
    repo.git("submodule", "--quiet", "add", "--", str(other.folder), "src/lib")
    repo.git("config", "--file", ".gitmodules", "x.y", "1")
    repo.commit("lib")
    (with_files,) = weigh(repo, 1)
    repo.git("submodule", "--quiet", "deinit", "--force", "src/lib")
    (without,) = weigh(repo, 1)

    assert with_files.name == "edit src/lib/ (1 of 1 commits)"
    assert without.name == "edit nothing that a step takes in (1 of 1 commits)"


def test_another_dockerfile_of_the_context_tells_commits_apart(repo: Repo, tmp_path: Path) -> None:
    repo.commit("src", {"src/a.sh": "2\n"})
    repo.commit("list", {"list.txt": "b\n"})
    whole = tmp_path / "Dockerfile"
    whole.write_text("FROM busybox\nCOPY . .\nRUN ls\n")
    clients = list(ClientRule)
    history = commit_history(repo.folder, commits=2, context=repo.folder)
    base = read_state(whole, repo.folder, clients)
    other = read_state(repo.folder / "Dockerfile", repo.folder, clients)
    rules = ignore_rules(repo.folder, whole)

    assert len(weighted_changes(history, base, PROFILES, rules=rules)) == 1
    found = weighted_changes(history, base, PROFILES, rules=rules, others=[other])
    assert len(found) == 2
    assert all(one.state.dockerfile is base.dockerfile for one in found)


def test_git_s_own_folder_changes_at_every_commit_where_it_is_sent(repo: Repo) -> None:
    repo.commit("send it", {".dockerignore": "docs\n", "Dockerfile": "FROM busybox\nCOPY . .\n"})
    repo.commit("docs", {"docs/x": "1"})
    (found,) = weigh(repo, 1)

    assert [edit.path for edit in found.edits] == [".git/logs/HEAD"]
    assert missed(repo, found, "buildkit") == ["COPY . ."]
    change = as_change(found, repo.folder)
    assert [step.operation for step in change.steps] == ["write"]


def test_no_commits_give_no_changes(tmp_path: Path) -> None:
    empty = Repo(tmp_path / "empty")
    empty.write(FILES)

    assert weigh(empty, 3) == []


def test_a_change_can_be_made_for_real_and_strikes_the_same_files(
    repo: Repo, tmp_path: Path
) -> None:
    repo.commit("src", {"src/a.sh": "2\n", "src/c.sh": "1\n"})
    repo.commit("list", {"list.txt": "b\n"})
    repo.commit("readme", {"docs/y": "2\n"})
    (repo.folder / "src/c.sh").unlink()
    repo.commit("gone")
    changes = as_changes(weigh(repo, 4), repo.folder)
    workspace = Workspace.create(
        repo.folder, tmp_path / "scratch", dockerfile_text=DOCKERFILE, dockerfile_path="Dockerfile"
    )
    state = SourceState(root=workspace.root, dockerfile="Dockerfile", source=repo.folder)
    pristine = workspace.manifest()
    seen = {}
    for number, change in enumerate(changes):
        before = workspace.manifest()
        apply_change(change, state, ChangeIds(f"id{number}", 8080, number, 0))
        again = workspace.manifest()
        apply_change(change, state, ChangeIds(f"again{number}", 8081, number, 1))
        seen[change.name] = again.diff(before).paths
        assert bool(workspace.manifest().diff(again).paths) is bool(seen[change.name])
        workspace.reset()
    assert workspace.manifest().diff(pristine).is_empty

    assert {change.name: change.weight for change in changes} == {
        "edit-src": 2,
        "edit-list-txt": 1,
        "edit-nothing-that-a-step-takes-in": 1,
    }
    assert seen["edit-list-txt"] == {"list.txt"}
    assert seen["edit-src"] >= {"src/c.sh"}
    assert seen["edit-nothing-that-a-step-takes-in"] == set()


def test_changes_of_one_name_are_told_apart(repo: Repo, tmp_path: Path) -> None:
    text = "FROM busybox\nCOPY a* x/\nCOPY b* x/\n"
    dockerfile = tmp_path / "Dockerfile"
    dockerfile.write_text(text)
    repo.commit("a", {"a/x": "", "a-b": ""})
    repo.commit("a", {"a_b": ""})
    found = weighted_changes(
        commit_history(repo.folder, commits=2, context=repo.folder),
        read_state(dockerfile, repo.folder, list(ClientRule)),
        PROFILES,
        rules=ignore_rules(repo.folder, dockerfile),
    )
    names = [change.name for change in as_changes(found, repo.folder)]

    assert len(names) == len(set(names))
