"""Run the command line as another process, the way a user does."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

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
