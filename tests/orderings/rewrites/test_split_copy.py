"""One COPY becomes two only where it is known what the RUN between them reads and writes."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from bench.cache_model import BaseImage
from bench.orderings.rewrites import best_rewrites, find_rewrite
from bench.workspace import Manifest
from tests.orderings.rewrites.projects import NODE, assert_refused, facts_of, proposed

NAME = "split-copy"
BEFORE = """\
FROM node
WORKDIR /app
# all of it
COPY . .
RUN npm ci
RUN npm run build
"""
AFTER = """\
FROM node
WORKDIR /app
COPY package-lock.json package.json ./
RUN npm ci
# all of it
COPY . .
RUN npm run build
"""


def test_the_files_that_the_run_reads_are_copied_before_it() -> None:
    proposal = proposed(NAME, facts_of(BEFORE, NODE))
    assert proposal.dockerfile_text == AFTER
    assert "package.json" in proposal.reason
    assert any("docs.npmjs.com" in one for one in proposal.obligations)


def test_what_is_split_is_not_split_again() -> None:
    assert find_rewrite(NAME).proposals(facts_of(AFTER, NODE)) == []


def test_the_copy_of_a_folder_keeps_its_destination_and_its_flags() -> None:
    text = "FROM node\nWORKDIR /app\n  COPY --chown=1:1 web/ /app/\nRUN npm ci\n"
    files = {f"web/{path}": content for path, content in NODE.items()}
    assert proposed(NAME, facts_of(text, files)).dockerfile_text == (
        "FROM node\nWORKDIR /app\n"
        "  COPY --chown=1:1 web/package-lock.json web/package.json /app/\n"
        "RUN npm ci\n  COPY --chown=1:1 web/ /app/\n"
    )


def test_carriage_returns_and_a_last_line_without_an_end_are_kept() -> None:
    text = "FROM node\r\nWORKDIR /app\r\nCOPY . .\r\nRUN npm ci"
    assert proposed(NAME, facts_of(text, NODE)).dockerfile_text == (
        "FROM node\r\nWORKDIR /app\r\nCOPY package-lock.json package.json ./\r\n"
        "RUN npm ci\r\nCOPY . ."
    )


def test_a_run_that_reads_nothing_of_it_goes_above_the_copy() -> None:
    text = "FROM d\nWORKDIR /app\nCOPY . .\nRUN apt-get update && apt-get install -y gcc\n"
    assert proposed(NAME, facts_of(text, NODE)).dockerfile_text == (
        "FROM d\nWORKDIR /app\nRUN apt-get update && apt-get install -y gcc\nCOPY . .\n"
    )


def test_every_run_that_reads_more_gets_a_copy_of_its_own() -> None:
    text = (
        "FROM d\nWORKDIR /app\nCOPY . .\nRUN apt-get install -y gcc\nLABEL a=b\nRUN npm ci\n"
        "RUN npm cache clean --force\nRUN make\n"
    )
    assert best_rewrites(facts_of(text, NODE), [NAME]).dockerfile_text == (
        "FROM d\nWORKDIR /app\nRUN apt-get install -y gcc\n"
        "COPY package-lock.json package.json ./\nLABEL a=b\nRUN npm ci\n"
        "RUN npm cache clean --force\nCOPY . .\nRUN make\n"
    )


def test_what_is_declared_of_a_run_counts_like_the_table() -> None:
    text = "FROM d\nWORKDIR /app\nCOPY . .\nRUN ./configure\n"
    files = {"configure": "", "config/a": "", "config/b": "", "src/c.c": ""}
    access = {(0, 4): (["/app/configure", "/app/config"], ["/app/out"])}
    assert proposed(NAME, facts_of(text, files, access=access)).dockerfile_text == (
        "FROM d\nWORKDIR /app\nCOPY configure ./\nCOPY config/ ./config/\nRUN ./configure\n"
        "COPY . .\n"
    )


@pytest.mark.parametrize(
    ("access", "why"),
    [
        ((["/app/configure"], ["/app/src"]), "the RUN below may write there"),
        ((["/app/configure"], ["/app/src/gen.c"]), "the RUN below may write there"),
        ((["/app/configure"], ["/app"]), "the RUN below may write there"),
        ((["/app/link/x"], ["/out"]), "is a link"),
    ],
)
def test_a_declared_run_is_not_passed_where_it_meets_the_copy(
    access: tuple[list[str], list[str]], why: str
) -> None:
    text = "FROM d\nWORKDIR /app\nCOPY . .\nRUN ./configure\n"
    files = {"configure": "", "src/c.c": "", "real/x": ""}
    facts = facts_of(text, files, access={(0, 4): access}, links={"link": "real"})
    assert_refused(NAME, facts, why)


def test_nothing_is_proposed_where_all_of_it_is_read() -> None:
    text = "FROM d\nWORKDIR /app\nCOPY . .\nRUN make\n"
    facts = facts_of(text, {"a": ""}, access={(0, 4): (["/app"], ["/out"])})
    assert find_rewrite(NAME).proposals(facts) == []


@pytest.mark.parametrize(
    ("run", "why"),
    [
        ("npm run build", "what npm run reads is not known"),
        ("npm ci && make", "what make reads is not known"),
        ("npm ci | tee log", "uses |"),
        ("npm ci > log", "uses >"),
        ("npm ci; echo $PATH", "more than a list of plain commands"),
        ("CI=1 npm ci", "sets a variable"),
        ("npm ci --prefix web", "the option --prefix"),
        ("npm ci leftpad", "more than the project's dependencies"),
        ("npm install", "npm ci never does"),
        ("./npm ci", "what ./npm reads is not known"),
        ("cargo fetch", "looks for the sources"),
        ("--mount=type=bind,source=src,target=/s npm ci", "brings in is not known"),
    ],
)
def test_a_command_that_is_not_known_is_not_passed(run: str, why: str) -> None:
    assert_refused(NAME, facts_of(f"FROM d\nWORKDIR /app\nCOPY . .\nRUN {run}\n", NODE), why)


def _package(**fields: object) -> dict[str, str]:
    return {**NODE, "package.json": json.dumps({"name": "x", **fields})}


def _lock(**package: object) -> dict[str, str]:
    lock = {"lockfileVersion": 3, "packages": {"": {}, "node_modules/a": package}}
    return {**NODE, "package-lock.json": json.dumps(lock)}


@pytest.mark.parametrize(
    ("files", "why"),
    [
        (_package(scripts={"postinstall": "patch-package"}), "the script postinstall"),
        (_package(scripts={"prepare": "husky"}), "the script prepare"),
        (_package(workspaces=["packages/*"]), "workspaces"),
        (_package(dependencies={"b": "file:../b"}), "from a local path"),
        (_package(devDependencies={"b": "./b"}), "from a local path"),
        (_package(overrides={"c": {"b": "link:b"}}), "from a local path"),
        (_lock(hasInstallScript=True), "the install script of a"),
        (_lock(resolved="git+ssh://git@host/a.git"), "comes from git"),
        (_lock(link=True, resolved="packages/a"), "from a local path"),
        ({**NODE, "package-lock.json": '{"lockfileVersion": 1}'}, "of an old format"),
        ({**NODE, "node_modules/a/index.js": ""}, "installed already"),
        ({**NODE, "binding.gyp": ""}, "compile the project's own sources"),
        ({**NODE, ".npmrc": "prefix=./here"}, "what prefix in .npmrc"),
        ({**NODE, "bin/npm": ""}, "called npm"),
        ({**NODE, ".npm/x": ""}, "where tools keep their own"),
        ({k: v for k, v in NODE.items() if k != "package-lock.json"}, "needs a lock file"),
        ({**NODE, "package.json": "{"}, "is no JSON"),
    ],
)
def test_a_project_that_makes_npm_read_more_is_left_alone(files: dict[str, str], why: str) -> None:
    facts = facts_of("FROM node\nWORKDIR /root\nCOPY . .\nRUN npm ci\n", files)
    assert_refused(NAME, facts, why)


def test_scripts_that_are_switched_off_read_nothing() -> None:
    files = {**_package(scripts={"postinstall": "x"}), **_lock(hasInstallScript=True)}
    files["package.json"] = _package(scripts={"postinstall": "x"})["package.json"]
    text = "FROM node\nWORKDIR /app\nCOPY . .\nRUN npm ci --ignore-scripts --omit=dev\n"
    assert proposed(NAME, facts_of(text, files))


def test_npm_install_without_a_lock_is_passed_if_it_leaves_package_json_alone() -> None:
    text = "FROM node\nWORKDIR /app\nCOPY . .\nRUN npm install --ignore-scripts\n"
    tidy = json.dumps({"name": "x", "dependencies": {"a": "1", "b": "2"}}, indent=2) + "\n"
    mixed = json.dumps({"name": "x", "dependencies": {"b": "1", "a": "2"}}, indent=2) + "\n"
    files = {"package.json": tidy, "server.js": ""}
    assert "COPY package.json ./\n" in proposed(NAME, facts_of(text, files)).dockerfile_text
    assert_refused(NAME, facts_of(text, {**files, "package.json": mixed}), "may sort")
    squeezed = tidy.replace("\n", "")
    assert_refused(NAME, facts_of(text, {**files, "package.json": squeezed}), "own layout")


@pytest.mark.parametrize(
    ("middle", "why"),
    [
        ("ENV NPM_CONFIG_PREFIX=/x", "NPM_CONFIG_PREFIX"),
        ("ENV NODE_OPTIONS='--require ./src/x.js'", "NODE_OPTIONS"),
        ('SHELL ["/bin/busybox", "sh", "-c"]', "it is run by"),
    ],
)
def test_the_state_that_the_run_is_carried_out_in_counts(middle: str, why: str) -> None:
    text = f"FROM node\nWORKDIR /app\n{middle}\nCOPY . .\nRUN npm ci\n"
    assert_refused(NAME, facts_of(text, NODE), why)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("FROM node\nCOPY . .\nRUN npm ci\n", "copies to / itself"),
        ("FROM node\nWORKDIR /app\nCOPY --link . .\nRUN npm ci\n", "--link"),
        ("FROM node\nWORKDIR /app\nCOPY --parents . .\nRUN npm ci\n", "the flag --parents"),
        ("FROM on-build\nWORKDIR /app\nCOPY . .\nRUN npm ci\n", "ONBUILD"),
        (
            "FROM x AS a\nONBUILD RUN x\nFROM a\nWORKDIR /app\nCOPY . .\nRUN npm ci\n",
            "ONBUILD",
        ),
    ],
)
def test_a_copy_that_cannot_be_followed_is_left_alone(text: str, why: str) -> None:
    bases = {"on-build": BaseImage("on-build", on_build=("RUN x",))}
    modern = facts_of(text, NODE, bases=bases).profiles[-1:]
    assert_refused(NAME, facts_of(text, NODE, bases=bases, profiles=modern), why)


@pytest.mark.parametrize(
    "between", ["WORKDIR /b", "COPY x /y", "USER 1", "VOLUME /app", "SHELL ['sh', '-c']"]
)
def test_nothing_is_moved_past_what_it_may_depend_on(between: str) -> None:
    text = f"FROM node\nWORKDIR /app\nCOPY . .\n{between}\nRUN npm ci\n"
    assert find_rewrite(NAME).proposals(facts_of(text, {**NODE, "x": ""})) == []


def test_a_copy_with_variables_is_not_moved_past_what_sets_them() -> None:
    text = "FROM node\nWORKDIR /app\nARG D=/app\nCOPY . $D\nENV D=/b\nRUN npm ci\n"
    assert find_rewrite(NAME).proposals(facts_of(text, NODE)) == []


def test_a_folder_of_another_mode_is_not_made_by_a_copy_of_one_file() -> None:
    """COPY makes a folder with 0755; the RUN would see that one instead of the project's."""
    text = "FROM d\nWORKDIR /app\nCOPY . .\nRUN x\n"
    access = {(0, 4): (["/app/conf/a"], ["/out"])}
    files = {"conf/a": "", "b": ""}
    assert proposed(NAME, facts_of(text, files, access=access))
    facts = facts_of(text, files, access=access, modes={"conf": 0o700})
    assert_refused(NAME, facts, "mode 0755 instead of its own")


