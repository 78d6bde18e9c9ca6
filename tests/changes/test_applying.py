"""Each operation does what its name says, or says why it cannot."""

from __future__ import annotations

import os
import stat
import time
from typing import TYPE_CHECKING, Any

import pytest

from bench.changes import ChangeIds
from bench.changes.trees import fingerprint
from bench.errors import ChangeError
from tests.changes.conftest import IDS, OLD_NS, Tree

if TYPE_CHECKING:
    from pathlib import Path

SECOND_NS = 10**9


def test_append_adds_at_the_end_with_placeholders_and_literal_braces(tree: Tree) -> None:
    tree.apply({"append": "app.js", "text": "f({a: {id}, {b}}) {round}\n"})
    assert tree.read("app.js") == "const x = {n: {id}};\nf({a: 0f3a9c, {b}}) 2\n"


def test_prepend_adds_at_the_beginning(tree: Tree) -> None:
    tree.apply({"prepend": "app.js", "text": "// {n}\n"})
    assert tree.read("app.js") == "// 7\nconst x = {n: {id}};\n"


def test_replace_changes_every_occurrence_and_finds_literally(tree: Tree) -> None:
    tree.apply({"replace": "app.js", "old": "{id}", "new": "{port}"})
    assert tree.read("app.js") == "const x = {n: 20001};\n"
    tree.apply({"write": "twice", "text": "a-a"}, {"replace": "twice", "old": "a", "new": "b"})
    assert tree.read("twice") == "b-b"


def test_write_makes_a_file_with_its_folders_or_replaces_one(tree: Tree) -> None:
    tree.apply({"write": "new/deep/{n}.txt", "text": "{id}"}, {"write": "app.js", "text": ""})
    assert tree.read("new/deep/7.txt") == IDS.id
    assert tree.read("app.js") == ""


@pytest.mark.parametrize("size", [1, 64, 65, 66, 1000])
def test_grow_adds_exactly_that_many_bytes_new_for_each_id(tree: Tree, size: int) -> None:
    before = tree.read("app.js")
    tree.apply({"grow": "app.js", "bytes": size})
    first = tree.read("app.js")
    assert first.startswith(before)
    assert len(first) == len(before) + size
    tree.apply({"revert": "app.js"}, {"grow": "app.js", "bytes": 1000})
    same_id = tree.read("app.js")
    assert same_id.startswith(first)
    other = ChangeIds("other", 1, 1, 1)
    tree.apply({"revert": "app.js"}, {"grow": "app.js", "bytes": 1000}, ids=other)
    assert tree.read("app.js") != same_id


def test_delete_removes_a_file_a_folder_and_a_link_but_not_its_target(tree: Tree) -> None:
    (tree.root / "link").symlink_to("app.js")
    tree.apply({"delete": "link"}, {"delete": "src"}, {"delete": "package.json"})
    assert {one.name for one in tree.root.iterdir()} == {".dockerignore", "Dockerfile", "app.js"}


def test_rename_and_copy_move_whole_folders_and_their_mtimes_forward(tree: Tree) -> None:
    tree.apply({"rename": "src", "to": "lib/go"}, {"copy": "lib", "to": "lib2"})
    assert not (tree.root / "src").exists()
    for name in ("lib/go/main.go", "lib2/go/util.go"):
        assert tree.read(name) == "package main\n"
        assert tree.mtime(name) > OLD_NS


def test_copy_of_a_symlink_is_a_symlink(tree: Tree) -> None:
    (tree.root / "link").symlink_to("app.js")
    tree.apply({"copy": "link", "to": "link2"})
    assert str((tree.root / "link2").readlink()) == "app.js"


def test_touch_moves_the_mtime_and_nothing_else(tree: Tree) -> None:
    before = fingerprint(tree.root)
    tree.apply({"touch": "app.js"})
    after = fingerprint(tree.root)
    assert tree.mtime("app.js") > OLD_NS
    assert {name for name in before if before[name] != after[name]} == {"app.js"}
    assert after["app.js"].same(before["app.js"])


def test_chmod_sets_the_mode_and_keeps_the_mtime(tree: Tree) -> None:
    tree.apply({"chmod": "app.js", "mode": "0755"})
    assert stat.S_IMODE((tree.root / "app.js").stat().st_mode) == 0o755
    assert tree.mtime("app.js") == OLD_NS


