"""The state of a git revision, put together without a checkout."""

from __future__ import annotations

import hashlib
import os
import shutil
from typing import TYPE_CHECKING

import pytest

from bench.changes.trees import fingerprint
from bench.errors import UsageError
from bench.explain.revision import Revision, Untracked, revision_state
from bench.explain.states import Place, read_state
from bench.workspace import ClientRule, Manifest, ManifestDiff
from bench.workspace.manifest import EntryIndex
from tests.explain.repositories import FILES, commit, git, make_repository, write

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    return make_repository(tmp_path / "shop")


def at(
    context: Path,
    revision: str = "one",
    *,
    dockerfile: Path | None = None,
    client: ClientRule = ClientRule.BUILDKIT,
    untracked: Untracked = Untracked.ADDED,
    before: Path | None = None,
) -> Revision:
    place = Place.of(dockerfile or context / "Dockerfile", context)
    index = EntryIndex(context)
    return revision_state(place, revision, client, index, untracked=untracked, dockerfile=before)


def now(context: Path, client: ClientRule = ClientRule.BUILDKIT) -> Manifest:
    place = Place.of(context / "Dockerfile", context)
    return read_state(place, "now", client, EntryIndex(context)).manifest


def differences(context: Path, revision: str = "one", **how: object) -> ManifestDiff:
    return at(context, revision, **how).state.manifest.diff(now(context))  # type: ignore[arg-type]


def test_nothing_differs_right_after_a_commit(shop: Path) -> None:
    assert differences(shop).hashed_paths == frozenset()


def test_edited_added_deleted_and_renamed_files_differ(shop: Path) -> None:
    write(shop, {"README.md": "# Other\n", "src/New.java": "class New {}\n"})
    (shop / "run.sh").unlink()
    git(shop, "mv", "pom.xml", "build.xml")

    found = differences(shop)
    assert found.content_changed == ("README.md",)
    assert found.added == ("build.xml", "src/New.java")
    assert found.removed == ("pom.xml", "run.sh")
    assert found.mode_changed == found.type_changed == ()


def test_it_is_the_state_that_a_clone_of_the_revision_has(shop: Path, tmp_path: Path) -> None:
    """Content, type and exec bit of every file, whatever happened to the tree since."""
    write(shop, {"README.md": "# Other\n", "docs/a.md": "a", "docs/b.md": "b"})
    (shop / "src/App.java").unlink()
    (shop / "src/App.java").symlink_to("../README.md")
    (shop / "run.sh").chmod(0o644)
    commit(shop, "two")
    shutil.rmtree(shop / "docs")
    write(shop, {"docs": "a file now", "src/More.java": "more"})
    commit(shop, "three")

    for revision in ("one", "two", "three"):
        clone = tmp_path / revision
        git(tmp_path, "clone", "-q", "-b", revision, str(shop), str(clone))
        for path in ("target", ".env"):  # what git ignores counts as there
            source = shop / path
            (shutil.copytree if source.is_dir() else shutil.copy)(source, clone / path)
        found = at(shop, revision).state.manifest.diff(now(clone))
        assert found.hashed_paths - set(found.mode_changed) == frozenset(), revision
        assert {p: e.mode & 0o100 for p, e in at(shop, revision).state.manifest.items()} == {
            p: e.mode & 0o100 for p, e in now(clone).items()
        }


def test_modes_that_git_does_not_keep_are_those_of_the_working_tree(shop: Path) -> None:
    for path, mode in (("README.md", 0o664), ("run.sh", 0o775), ("src", 0o770)):
        (shop / path).chmod(mode)

    assert differences(shop).hashed_paths == frozenset()
    assert at(shop).state.manifest["run.sh"].mode == 0o775


def test_an_exec_bit_that_git_would_show_is_a_change(shop: Path) -> None:
    (shop / "README.md").chmod(0o775)
    (shop / "run.sh").chmod(0o664)

    found = differences(shop)
    assert found.mode_changed == ("README.md", "run.sh")
    before = at(shop).state.manifest
    assert (before["README.md"].mode, before["run.sh"].mode) == (0o664, 0o775)


