"""One rule of the scenario file at a time: what breaks it is told at its key."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from bench.scenario import load_scenario
from tests.scenario.conftest import BODY, DOCKERFILE, HEAD, problems

if TYPE_CHECKING:
    from pathlib import Path

STEPS = 'steps = [{ append = "src/App.java", text = "// {id}\\n" }]'


def with_steps(steps: str) -> str:
    assert STEPS in BODY
    return HEAD + BODY.replace(STEPS, f"steps = [{steps}]")


def replaced(old: str, new: str) -> str:
    assert old in HEAD + BODY
    return (HEAD + BODY).replace(old, new, 1)


@pytest.mark.parametrize(
    ("old", "new", "key", "message"),
    [
        ('context = "app"', 'context = "ap"', "context", "does not exist"),
        ('context = "app"', 'context = "Dockerfile"', "context", "is no folder"),
        ('context = "app"', 'context = ""', "context", "no usable text"),
        ('context = "app"', "", "context", "is missing"),
        ('"as-written"\n\n', '"x"\n\n', "baseline", "names no variant"),
        ("stage = 1", "stage = 7", "variant[1].reorder", "no stage 7"),
        ("stage = 1", 'stage = ""', "variant[1].reorder", "no stage"),
        ('of = "as-written"', 'of = "metadata-first"', "variant[1].reorder.of", "in a circle"),
        ('name = "metadata-first"', 'name = "a/b"', "variant[1].name", "cannot be used"),
        ('name = "metadata-first"', 'name = "a..b"', "variant[1].name", "cannot be used"),
        ('name = "metadata-first"', 'name = "-a"', "variant[1].name", "cannot be used"),
        ('name = "metadata-first"', f'name = "{"a" * 64}"', "variant[1].name", "cannot be used"),
        ('name = "edit-port"', 'name = "edit-source"', "change[1].name", "already the name"),
        ("weight = 80", "weight = -0.5", "change[0].weight", "greater than or equal to 0"),
        ("weight = 80", "weight = nan", "change[0].weight", "finite number"),
        ("weight = 80", "weight = inf", "change[0].weight", "finite number"),
        ("weight = 80", 'weight = "80"', "change[0].weight", "is no number"),
        ("weight = 80", "weight = true", "change[0].weight", "is no number"),
        ('margin = "2.5%"', 'margin = "2.5"', "verdict[0].margin", "percentage"),
        ('margin = "2.5%"', "margin = 2.5", "verdict[0].margin", "is no text"),
        ('margin = "2.5%"', 'margin = "-1%"', "verdict[0].margin", "percentage"),
        ('margin = "2.5%"', 'margin = "100%"', "verdict[0].margin", "percentage"),
        ('"rebuild_seconds"', '"rebuild"', "verdict[0].metric", "not a known value"),
        (
            'margin = "2.5%"',
            'against = "metadata-first"',
            "verdict[0].against",
            "compared with itself",
        ),
        ('run = ["echo", "hi"]', 'run = "echo hi"', "probe[0].run", "is no list"),
        ('run = ["echo", "hi"]', "expect_exit = 256", "probe[0].expect_exit", "less than"),
        ('run = ["echo", "hi"]', "timeout = 0", "probe[0].timeout", "greater than 0"),
        ('standin = "maven"', "", 'base."diamol/maven"', "says nothing"),
        ('"1:EXPOSE"', '"1:EXPOS"', "expect[0].miss[3]", "matches no instruction"),
        ('"1:EXPOSE"', '"1:"', "expect[0].miss[3]", "no reference"),
        ('"1:EXPOSE"', '"9:EXPOSE"', "expect[0].miss[3]", "names no stage"),
        (
            'builder = "classic"',
            'hit = ["1:COPY"]',
            "expect[0].hit",
            "both to hit and to miss",
        ),
        (
            'dockerfile = "Dockerfile"',
            'dockerfile = "Dockerfile"\nbuild_args = { LEVL = "2" }',
            "variant[0].build_args.LEVL",
            "declares ARG LEVL",
        ),
        (
            'dockerfile = "Dockerfile"',
            'dockerfile = "Dockerfile"\nbuild_args = { "1X" = "2" }',
            "variant[0].build_args.1X",
            "no variable name",
        ),
        ("[[change]]", "[change]", "", "is not TOML"),
    ],
)
def test_broken_rule_is_told_at_its_key(
    folder: Path, old: str, new: str, key: str, message: str
) -> None:
    found = problems(folder, replaced(old, new))
    matching = [one for at, one in found.items() if at == key or (not key and at)]
    assert matching, found
    assert message in matching[0].message


def test_one_table_where_a_list_of_them_is_needed_is_told(folder: Path) -> None:
    text = HEAD + '[variant]\nname = "a"\ndockerfile = "Dockerfile"\n'
    assert "[[variant]]" in problems(folder, text.replace("baseline", "#"))["variant"].remedy


def test_no_variant_at_all_is_told(folder: Path) -> None:
    assert problems(folder, 'context = "app"\n')["variant"].message == "is missing"
    assert problems(folder, 'context = "app"\nvariant = []\n')["variant"].message == "is empty"


def test_sound_references_in_any_case_and_predefined_arguments_pass(folder: Path) -> None:
    text = replaced('"1:EXPOSE"', '"1:expose 80"').replace("builder:RUN", "BUILDER:run")
    text = text.replace(
        'dockerfile = "Dockerfile"',
        'dockerfile = "Dockerfile"\nbuild_args = { LEVEL = "2", HTTP_PROXY = "x" }',
    )
    (folder / "scenario.toml").write_text(text, encoding="utf-8")
    assert load_scenario(folder).expects[0].miss is not None


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"FROM scratch\nNOPE x\n", "NOPE"),
        (b"", "parse"),
        (b"RUN x\n", "FROM"),
        (b"FROM scratch\nRUN \xff\n", "not UTF-8"),
    ],
)
def test_dockerfile_that_does_not_parse_is_told_once(
    folder: Path, content: bytes, message: str
) -> None:
    """The variant made from it by a reorder is not reported too."""
    (folder / "Dockerfile").write_bytes(content)
    found = problems(folder, HEAD + BODY)
    assert message in found["variant[0].dockerfile"].message
    assert "variant[1].reorder" not in found


def test_variant_with_an_unusable_name_can_still_be_referred_to(folder: Path) -> None:
    text = (HEAD + BODY).replace("as-written", "As Written")
    text += '[[change]]\nname = "c"\nsteps = [{ append = "Dockerfile", text = "x" }]\n'
    assert set(problems(folder, text)) == {"variant[0].name"}


def test_missing_dockerfile_is_told_once_with_the_places(folder: Path) -> None:
    (folder / "Dockerfile").unlink()
    found = problems(folder, HEAD + BODY)
    assert set(found) == {"variant[0].dockerfile"}
    assert str(folder) in found["variant[0].dockerfile"].remedy


def test_reorders_in_a_circle_are_told_and_chains_pass(folder: Path) -> None:
    chain = """
