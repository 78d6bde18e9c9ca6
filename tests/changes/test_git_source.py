"""`git` brings the scratch copy to a commit and only reads the user's repository."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from bench.changes import Change, ChangeIds, SourceState, apply_change
from bench.changes.trees import Print, fingerprint
from bench.errors import ChangeError

if TYPE_CHECKING:
    from pathlib import Path

IDS = ChangeIds("1", 2000, 1, 1)


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=t", "-c", "user.email=t@t", "-c", "commit.gpgsign=false"]
    done = subprocess.run(
        ["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def commit(repository: Path, message: str) -> None:
    git(repository, "add", "-A", "--force", ":!untracked.txt", ":!app/untracked.txt")
    git(repository, "commit", "-qm", message)
    git(repository, "tag", message)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Three commits of a repository whose context is the folder ``app``."""
    root = tmp_path / "repo"
    app = root / "app"
    app.mkdir(parents=True)
    git(root, "init", "-q")
    (root / "README").write_text("outside of the context")
    (app / "Dockerfile").write_text("FROM one\n")
    (app / "same").write_text("same\n")
    (app / "edited").write_text("one\n")
    (app / "old" / "deep").mkdir(parents=True)
    (app / "old" / "deep" / "file").write_text("x")
    (app / "becomes-link").mkdir()
    (app / "becomes-link" / "x").write_text("x")
    (app / "script").write_text("#!/bin/sh\n")
    (app / ".gitattributes").write_text("edited export-subst\nsame export-ignore\n")
    commit(root, "one")
    (app / "Dockerfile").write_text("FROM two\n")
    (app / "edited").write_text("$Format:%H$\n")
    shutil.rmtree(app / "old")
    shutil.rmtree(app / "becomes-link")
    (app / "becomes-link").symlink_to("/etc")
    (app / "script").chmod(0o755)
    (app / "new folder").mkdir()
    (app / "new folder" / "\u00fc\n.txt").write_text("odd name")
    commit(root, "two")
    (root / "README").write_text("only outside of the context")
    commit(root, "three")
    (app / "untracked.txt").write_text("mine")
    return root


@pytest.fixture
def state(repository: Path, tmp_path: Path) -> SourceState:
    work = tmp_path / "work"
    shutil.copytree(repository / "app", work, symlinks=True)
    return SourceState(root=work, dockerfile="Dockerfile", source=repository / "app")


def check_out(state: SourceState, revision: str) -> None:
    apply_change(Change.model_validate({"name": "c", "steps": [{"git": revision}]}), state, IDS)


def seen(root: Path) -> dict[str, tuple[int, int, str]]:
    entries: dict[str, Print] = fingerprint(root)
    return {name: (one.kind, one.mode & 0o111, one.content) for name, one in entries.items()}


def test_context_becomes_that_commits_but_dockerfile_and_untracked_files_stay(
    state: SourceState, repository: Path, tmp_path: Path
) -> None:
    check_out(state, "one")
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", "-b", "one", str(repository), str(clone))
    wanted = seen(clone / "app")
    wanted["Dockerfile"] = seen(repository / "app")["Dockerfile"]
    wanted["untracked.txt"] = seen(repository / "app")["untracked.txt"]
    assert seen(state.root) == wanted
    assert (state.root / "Dockerfile").read_text() == "FROM two\n"


def test_going_back_and_forth_ends_where_it_began(state: SourceState, repository: Path) -> None:
    for revision in ("one", "two", "one", "three"):
        check_out(state, revision)
    assert seen(state.root) == seen(repository / "app")
    assert (state.root / "edited").read_text() == "$Format:%H$\n"


def test_files_that_only_another_commit_had_are_gone(state: SourceState) -> None:
    check_out(state, "one")
    assert (state.root / "old/deep/file").exists()
    check_out(state, "two")
    assert not (state.root / "old").exists()


def test_only_what_differs_is_written_and_moves_forward(state: SourceState) -> None:
    for name in ("same", "edited"):
        os.utime(state.root / name, ns=(10**9, 10**9))
    check_out(state, "one")
    assert (state.root / "same").stat().st_mtime_ns == 10**9
    assert (state.root / "edited").stat().st_mtime_ns > 10**9


def test_repository_is_left_exactly_as_it_was(state: SourceState, repository: Path) -> None:
    before = fingerprint(repository)
    check_out(state, "one")
    check_out(state, "HEAD")
    assert fingerprint(repository) == before


def test_folder_that_a_link_has_replaced_is_made_anew_not_followed(
    state: SourceState, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "x").write_text("precious")
    (state.root / "becomes-link").unlink()
    (state.root / "becomes-link").symlink_to(outside)
    check_out(state, "one")
    assert (outside / "x").read_text() == "precious"
    assert (state.root / "becomes-link" / "x").read_text() == "x"
    assert not (state.root / "becomes-link").is_symlink()


def test_commit_that_leaves_the_context_alone_changes_nothing(state: SourceState) -> None:
    with pytest.raises(ChangeError, match="changes nothing"):
        check_out(state, "three")


@pytest.mark.parametrize("revision", ["nope", "two:app/edited"])
def test_unknown_revision_is_an_error(state: SourceState, revision: str) -> None:
    with pytest.raises(ChangeError, match="git rev-parse failed") as caught:
        check_out(state, revision)
    assert "git repository" in caught.value.remedy


def test_context_outside_of_any_repository_is_an_error(tmp_path: Path) -> None:
    source = tmp_path / "plain"
    source.mkdir()
    state = SourceState(root=source, dockerfile="Dockerfile", source=source)
    with pytest.raises(ChangeError, match="not a git repository"):
        check_out(state, "HEAD")


def test_environment_of_another_repository_is_not_obeyed(
    state: SourceState, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    check_out(state, "one")
    assert (state.root / "edited").read_text() == "one\n"