def test_a_folder_that_was_not_sent_itself_is_not_made_either() -> None:
    """The classic client leaves out the ignored parents of a file that is brought back."""
    text = "FROM d\nWORKDIR /app\nCOPY . .\nRUN x\n"
    facts = facts_of(text, {"conf/a": "", "b": ""}, access={(0, 4): (["/app/conf/a"], ["/out"])})
    sent = Manifest(entry for path, entry in facts.build.manifest.items() if path != "conf")
    facts = facts.with_build(replace(facts.build, manifest=sent))
    assert_refused(NAME, facts, "mode 0755 instead of its own")


def test_a_name_that_would_have_to_be_quoted_is_refused() -> None:
    text = "FROM d\nWORKDIR /app\nCOPY . .\nRUN x\n"
    access = {(0, 4): (["/app/a b"], ["/out"])}
    assert_refused(NAME, facts_of(text, {"a b": "", "c": ""}, access=access), "be quoted")


def test_what_lies_in_too_many_places_is_refused() -> None:
    text = "FROM d\nWORKDIR /app\nCOPY . .\nRUN x\n"
    files = {f"{folder}/{name}": "" for folder in "abcdefghij" for name in "xy"}
    access = {(0, 4): ([f"/app/{folder}/x" for folder in "abcdefghij"], ["/out"])}
    assert_refused(NAME, facts_of(text, files, access=access), "too scattered")