def test_bump_changes_the_value_in_its_place(tree: Tree) -> None:
    tree.apply({"bump": "package.json", "key": "version", "value": "1.0.{n}"})
    assert tree.read("package.json") == '{"version": "1.0.7"}\n'


def test_dockerfile_edit_finds_the_variants_own_file(tree: Tree) -> None:
    (tree.root / "Dockerfile").rename(tree.root / "src/my.Dockerfile")
    tree.state.dockerfile = "src/my.Dockerfile"
    tree.apply({"dockerfile": "EXPOSE 80", "with": "EXPOSE {port}"})
    assert tree.read("src/my.Dockerfile") == "FROM scratch\nEXPOSE 20001\n"


@pytest.mark.parametrize(("text", "times"), [("EXPOSE 90", "0 times"), ("E", "2 times")])
def test_dockerfile_edit_says_how_often_the_text_stands_there(
    tree: Tree, text: str, times: str
) -> None:
    with pytest.raises(ChangeError, match=times):
        tree.apply({"dockerfile": text, "with": "x"})


def test_dockerignore_adds_a_line_of_its_own(tree: Tree) -> None:
    tree.apply({"dockerignore": "docs/{id}"})
    assert tree.read(".dockerignore") == "*.md\ndocs/0f3a9c\n"
    tree.apply({"delete": ".dockerignore"}, {"dockerignore": "x"})
    assert tree.read(".dockerignore") == "x\n"


def test_build_arg_and_base_change_the_state_not_the_tree(tree: Tree) -> None:
    before = fingerprint(tree.root)
    tree.apply({"build_arg": "VERSION", "value": "v{n}"}, {"base": "node:20"})
    assert tree.state.build_args == {"VERSION": "v7"}
    assert tree.state.base_layers == {"node:20": IDS.id}
    assert fingerprint(tree.root) == before


def test_none_changes_nothing(tree: Tree) -> None:
    before = fingerprint(tree.root)
    tree.apply({"none": True})
    assert fingerprint(tree.root) == before


def test_revert_restores_content_and_modes_but_never_an_old_mtime(tree: Tree) -> None:
    tree.apply(
        {"append": "app.js", "text": "x"},
        {"delete": "src"},
        {"write": "extra/file", "text": "x"},
        {"chmod": "package.json", "mode": "0700"},
    )
    changed = tree.mtime("app.js")
    tree.apply({"revert": True})
    assert tree.state.pristine is not None
    wanted, found = fingerprint(tree.state.pristine), fingerprint(tree.root)
    assert wanted.keys() == found.keys()
    assert all(found[name].same(wanted[name]) for name in wanted)
    assert tree.mtime("app.js") > changed


def test_revert_of_one_path_leaves_the_others(tree: Tree) -> None:
    tree.apply({"append": "app.js", "text": "x"}, {"delete": "src"})
    tree.apply({"revert": "src"})
    assert tree.read("src/main.go") == "package main\n"
    assert tree.read("app.js").endswith("x")


@pytest.mark.parametrize(
    "step",
    [
        {"append": "app.js", "text": ""},
        {"prepend": "app.js", "text": ""},
        {"replace": "app.js", "old": "const", "new": "const"},
        {"replace": "app.js", "old": "absent", "new": "x"},
        {"write": "src/main.go", "text": "package main\n"},
        {"chmod": "app.js", "mode": "0644"},
        {"bump": "package.json", "key": "version", "value": "1.0.0"},
        {"dockerfile": "EXPOSE 80", "with": "EXPOSE 80"},
        {"dockerignore": "*.md"},
        {"revert": True},
        {"revert": "app.js"},
        {"run": ["true"]},
        {"run": ["sed", "-i", "s/absent/x/", "app.js"]},
    ],
    ids=str,
)
def test_operation_that_changes_nothing_is_an_error_naming_all(
    tree: Tree, step: dict[str, Any]
) -> None:
    with pytest.raises(ChangeError, match="changes nothing") as caught:
        tree.apply(step)
    assert "change 'edit', steps[0]" in caught.value.message
    assert f"({next(iter(step))})" in caught.value.message
    assert caught.value.remedy


def test_second_use_of_the_same_build_arg_or_base_layer_is_an_error(tree: Tree) -> None:
    tree.apply({"build_arg": "A", "value": "{id}"}, {"base": "x"})
    for step in ({"build_arg": "A", "value": "{id}"}, {"base": "x"}):
        with pytest.raises(ChangeError, match="changes nothing"):
            tree.apply(step)


