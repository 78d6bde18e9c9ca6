"""The documents name everything there is: commands, options, exit statuses, scenarios, targets."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from bench.cli import cli
from bench.errors import ExitCode
from tests.support.command import leaf_commands

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


COMMANDS = leaf_commands(cli)


@pytest.mark.parametrize(("path", "command"), COMMANDS, ids=[path for path, _ in COMMANDS])
def test_every_command_and_option_is_in_the_readme(path: str, command: click.Command) -> None:
    section = re.search(rf"^### `{re.escape(path)}.*?(?=^#)", README + "\n#", re.M | re.S)

    assert section is not None, f"the README has no section ### `{path}`"
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            for option in parameter.opts:
                if option != "-h":
                    assert f"`{option}" in section[0], f"{path} {option} is not in the README"


@pytest.mark.parametrize("code", list(ExitCode))
def test_every_exit_status_is_in_the_readme(code: ExitCode) -> None:
    assert re.search(rf"^\| {code.value} \|", README, re.M)


def test_no_command_in_the_readme_is_unknown() -> None:
    known = {path for path, _ in COMMANDS}
    for line in re.findall(r"^ {4}bench (.*)$", README, re.M):
        words = [word for word in line.split() if not word.startswith("-")]
        assert f"bench {words[0]}" in known or f"bench {' '.join(words[:2])}" in known, line


def test_every_scenario_is_in_the_readme() -> None:
    for folder in sorted((ROOT / "scenarios").iterdir()):
        if (folder / "scenario.toml").exists():
            assert f"`{folder.name}`" in README


def test_every_link_in_the_readme_leads_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        if "://" not in target:
            assert (ROOT / target).exists(), target


def test_every_make_target_in_the_readme_exists() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"`make ([a-z-]+)`", README):
        assert re.search(rf"^{target}:", makefile, re.M), target


def test_the_changelog_is_in_keep_a_changelog_form() -> None:
    text = (ROOT / "CHANGELOG.md").read_text()

    assert text.startswith("# Changelog\n")
    assert "## [Unreleased]" in text
    kinds = set(re.findall(r"^### (.*)$", text, re.M))
    assert kinds <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def test_messages_name_only_commands_that_exist() -> None:
    """A remedy that names a command of the future helps nobody."""
    known = {path.split()[1] for path, _ in COMMANDS}
    named = {
        match
        for file in (ROOT / "bench").rglob("*.py")
        for match in re.findall(
            r"\bbench (doctor|check|compare|advise|orderings|replay|explain|predict|run|plan|"
            r"report|init|clean|schema|engine|bases)\b",
            file.read_text(),
        )
    }

    assert named <= known
