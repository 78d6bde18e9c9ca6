"""Running other programs on the scratch copy: the user's commands, and git for patches."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
from typing import IO, TYPE_CHECKING

from bench.errors import ChangeError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_TAIL_BYTES = 2000


def run_program(
    command: Sequence[str],
    *,
    folder: Path,
    timeout: float,
    environment: Mapping[str, str],
    remedy: str,
) -> None:
    """Run a command in ``folder`` with PATH and ``environment``, nothing else of the caller's.

    After ``timeout`` seconds it is ended, and at its end everything that it left running.
    ``remedy`` says what to do where its status is not 0.

    Raises:
        ChangeError: it cannot be started, takes too long, or ends with another status than 0.

    """
    with (
        tempfile.TemporaryDirectory(prefix="bench-home-") as home,
        tempfile.TemporaryFile() as output,
    ):
        variables = {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": home,
            "LANG": "C.UTF-8",
            **environment,
        }
        status = _status(command, folder, variables, output, timeout)
        tail = _tail(output)
    if status is None:
        raise ChangeError(
            f"command {command[0]!r} took longer than {timeout:g} s{tail}",
            remedy="give it more with timeout = SECONDS",
        )
    if status != 0:
        raise ChangeError(
            f"command {command[0]!r} ended with status {status}{tail}",
            remedy=remedy,
        )


def _status(
    command: Sequence[str],
    folder: Path,
    variables: Mapping[str, str],
    output: IO[bytes],
    timeout: float,
) -> int | None:
    try:
        process = subprocess.Popen(
            list(command),
            cwd=folder,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        raise ChangeError(
            f"command {command[0]!r} cannot be started: {error}",
            remedy="name a program that is installed, or ./PATH inside the context",
        ) from error
    try:
        return process.wait(timeout)
    except subprocess.TimeoutExpired:
        return None
    finally:
        # Whatever it left in the background would go on changing the tree under the build.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _tail(output: IO[bytes]) -> str:
    """Return the end of what was printed, for a message."""
    size = output.seek(0, os.SEEK_END)
    output.seek(max(0, size - _TAIL_BYTES))
    text = output.read().decode("utf-8", "replace").strip()
    return f": {text}" if text else ""
