"""The scratch copy becomes each commit, whatever lies between two of them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from bench.replaying import Wanted, survey
from bench.replaying.tree import CommitTree
from tests.commits.repositories import Repo

if TYPE_CHECKING:
    from pathlib import Path

    from bench.replaying import ReplaySource
    from bench.replaying.source import Step


def check_out(source: ReplaySource, tree: CommitTree, step: Step) -> dict[str, tuple[str, str]]:
    """Bring the tree to a commit; return kind and content of everything in it."""
    text = source.dockerfile(source.recipes[0], step)
    assert text is not None
    tree.check_out(step, text)
    found = {}
    for path, entry in tree.workspace.manifest().items():
        file = tree.workspace.root / path
        if entry.type == "symlink":
            found[path] = ("link", str(file.readlink()))
        elif entry.type == "file":
            found[path] = (f"{entry.mode:o}", file.read_text())
    return found


def test_every_step_back_and_forth_gives_the_files_of_the_commit(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "repo")
    outside = tmp_path / "outside"
    outside.mkdir()
    text = "FROM a\n"
    repo.commit("one", {"Dockerfile": text, "x": "1", "d/e/f": "1", "run": "1", "l": "1"})
    (repo.folder / "x").unlink()
    (repo.folder / "d/e/f").unlink()
    os.removedirs(repo.folder / "d/e")
    (repo.folder / "run").chmod(0o755)
    (repo.folder / "l").unlink()
    (repo.folder / "l").symlink_to(outside)
    repo.commit("two", {"x/y": "2", "d": "2", "Dockerfile": text + "RUN x\n"})
    (repo.folder / "l").unlink()
    repo.commit("three", {"l/z": "3"})
    source = survey(repo.folder, Wanted())
    tree = CommitTree(source, source.recipes[0], tmp_path / "scratch")
    one, two, three = source.steps
    first = check_out(source, tree, one)
    second = check_out(source, tree, two)
    third = check_out(source, tree, three)

    assert first == {
        "Dockerfile": ("644", text),
        "d/e/f": ("644", "1"),
        "l": ("644", "1"),
        "run": ("644", "1"),
        "x": ("644", "1"),
    }
    assert second == {
        "Dockerfile": ("644", text + "RUN x\n"),
        "d": ("644", "2"),
        "l": ("link", str(outside)),
        "run": ("755", "1"),
        "x/y": ("644", "2"),
    }
    assert third == {key: value for key, value in second.items() if key != "l"} | {
        "l/z": ("644", "3")
    }
    assert check_out(source, tree, two) == second
    assert check_out(source, tree, one) == first
    assert list(outside.iterdir()) == []


def test_submodules_and_what_is_outside_of_the_context_are_not_in_it(tmp_path: Path) -> None:
    other = Repo(tmp_path / "other")
    other.commit("one", {"x": "1"})
    repo = Repo(tmp_path / "repo")
    repo.commit("one", {"app/Dockerfile": "FROM a\n", "beside": "1"})
    repo.git("submodule", "--quiet", "add", str(other.folder), "app/lib")
    repo.commit("two")
    source = survey(repo.folder, Wanted(context=repo.folder / "app"))
    tree = CommitTree(source, source.recipes[0], tmp_path / "scratch")

    assert len(source.steps) == 2
    assert check_out(source, tree, source.steps[1]) == {"Dockerfile": ("644", "FROM a\n")}


def test_no_filter_and_no_hook_of_the_repository_is_run(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "repo")
    proof = tmp_path / "proof"
    repo.commit(
        "one", {"Dockerfile": "FROM a\n", "x": "1\n", ".gitattributes": "* text eol=crlf\n"}
    )
    repo.commit("two", {"x": "2\n", ".gitattributes": "* filter=evil\n"})
    repo.git("config", "filter.evil.smudge", f"touch {proof}")
    repo.git("config", "core.fsmonitor", f"touch {proof}")
    hook = repo.folder / ".git/hooks/post-checkout"
    hook.write_text(f"#!/bin/sh\ntouch {proof}\n")
    hook.chmod(0o755)
    before = repo.git("-c", "core.fsmonitor=false", "rev-parse", "HEAD")
    proof.unlink(missing_ok=True)
    source = survey(repo.folder, Wanted())
    tree = CommitTree(source, source.recipes[0], tmp_path / "scratch")

    assert check_out(source, tree, source.steps[0])["x"] == ("644", "1\n")
    assert check_out(source, tree, source.steps[1])["x"] == ("644", "2\n")
    assert not proof.exists()
    assert repo.git("-c", "core.fsmonitor=false", "rev-parse", "HEAD") == before


def test_a_dockerfile_from_outside_stands_in_for_the_repository_s_own(
    six: Repo, tmp_path: Path
) -> None:
    better = tmp_path / "better.Dockerfile"
    better.write_text("FROM alpine\nCOPY . .\n")
    (tmp_path / "better.Dockerfile.dockerignore").write_text("README\n")
    source = survey(six.folder, Wanted(dockerfiles=(better,)))
    tree = CommitTree(source, source.recipes[0], tmp_path / "scratch")

    for step in source.steps:
        found = check_out(source, tree, step)
        assert found["Dockerfile"] == ("644", "FROM alpine\nCOPY . .\n")
        assert "README" not in found
