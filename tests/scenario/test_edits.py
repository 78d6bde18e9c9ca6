"""Edits keep a file what it was for its tools, and are new each time; the rest is left out."""

from __future__ import annotations

import ast
import json
import tomllib
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bench.changes import Change, ChangeIds, SourceState, apply_change
from bench.scenario.edits import LARGEST_EDIT, Edit, LeftOut, edit_of

if TYPE_CHECKING:
    from pathlib import Path


def edited(folder: Path, path: str, content: str, number: int = 1) -> str:
    """The file's content after its edit was applied."""
    edit = edit_of(path, content.encode())
    assert isinstance(edit, Edit), edit
    file = folder / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content.encode())
    change = Change.model_validate({"name": "edit", "steps": [edit.step]})
    assert change.makes_new_content()
    state = SourceState(root=folder, dockerfile="Dockerfile", source=folder)
    apply_change(change, state, ChangeIds(id=f"{number:x}", port=2000 + number, n=1, round=1))
    return file.read_bytes().decode()


@pytest.mark.parametrize(
    ("path", "comment"),
    [
        ("App.java", "// 1"),
        ("src/server.ts", "// 1"),
        ("main.go", "// 1"),
        ("go.mod", "// 1"),
        ("main.rs", "// 1"),
        ("build.gradle.kts", "// 1"),
        ("app.py", "# 1"),
        ("app.rb", "# 1"),
        ("run.SH", "# 1"),
        ("ci.yaml", "# 1"),
        ("Cargo.toml", "# 1"),
        ("Gemfile", "# 1"),
        ("Makefile", "# 1"),
        ("requirements-dev.txt", "# 1"),
        ("CMakeLists.txt", "# 1"),
        ("index.html", "<!-- 1 -->"),
        ("README.md", "<!-- 1 -->"),
        ("Shop.csproj", "<!-- 1 -->"),
        ("site.css", "/* 1 */"),
        ("schema.sql", "-- 1"),
        ("php.ini", "; 1"),
        ("LICENSE", "1"),
        ("guide.rst", "\n.. 1"),
    ],
)
@pytest.mark.parametrize("end", ["\n", ""])
def test_a_comment_line_in_the_files_own_style_comes_last(
    tmp_path: Path, path: str, comment: str, end: str
) -> None:
    assert edited(tmp_path, path, f"a{end}") == f"a\n{comment}\n"


@pytest.mark.parametrize(
    ("interpreter", "comment"),
    [("/bin/sh", "# 1"), ("/usr/bin/env python3", "# 1"), ("/usr/bin/env node", "// 1")],
)
def test_a_script_without_an_ending_is_known_by_its_first_line(
    tmp_path: Path, interpreter: str, comment: str
) -> None:
    assert edited(tmp_path, "bin/run", f"#!{interpreter}\na\n").endswith(f"\na\n{comment}\n")


def test_php_is_commented_as_code_also_after_its_end(tmp_path: Path) -> None:
    assert edited(tmp_path, "a.php", "<?php\necho 1;\n") == "<?php\necho 1;\n// 1\n"
    assert edited(tmp_path, "b.php", "<p><?= 1 ?>\n") == "<p><?= 1 ?>\n<?php // 1\n"
    assert isinstance(edit_of("c.php", b"<?php 1 ?><p>\n"), LeftOut)


def test_formats_with_parsers_still_parse_and_say_the_same(tmp_path: Path) -> None:
    python = "x = 1"
    assert ast.dump(ast.parse(edited(tmp_path, "a.py", python))) == ast.dump(ast.parse(python))
    assert tomllib.loads(edited(tmp_path, "a.toml", "[a]\nb = 1")) == {"a": {"b": 1}}
    pom = '<?xml version="1.0"?>\n<project><version>1</version></project>'
    assert ET.fromstring(edited(tmp_path, "pom.xml", pom)).tag == "project"  # noqa: S314


@pytest.mark.parametrize(
    ("document", "key", "value"),
    [
        ({"version": "1.2.3", "description": "Shop"}, "description", "Shop 1"),
        ({"version": "1.2.3"}, "version", "1.2.2001"),
        ({"description": ""}, "description", "1"),
        ({"version": "1.2.3", "description": "see {id}"}, "version", "1.2.2001"),
    ],
)
def test_json_gets_another_description_or_version(
    tmp_path: Path, document: dict[str, Any], key: str, value: str
) -> None:
    changed = json.loads(edited(tmp_path, "package.json", json.dumps(document, indent=2)))
    assert changed == {**document, key: value}


@pytest.mark.parametrize(
    ("path", "content", "reason"),
    [
        ("a.json", b'{"port": 80}', "no version or description"),
        ("a.json", b"[1]", "no version or description"),
        ("a.json", b'{"version": "3"}', "no version or description"),
        ("a.json", b'{"version": 3, "description": {}}', "no version or description"),
        ("tsconfig.json", b"{ // why\n}", "not plain JSON"),
        ("package-lock.json", b'{"version": "1.0.0"}', "lock file"),
        ("Cargo.lock", b"a\n", "lock file"),
        ("go.sum", b"a\n", "lock file"),
        ("logo.png", b"\x89PNG\xff", "not a UTF-8 text"),
        ("app.py", b"a\0b", "not a text"),
        ("app.py", b"#" * (LARGEST_EDIT + 1), "too large"),
        ("app.py", b"a = \\", "goes on"),
        ("data.psv", b"a|b\n", "no comment style"),
        ("words.txt", b"a\n", "no comment style"),
        ("{id}.py", b"a\n", "placeholder"),
        ("\udcff.py", b"a\n", "not UTF-8"),
        (" ", b"a\n", "is empty"),
    ],
)
def test_what_is_not_surely_harmless_is_left_out(path: str, content: bytes, reason: str) -> None:
    left = edit_of(path, content)
    assert isinstance(left, LeftOut)
    assert reason in left.reason


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    suffix=st.sampled_from(["py", "java", "html", "toml", "json", "php", "css"]),
    content=st.text(max_size=60) | st.dictionaries(st.text(), st.text()).map(json.dumps),
)
def test_an_edit_can_be_applied_and_is_new_each_time(
    tmp_path: Path, suffix: str, content: str
) -> None:
    path = f"file.{suffix}"
    if isinstance(edit_of(path, content.encode("utf-8", "surrogatepass")), Edit):
        first, second = (edited(tmp_path, path, content, number) for number in (1, 2))
        assert len({content, first, second}) == 3
