"""Run the command line as another process, the way a user does."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Mapping

MAIN = "from bench.cli import main; main()"


def bench(
    *arguments: str, environment: Mapping[str, str] | None = None, code: str = MAIN
) -> tuple[int, str]:
    """Run ``bench``; return its exit status and all it said on both streams.

    ``code`` is the Python that runs it.
    """
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, **(environment or {})},
        timeout=300,
        check=False,
    )
    return done.returncode, done.stdout


def leaf_commands(
    group: click.Command, path: tuple[str, ...] = ("bench",)
) -> list[tuple[str, click.Command]]:
    """Return every command below ``group`` that is no group itself, with the words that call it."""
    if not isinstance(group, click.Group):
        return [(" ".join(path), group)]
    context = click.Context(group)
    found = []
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        found += leaf_commands(command, (*path, name))
    return found
