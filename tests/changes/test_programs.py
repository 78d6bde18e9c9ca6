"""Commands and patches work on the scratch copy alone, with a clean environment and an end."""

from __future__ import annotations

import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from bench.errors import ChangeError

if TYPE_CHECKING:
    from pathlib import Path

    from tests.changes.conftest import Tree

DIFF = """--- a/src/main.go
+++ b/src/main.go
@@ -1 +1,2 @@
 package main
+// {id} stays
"""


def patch_file(tree: Tree, text: str) -> None:
    assert tree.state.scenario is not None
    (tree.state.scenario / "edit.diff").write_text(text)


def test_command_runs_in_the_scratch_copy_with_placeholders(tree: Tree) -> None:
    tree.apply({"run": ["sh", "-c", "pwd > where; echo {id} '{x}' > out"]})
    assert tree.read("where").strip() == str(tree.root.resolve())
    assert tree.read("out") == "0f3a9c {x}\n"


def test_command_sees_no_variable_of_ours_and_a_home_of_its_own(
    tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_TOKEN", "hunter2")
    tree.apply({"run": ["sh", "-c", "env > env; echo x > $HOME/x"]})
    names = {line.partition("=")[0] for line in tree.read("env").splitlines()}
    assert names <= {"PATH", "HOME", "LANG", "PWD", "SHLVL", "OLDPWD", "_"}
    assert "hunter2" not in tree.read("env")


def test_command_that_takes_too_long_is_ended_with_its_children(tree: Tree) -> None:
    started = time.monotonic()
    with pytest.raises(ChangeError, match=r"took longer than 0\.3 s"):
        tree.apply({"run": ["sh", "-c", "(sleep 1; echo late > late) & sleep 60"], "timeout": 0.3})
    assert time.monotonic() - started < 20
    time.sleep(1.2)
    assert not (tree.root / "late").exists()


def test_what_a_command_leaves_running_is_ended_before_the_build(tree: Tree) -> None:
    tree.apply({"run": ["sh", "-c", "echo x > now; (sleep 1; echo late > late) &"]})
    time.sleep(1.2)
    assert not (tree.root / "late").exists()


def test_failure_shows_status_and_the_end_of_what_was_printed(tree: Tree) -> None:
    with pytest.raises(ChangeError, match=r"status 3: .*the reason"):
        tree.apply({"run": ["sh", "-c", "echo the reason >&2; exit 3"]})
    with pytest.raises(ChangeError, match="cannot be started"):
        tree.apply({"run": ["no-such-program"]})


def test_mode_alone_counts_as_a_change_of_a_command(tree: Tree) -> None:
    tree.apply({"run": ["chmod", "0700", "app.js"]})


def test_patch_is_applied_as_it_is(tree: Tree) -> None:
    patch_file(tree, DIFF)
    tree.apply({"patch": "edit.diff"})
    assert tree.read("src/main.go") == "package main\n// {id} stays\n"


def test_patch_is_applied_inside_another_repository_too(tree: Tree, tmp_path: Path) -> None:
    """git would take the paths from the root of a repository around the scratch copy."""
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    patch_file(tree, DIFF)
    tree.apply({"patch": "edit.diff"})
    assert "stays" in tree.read("src/main.go")


@pytest.mark.parametrize("target", ["../evil", "/tmp/evil-of-bench", "out/evil"])
def test_patch_that_leads_out_is_refused(tree: Tree, tmp_path: Path, target: str) -> None:
    (tmp_path / "outside").mkdir()
    (tree.root / "out").symlink_to(tmp_path / "outside")
    patch_file(tree, f"--- /dev/null\n+++ b/{target}\n@@ -0,0 +1 @@\n+evil\n")
    with pytest.raises(ChangeError, match="git"):
        tree.apply({"patch": "edit.diff"})
    assert not list(tmp_path.rglob("evil*"))


def test_patch_that_does_not_fit_leaves_everything(tree: Tree) -> None:
    patch_file(tree, DIFF.replace("package main", "package other"))
    with pytest.raises(ChangeError, match="does not apply"):
        tree.apply({"patch": "edit.diff"})
    assert tree.read("src/main.go") == "package main\n"


@pytest.mark.parametrize("file", ["absent.diff", "../x.diff", "/etc/passwd"])
def test_patch_file_must_be_in_the_scenario_folder(tree: Tree, file: str) -> None:
    with pytest.raises(ChangeError, match=r"no file|path"):
        tree.apply({"patch": file})
