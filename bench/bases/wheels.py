"""Wheels for the Python stand-in: a folder that pip installs from in place of an index."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from bench.bases.host import run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PYTHON_VERSION = "3.11"
"""The oldest Python that a stand-in can hold: that of Debian 12, which ``bench`` itself needs."""
_REMEDY = "check pip on this host (pip download requests must work), or docker pull the image"


def add_wheels(context: Path, recipe_folder: Path, progress: Callable[[str], None]) -> None:
    """Put ``wheels``, with all that the recipe's requirements need, into a build context.

    They are fetched on the host, with the user's own pip settings, proxies and certificates, so
    that none of these has to enter an image. Only wheels of plain Python are taken: they fit the
    image's Python and processor, whatever those of the host are.

    Raises:
        BaseImageError: a package cannot be had.

    """
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    pure = ["--only-binary=:all:", "--platform=any", "--implementation=py"]
    pure.append(f"--python-version={PYTHON_VERSION}")
    progress("python: fetching wheels")
    for requirements in sorted(recipe_folder.rglob("requirements.txt")):
        where = ["--dest", str(context / "wheels"), "--requirement", str(requirements)]
        run([*pip, *pure, *where], "pip cannot fetch the wheels", remedy=_REMEDY)