def test_exec_bits_mean_nothing_where_git_is_told_so(shop: Path) -> None:
    git(shop, "config", "core.fileMode", "false")
    (shop / "README.md").chmod(0o755)

    assert differences(shop).hashed_paths == frozenset()


def test_what_git_ignores_was_there_and_what_it_does_not_know_is_new(shop: Path) -> None:
    write(shop, {"target/new.jar": "new", "scratch.txt": "mine"})

    assert differences(shop).added == ("scratch.txt",)
    assert differences(shop, untracked=Untracked.KEPT).hashed_paths == frozenset()
    notes = at(shop).notes
    assert any(
        ".env, target/new.jar, target/old.jar" in note and "with the same content" in note
        for note in notes
    )
    assert any(
        note.startswith("git does not track scratch.txt: counted as added") for note in notes
    )


def test_many_untracked_files_are_counted_by_folder(shop: Path) -> None:
    write(shop, {f"target/{number}.class": "x" for number in range(9)})

    assert any("track .env, target/ (10 files): " in note for note in at(shop).notes)


def test_ignored_files_that_no_build_gets_are_not_told_of(shop: Path) -> None:
    write(shop, {".dockerignore": ".git\ntarget\n.env\nscratch*\n", "scratch.txt": "mine"})
    commit(shop, "two")
    write(shop, {"scratch2.txt": "mine"})

    assert at(shop, "two").notes == ()


def test_a_file_that_was_tracked_later_was_not_there(shop: Path) -> None:
    write(shop, {"later.txt": "x"})
    commit(shop, "two")

    assert differences(shop, "one").added == ("later.txt",)
    assert differences(shop, "two").added == ()


def test_the_ignore_file_of_the_revision_counts(shop: Path) -> None:
    """Files that only one of the two ignore files keeps out came or went."""
    write(shop, {".dockerignore": ".git\ntarget\n"})
    assert set(differences(shop).removed) == {"target", "target/old.jar"}

    commit(shop, "two")
    write(shop, {".dockerignore": ".git\nsrc\n"})
    found = differences(shop, "two")
    assert found.added == ("target", "target/old.jar")
    assert found.removed == ("src", "src/App.java")


def test_the_ignore_file_of_the_dockerfile_comes_first(shop: Path) -> None:
    write(shop, {"Dockerfile.dockerignore": "*.md\n.git\n"})
    commit(shop, "two")
    (shop / "Dockerfile.dockerignore").unlink()

    assert "README.md" not in at(shop, "two").state.manifest
    assert at(shop, "two").state.ignore_file == "Dockerfile.dockerignore"
    assert "README.md" in at(shop, "two", client=ClientRule.CLASSIC).state.manifest
    assert "README.md" in now(shop)


def test_an_ignored_dockerfile_is_no_part_of_the_state(shop: Path) -> None:
    write(shop, {".dockerignore": "Dockerfile\n.dockerignore\n.git\n"})
    commit(shop, "two")
    write(shop, {"Dockerfile": FILES["Dockerfile"] + "EXPOSE 81\n"})

    revision = at(shop, "two")
    assert "EXPOSE 81" not in revision.state.dockerfile.text
    assert "Dockerfile" not in revision.state.manifest
    assert differences(shop, "two").hashed_paths == frozenset()


def test_a_context_that_is_a_folder_of_the_repository(tmp_path: Path) -> None:
    root = make_repository(tmp_path / "repo")
    make = {f"app/{name}": content for name, content in FILES.items()}
    write(root, {**make, "docker/web.Dockerfile": "FROM busybox\nCOPY . .\n"})
    commit(root, "two")
    write(root, {"README.md": "outside", "app/pom.xml": "<other/>"})
    write(root, {"docker/web.Dockerfile": "FROM busybox\nCOPY . /x\n"})

    revision = at(root / "app", "two", dockerfile=root / "docker/web.Dockerfile")
    assert revision.state.dockerfile.text == "FROM busybox\nCOPY . .\n"
    assert revision.state.manifest.diff(now(root / "app")).content_changed == ("pom.xml",)


