"""Run the command line as another process, the way a user does."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest

from bench.cli import main

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


@dataclass
class Shown:
    """What a command said, and its exit status."""

    returncode: int
    stdout: str
    stderr: str


def bench_here(
    *arguments: str | os.PathLike[str], columns: int = 80, folder: Path | None = None
) -> Shown:
    """Run the command in this process: as a process of its own each would take a second."""
    out, errors = io.StringIO(), io.StringIO()
    handler = signal.getsignal(signal.SIGTERM)
    with (
        pytest.MonkeyPatch.context() as patch,
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(errors),
    ):
        patch.setattr(sys, "argv", ["bench", *(str(word) for word in arguments)])
        patch.setenv("COLUMNS", str(columns))
        patch.chdir(folder or Path.cwd())
        with pytest.raises(SystemExit) as ended:
            main()
    signal.signal(signal.SIGTERM, handler)
    assert isinstance(ended.value.code, int)
    return Shown(ended.value.code, out.getvalue(), errors.getvalue())


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