def test_a_run_that_may_make_the_folder_above_the_destination_is_not_passed() -> None:
    text = "FROM d\nCOPY src/ /data/src/\nRUN x\n"
    facts = facts_of(text, {"src/a": "", "src/b": ""}, access={(0, 3): ([], ["/data/out"])})
    assert_refused(NAME, facts, "may deal with /data, which COPY makes first")


def test_a_folder_that_is_only_looked_at_counts_as_little_as_it_can() -> None:
    text = "FROM d\nWORKDIR /app\nCOPY . .\nRUN x\n"
    files = {"conf/a": "", "b": ""}
    seen = {(0, 4): (["/app/.", "/app/conf/.", "/app/conf/a"], ["/app/.", "/app/out"])}
    proposal = proposed(NAME, facts_of(text, {**files, "conf/c": ""}, access=seen))
    assert "COPY conf/a ./conf/\nRUN x\nCOPY . .\n" in proposal.dockerfile_text
    alone = facts_of(text, files, access={(0, 4): (["/app/conf/."], ["/app/out"])})
    assert_refused(NAME, alone, "conf is looked at, but not into")
    changed = facts_of(text, files, access={(0, 4): (["/app/b"], ["/app/conf/."])})
    assert_refused(NAME, changed, "/app/conf is copied, and the RUN below may write there")