def test_the_ignore_file_beside_a_dockerfile_outside_of_the_context(tmp_path: Path) -> None:
    root = make_repository(tmp_path / "repo")
    write(root, {"app/a.md": "a", "app/b.txt": "b", "web.Dockerfile": "FROM busybox\nCOPY . .\n"})
    write(root, {"web.Dockerfile.dockerignore": "*.md\n"})
    commit(root, "two")
    write(root, {"web.Dockerfile.dockerignore": "*.txt\n"})

    state = at(root / "app", "two", dockerfile=root / "web.Dockerfile").state
    assert list(state.manifest) == ["b.txt"]


def test_a_dockerfile_outside_of_the_repository_is_taken_as_it_is(
    shop: Path, tmp_path: Path
) -> None:
    write(tmp_path, {"other/Dockerfile": "FROM busybox\n"})

    revision = at(shop, dockerfile=tmp_path / "other/Dockerfile")
    assert revision.state.dockerfile.text == "FROM busybox\n"
    assert any("outside of the repository" in note for note in revision.notes)


def test_a_dockerfile_that_was_not_there_is_an_error_with_a_remedy(shop: Path) -> None:
    git(shop, "mv", "Dockerfile", "web.Dockerfile")

    with pytest.raises(UsageError, match=r"no such Dockerfile at one \(\w+\)") as caught:
        at(shop, dockerfile=shop / "web.Dockerfile")
    assert "--since-dockerfile" in caught.value.remedy
    before = at(shop, dockerfile=shop / "web.Dockerfile", before=shop / "Dockerfile")
    assert before.state.dockerfile.text == FILES["Dockerfile"]


def test_an_ignored_dockerfile_of_git_was_there(shop: Path) -> None:
    write(shop, {"target/Dockerfile": "FROM busybox\n"})

    assert at(shop, dockerfile=shop / "target/Dockerfile").state.dockerfile.text == "FROM busybox\n"


def test_a_context_that_the_revision_lacks_is_an_error(shop: Path) -> None:
    write(shop, {"later/Dockerfile": "FROM busybox\n"})
    commit(shop, "two")

    with pytest.raises(UsageError, match=r"later: the commit .* does not have this folder"):
        at(shop / "later", "one")


@pytest.mark.parametrize("revision", ["nope", "one:src", "--help", "one..two", ""])
def test_what_is_no_revision_is_an_error(shop: Path, revision: str) -> None:
    with pytest.raises(UsageError, match="there is no revision") as caught:
        at(shop, revision)
    assert "HEAD~1" in caught.value.remedy


def test_a_folder_that_is_in_no_repository_is_an_error(tmp_path: Path) -> None:
    write(tmp_path, FILES)

    with pytest.raises(UsageError, match="git finds no repository here") as caught:
        at(tmp_path)
    assert "--since-context" in caught.value.remedy


def test_names_that_are_no_text_and_links(shop: Path) -> None:
    odd = os.fsdecode(b"not-\xff-utf8\n.txt")
    write(shop, {odd: "x"})
    (shop / "link").symlink_to("src/App.java")
    commit(shop, "two")
    assert differences(shop, "two").hashed_paths == frozenset()
    write(shop, {odd: "y"})
    (shop / "link").unlink()
    (shop / "link").symlink_to("README.md")

    found = differences(shop, "two")
    assert found.content_changed == (odd,)
    assert found.link_changed == ("link",)


def test_empty_folders_were_there(shop: Path) -> None:
    (shop / "empty/inner").mkdir(parents=True)

    assert differences(shop).hashed_paths == frozenset()


def test_a_folder_of_new_files_is_new_and_one_whose_files_went_was_there(shop: Path) -> None:
    write(shop, {"new/inner/file": "x"})
    shutil.rmtree(shop / "src")

    found = differences(shop)
    assert found.added == ("new", "new/inner", "new/inner/file")
    assert found.removed == ("src", "src/App.java")


def test_line_endings_that_a_checkout_changes_are_no_change(shop: Path) -> None:
    write(shop, {".gitattributes": "*.bat text eol=crlf\n", "a.bat": "one\r\ntwo\r\n"})
    commit(shop, "two")

    assert git(shop, "show", "two:a.bat") == "one\ntwo"
    assert differences(shop, "two").hashed_paths == frozenset()
    write(shop, {"a.bat": "one\r\nthree\r\n"})
    assert differences(shop, "two").content_changed == ("a.bat",)