[[variant]]
name = "third"
reorder = { of = "second", stage = 0, move = ["ARG"], before = "COPY" }
[[variant]]
name = "second"
reorder = { of = "as-written", stage = 1, move = ["EXPOSE"] }
"""
    (folder / "scenario.toml").write_text(HEAD + BODY + chain, encoding="utf-8")
    assert len(load_scenario(folder).variants) == 4
    circle = chain.replace('of = "as-written"', 'of = "third"')
    found = problems(folder, HEAD + BODY + circle)
    assert {"variant[2].reorder.of", "variant[3].reorder.of"} == set(found)


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ('{ append = "src/App.jav", text = "x" }', "is not in the context"),
        ('{ append = "src", text = "x" }', "no regular file"),
        ('{ append = "src/App.java", text = "" }', "changes nothing"),
        ('{ append = "/etc/passwd", text = "x" }', "is absolute"),
        ('{ append = "a/../../x", text = "x" }', "climbs out"),
        ('{ append = "a\\u0000b", text = "x" }', "NUL"),
        ('{ append = "link/x", text = "x" }', "symlink"),
        ('{ write = "link/x", text = "x" }', "symlink"),
        ('{ rename = "src", to = "link/x" }', "symlink"),
        ('{ rename = "src", to = "pom.xml" }', "already there"),
        ('{ copy = "src", to = "Dockerfile" }', "already there"),
        ('{ replace = "src/App.java", old = "absent", new = "x" }', "does not contain"),
        ('{ replace = "src/App.java", old = "class", new = "class" }', "changes nothing"),
        ('{ chmod = "src/App.java", mode = "0644" }', "changes nothing"),
        ('{ bump = "package.json", key = "versio", value = "2" }', "no value at key"),
        ('{ bump = "package.json", key = "version", value = "1" }', "changes nothing"),
        ('{ bump = "pom.xml", key = "project.versio", value = "2" }', "no element"),
        ('{ dockerfile = "EXPOSE 90", with = "x" }', "stands 0 times"),
        ('{ dockerfile = "WORKDIR", with = "x" }', "stands 2 times"),
        ('{ dockerfile = "EXPOSE 80", with = "EXPOSE 80" }', "changes nothing"),
        ('{ build_arg = "LEVL", value = "2" }', "declares ARG"),
        ('{ base = "diamol/mavn" }', "no FROM names"),
        ('{ patch = "absent.diff" }', "is no file"),
        ('{ patch = "../x.diff" }', "climbs out"),
        ('{ git = "HEAD" }', "git rev-parse failed"),
        ('{ git = "--all" }', "no git revision"),
        ('{ delete = "src" }, { append = "src/App.java", text = "x" }', "is not in the context"),
        ('{ rename = "src", to = "lib" }, { touch = "src" }', "is not in the context"),
        ('{ grow = "pom.xml", bytes = 0 }', "greater than 0"),
        ("{ run = [] }", "names no command"),
        ('{ run = "make" }', "is no list"),
        ("{ none = false }", "not a known value"),
        ("{ revert = false }", "neither true nor a path"),
        ("{}", "names no operation"),
        ('"append"', "is no operation"),
    ],
)
def test_change_that_cannot_be_applied_is_told_when_it_is_read(
    folder: Path, steps: str, message: str
) -> None:
    (folder / "app" / "src" / "App.java").chmod(0o644)
    (folder / "app" / "link").symlink_to("..")
    found = problems(folder, with_steps(steps))
    assert any(
        message in one.message and re.match(r"change\[0\]\.steps\[\d\]", key)
        for key, one in found.items()
    ), found


@pytest.mark.parametrize(
    "steps",
    [
        '{ write = "new/file", text = "x" }, { append = "new/file", text = "y" }',
        '{ rename = "src", to = "lib" }, { append = "lib/App.java", text = "x" }',
        '{ delete = "src" }, { write = "src", text = "x" }, { chmod = "src", mode = "0755" }',
        '{ run = ["make", "new"] }, { append = "anything", text = "x" }',
        '{ revert = true }, { append = "anything", text = "x" }',
        '{ write = "{id}.txt", text = "" }, { append = "{id}.txt", text = "x" }',
        '{ replace = "pom.xml", old = "1", new = "2" }, { bump = "pom.xml", key = "p", value = 3 }',
        '{ append = "Dockerfile", text = "# {id}" }',
        '{ dockerfile = "EXPOSE 80", with = "EXPOSE 81" }, { dockerfile = "81", with = "82" }',
        '{ build_arg = "LEVEL", value = "{n}" }, { base = "diamol/openjdk" }',
        '{ dockerignore = "*.md" }, { none = true }',
        '{ run = ["true"], timeout = 5 }',
    ],
)
def test_change_that_may_work_is_not_complained_of(folder: Path, steps: str) -> None:
    (folder / "scenario.toml").write_text(with_steps(steps), encoding="utf-8")
    assert load_scenario(folder).changes[0].steps


def test_git_revision_is_looked_up_in_the_contexts_repository(folder: Path) -> None:
    def git(*arguments: str) -> None:
        identity = ["-c", "user.name=t", "-c", "user.email=t@t", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)

    git("init", "-q")
    git("add", "app")
    git("commit", "-qm", "first")
    (folder / "scenario.toml").write_text(with_steps('{ git = "HEAD" }'), encoding="utf-8")
    load_scenario(folder)
    found = problems(folder, with_steps('{ git = "HEAD~1" }'))
    assert set(found) == {"change[0].steps[0].git"}


def test_changes_are_still_checked_where_the_context_is_missing(folder: Path) -> None:
    text = with_steps('{ dockerfile = "EXPOSE 90", with = "x" }').replace('"app"', '"ap"')
    assert {"context", "change[0].steps[0].dockerfile"} <= set(problems(folder, text))


def test_user_files_are_only_read(folder: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in sorted(folder.rglob("*"))}
    load_scenario(folder)
    assert {path: path.stat().st_mtime_ns for path in sorted(folder.rglob("*"))} == before
    assert (folder / "Dockerfile").read_text() == DOCKERFILE
