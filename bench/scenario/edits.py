"""An edit that leaves a file as good as it was: a comment line, or another description.

What the format of a file does not surely allow is left alone, and the reason is given.
"""

from __future__ import annotations

import json
import re
from pathlib import PurePosixPath
from typing import NamedTuple

from bench.changes.bump import bump
from bench.changes.paths import path_fault
from bench.changes.placeholders import has_placeholder
from bench.errors import ChangeError

LARGEST_EDIT = 1 << 20
"""Longer files are data rather than something that is edited by hand, in bytes."""

_SLASHES = (
    "java js mjs cjs jsx ts tsx mts cts go c h cc cpp cxx hh hpp hxx cs kt kts scala swift rs "
    "groovy gradle dart proto less scss zig fs fsx sol jsonc json5"
)
_HASHES = (
    "py pyi pyx rb sh bash zsh ksh fish yaml yml toml r tcl ex exs nim jl cr tf tfvars hcl "
    "ps1 psm1 mk cmake properties env cfg conf graphql gql rake gemspec"
)
_TAGS = (
    "html htm xhtml xml md markdown svg xsd xsl xslt fxml plist pom csproj fsproj vbproj props "
    "targets resx vue svelte"
)
_STYLES = {
    "// {id}\n": _SLASHES,
    "# {id}\n": _HASHES,
    "<!-- {id} -->\n": _TAGS,
    "/* {id} */\n": "css",
    "-- {id}\n": "sql lua hs elm adb ads",
    "; {id}\n": "ini clj cljs lisp scm el",
    "% {id}\n": "erl tex",
}
_BY_SUFFIX = {suffix: text for text, listed in _STYLES.items() for suffix in listed.split()}
_BY_NAME = {
    **dict.fromkeys(("go.mod", "go.work", "jenkinsfile"), "// {id}\n"),
    **dict.fromkeys(
        ("makefile", "gnumakefile", "gemfile", "rakefile", "pipfile", "vagrantfile"),
        "# {id}\n",
    ),
    **dict.fromkeys(("cmakelists.txt", "constraints.txt", ".env"), "# {id}\n"),
    **dict.fromkeys(("readme", "license", "changelog", "authors", "notice"), "{id}\n"),
    **dict.fromkeys(("readme.txt", "license.txt", "changelog.txt", "notice.txt"), "{id}\n"),
}
_REQUIREMENTS = re.compile(r"requirements[^/]*\.(?:txt|in)", re.IGNORECASE)
_INTERPRETER = re.compile(r"#![^\n]*\b(sh|bash|dash|zsh|ksh|python|perl|ruby|node)[0-9.]*\b")
_LOCKS = {
    "package-lock.json",
    "npm-shrinkwrap.json",
    "pnpm-lock.yaml",
    "packages.lock.json",
    "go.sum",
    "go.work.sum",
    "gradle.lockfile",
}
_RELEASE = re.compile(r"(\d+\.\d+)\.\d+")


class Edit(NamedTuple):
    """An operation as a scenario file writes it: its keys and values, in their order."""

    step: dict[str, str]


class LeftOut(NamedTuple):
    """Why a file is not edited, in a few words."""

    reason: str


def name_fault(path: str) -> str:
    """Say why a scenario cannot name the file; "" where it can."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return "its name is not UTF-8"
    if has_placeholder(path):
        return "its name reads as a placeholder"
    return path_fault(path)


def edit_of(path: str, content: bytes) -> Edit | LeftOut:
    """Return an edit of the file that makes its content new each time and harms no build."""
    if fault := name_fault(path):
        return LeftOut(fault)
    if len(content) > LARGEST_EDIT:
        return LeftOut("too large to be edited by hand")
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return LeftOut("not a UTF-8 text")
    if "\0" in text:
        return LeftOut("not a text")
    if is_lock_file(path):
        return LeftOut("a lock file: its tool checks what is in it")
    if PurePosixPath(path).suffix.lower() == ".json":
        return _json_edit(path, content)
    return _comment(path, text)


def is_lock_file(path: str) -> bool:
    """Tell whether a tool writes the file and checks it, so that it must not be edited."""
    name = PurePosixPath(path).name.lower()
    return name in _LOCKS or name.endswith(".lock")


def _json_edit(path: str, content: bytes) -> Edit | LeftOut:
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        return LeftOut("not plain JSON, which knows no comments")
    for key, value in _json_values(document if isinstance(document, dict) else {}):
        try:
            bump(path, content, key, value)
        except ChangeError:
            continue
        return Edit({"bump": path, "key": key, "value": value})
    return LeftOut("JSON knows no comments, and this has no version or description to change")


def _json_values(document: dict[str, object]) -> list[tuple[str, str]]:
    """Return what may be changed: a description is read by people alone, so it comes first."""
    description, version = document.get("description"), document.get("version")
    found = []
    if isinstance(description, str) and not has_placeholder(description):
        found.append(("description", f"{description} {{id}}".lstrip()))
    release = _RELEASE.fullmatch(version) if isinstance(version, str) else None
    if release is not None:
        found.append(("version", f"{release[1]}.{{port}}"))
    return found


def _comment(path: str, text: str) -> Edit | LeftOut:
    style = _style(path, text)
    if style is None:
        return LeftOut("no comment style is known for this kind of file")
    if text.rstrip().endswith("\\"):
        return LeftOut("its last line goes on, so no line can be added")
    break_before = "" if not text or text.endswith("\n") else "\n"
    return Edit({"append": path, "text": break_before + style})


def _style(path: str, text: str) -> str | None:
    name = PurePosixPath(path).name.lower()
    suffix = PurePosixPath(name).suffix.lstrip(".")
    if text.lstrip("\ufeff \t\r\n").startswith("<?xml"):
        return "<!-- {id} -->\n"  # also where the ending says something else
    if _REQUIREMENTS.fullmatch(name):
        return "# {id}\n"
    if suffix == "php":
        return _php(text)
    if suffix == "rst":
        return "\n.. {id}\n"
    style = _BY_NAME.get(name) or _BY_SUFFIX.get(suffix)
    if style is None and not suffix and (interpreter := _INTERPRETER.match(text)):
        return "// {id}\n" if interpreter[1] == "node" else "# {id}\n"
    return style


def _php(text: str) -> str | None:
    """Return a comment for PHP code; a file that ends as HTML needs the code opened first."""
    if text.rstrip().endswith("?>"):
        return "<?php // {id}\n"
    return "// {id}\n" if "<?php" in text and "?>" not in text else None