def test_a_pointer_of_git_lfs_stands_for_the_file(shop: Path) -> None:
    """The pointer holds the digest of what the working tree has."""
    large = b"large\n" * 100
    digest = hashlib.sha256(large).hexdigest()
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{digest}\nsize 600\n"
    write(shop, {"large.bin": pointer})
    commit(shop, "two")
    write(shop, {"large.bin": large})
    assert differences(shop, "two").hashed_paths == frozenset()
    write(shop, {"large.bin": large + b"x"})
    assert differences(shop, "two").content_changed == ("large.bin",)


def test_files_that_a_sparse_checkout_leaves_out_were_not_there(shop: Path) -> None:
    git(shop, "update-index", "--skip-worktree", "README.md")
    (shop / "README.md").unlink()

    assert differences(shop).hashed_paths == frozenset()


def test_a_submodule_is_taken_as_it_is_and_told_of(shop: Path, tmp_path: Path) -> None:
    library = make_repository(tmp_path / "library")
    git(shop, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(library), "lib")
    commit(shop, "two")
    assert differences(shop, "two").hashed_paths == frozenset()
    write(shop / "lib", {"README.md": "other"})
    commit(shop / "lib", "moved")
    git(shop, "add", "lib")

    revision = at(shop, "two")
    assert any("submodule lib stood at another commit" in note for note in revision.notes)
    assert revision.state.manifest.diff(now(shop)).hashed_paths == frozenset()


def test_git_s_own_files_in_the_context_differ_once_something_was_committed(shop: Path) -> None:
    write(shop, {".dockerignore": "x\n"})
    commit(shop, "two")
    same = at(shop, "two")
    assert same.state.manifest.diff(now(shop)).hashed_paths == frozenset()
    assert any(note.startswith(".git/ is part of the build context") for note in same.notes)

    write(shop, {"README.md": "# Other\n"})
    commit(shop, "three")
    assert differences(shop, "two").content_changed == (".git/index", "README.md")


def test_the_repository_and_the_tree_are_left_exactly_as_they_were(shop: Path) -> None:
    write(shop, {"README.md": "# Other\n", "new": "x"})
    os.utime(shop / "pom.xml")  # git status would write the index anew
    before = fingerprint(shop)
    times = {path: path.stat().st_mtime_ns for path in shop.rglob("*")}

    at(shop)
    assert fingerprint(shop) == before
    assert {path: path.stat().st_mtime_ns for path in shop.rglob("*")} == times


def test_nothing_that_the_repository_names_is_run(shop: Path, tmp_path: Path) -> None:
    """Filters, hooks, monitors and text conversions are programs; none of them is started."""
    trap = tmp_path / "trap"
    trap.write_text(f"#!/bin/sh\necho $0 >> {tmp_path}/sprung\ncat\n")
    trap.chmod(0o755)
    write(shop, {".gitattributes": "*.md filter=evil diff=evil eol=crlf\n", "README.md": "a\nb\n"})
    commit(shop, "two")
    for name in ("filter.evil.clean", "filter.evil.smudge", "filter.evil.process"):
        git(shop, "config", name, str(trap))
    for name in ("filter.a=b.smudge", "core.fsmonitor", "diff.evil.textconv", "core.pager"):
        git(shop, "config", name, str(trap))
    git(shop, "config", "filter.evil.required", "true")
    hooks = shop / ".git/hooks"
    hooks.mkdir(exist_ok=True)
    for name in ("post-index-change", "fsmonitor-watchman", "post-checkout"):
        shutil.copy(trap, hooks / name)
    write(shop, {"README.md": "a\r\nb\r\n"})

    assert differences(shop, "two").hashed_paths == frozenset()
    assert not (tmp_path / "sprung").exists()


def test_the_environment_of_another_repository_is_not_obeyed(
    shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "index"))

    assert differences(shop).hashed_paths == frozenset()