@pytest.mark.parametrize(
    "step",
    [
        {"append": "absent", "text": "x"},
        {"grow": "absent", "bytes": 1},
        {"delete": "absent"},
        {"rename": "absent", "to": "x"},
        {"copy": "absent", "to": "x"},
        {"touch": "absent"},
        {"chmod": "absent", "mode": "0644"},
        {"bump": "absent.json", "key": "x", "value": 1},
    ],
    ids=str,
)
def test_missing_file_is_named(tree: Tree, step: dict[str, Any]) -> None:
    with pytest.raises(ChangeError, match=r"'absent.*does not exist in the context"):
        tree.apply(step)


def test_folder_where_a_file_is_needed_and_taken_target_are_errors(tree: Tree) -> None:
    with pytest.raises(ChangeError, match="is a folder"):
        tree.apply({"append": "src", "text": "x"})
    for step in ({"rename": "app.js", "to": "src"}, {"copy": "app.js", "to": "package.json"}):
        with pytest.raises(ChangeError, match="already there"):
            tree.apply(step)
    with pytest.raises(ChangeError, match="in 'src' itself"):
        tree.apply({"copy": "src", "to": "src/again"})


def test_fifo_is_refused_and_does_not_hang(tree: Tree) -> None:
    os.mkfifo(tree.root / "pipe")
    with pytest.raises(ChangeError, match="no regular file"):
        tree.apply({"append": "pipe", "text": "x"})


def test_steps_are_applied_in_order_and_the_failing_one_is_named(tree: Tree) -> None:
    with pytest.raises(ChangeError, match=r"steps\[1\] \(delete\)"):
        tree.apply({"append": "app.js", "text": "x"}, {"delete": "nope"})
    assert tree.read("app.js").endswith("x")


def test_system_error_becomes_a_change_error(tree: Tree) -> None:
    with pytest.raises(ChangeError, match=r"steps\[0\] \(write\)"):
        tree.apply({"write": "x" * 300, "text": "x"})
    with pytest.raises(ChangeError, match=r"steps\[0\] \(write\)"):
        tree.apply({"write": "app.js/below-a-file", "text": "x"})


CONTENT_STEPS: list[dict[str, Any]] = [
    {"append": "app.js", "text": "{id}"},
    {"prepend": "app.js", "text": "{id}"},
    {"replace": "app.js", "old": "const", "new": "var"},
    {"write": "app.js", "text": "{id}"},
    {"grow": "app.js", "bytes": 3},
    {"run": ["sh", "-c", "echo {id} > app.js; touch -d @1000 app.js"]},
    {
        "run": [
            "sh",
            "-c",
            "echo new > t; touch -r src/main.go t; mv t app.js",
        ]
    },
]


@pytest.mark.parametrize("ahead_seconds", [-(10**6), 0, 10**6])
@pytest.mark.parametrize("step", CONTENT_STEPS, ids=lambda step: str(next(iter(step))))
def test_every_content_change_moves_the_mtime_a_whole_second_forward(
    tree: Tree, step: dict[str, Any], ahead_seconds: int
) -> None:
    old = time.time_ns() + ahead_seconds * SECOND_NS
    os.utime(tree.root / "app.js", ns=(old, old))
    tree.apply(step)
    assert tree.mtime("app.js") // SECOND_NS > old // SECOND_NS


def test_hard_link_to_the_outside_keeps_its_content(tree: Tree, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("precious")
    outside.chmod(0o600)
    status = outside.stat()
    for name in ("a", "b", "c", "d"):
        (tree.root / name).hardlink_to(outside)
    tree.apply(
        {"append": "a", "text": "x"},
        {"chmod": "b", "mode": "0777"},
        {"touch": "c"},
        {"rename": "d", "to": "e"},
        {"grow": "e", "bytes": 1},
    )
    assert outside.read_text() == "precious"
    assert stat.S_IMODE(outside.stat().st_mode) == 0o600
    assert outside.stat().st_mtime_ns == status.st_mtime_ns


def test_link_made_harmful_by_a_rename_is_refused(tree: Tree, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("precious")
    (tree.root / "src" / "link").symlink_to("../secret")
    (tree.root / "secret").write_text("harmless")
    tree.apply({"append": "src/link", "text": "!"})
    assert tree.read("secret") == "harmless!"
    tree.apply({"rename": "src/link", "to": "link"})
    with pytest.raises(ChangeError, match="symlink"):
        tree.apply({"append": "link", "text": "!"})
    assert (tmp_path / "secret").read_text() == "precious"