def test_a_run_that_sees_the_destination_is_not_passed_unless_it_is_there_already() -> None:
    access = {(0, 3): (["/data/."], ["/out"])}
    facts = facts_of("FROM d\nCOPY . /data\nRUN x\n", {"a": "", "b": ""}, access=access)
    assert_refused(NAME, facts, "may deal with /data")


def test_packages_of_the_distribution_may_write_to_system_folders() -> None:
    text = "FROM d\nCOPY src/ /usr/src/app/\nRUN apt-get install -y gcc\n"
    assert_refused(NAME, facts_of(text, {"src/a": "", "src/b": ""}), "may write there")


def test_a_folder_that_is_only_looked_at_may_be_made_by_the_copy_of_a_file_in_it() -> None:
    """Unless it would then have another mode: what ends in ``/.`` is the folder itself."""
    text = "FROM d\nWORKDIR /app\nCOPY . .\nRUN cd src && cat app.js >/out\n"
    files = {"src/app.js": "1", "src/other.js": "2"}
    seen = {(0, 4): (["/app/.", "/app/src/.", "/app/src/app.js"], ["/out"])}
    proposal = proposed(NAME, facts_of(text, files, access=seen))
    assert "COPY src/app.js ./src/\nRUN" in proposal.dockerfile_text
    odd = facts_of(text, files, access=seen, modes={"src": 0o700})
    assert_refused(NAME, odd, "/app/src, which has the mode 700")
