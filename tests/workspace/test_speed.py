"""How long a workspace takes, beside the usual ways to pack the same files, in one run.

The bounds are ratios of times measured next to each other, so that a slow machine does not fail
them; the table is printed with ``pytest -s``.
"""

from __future__ import annotations

import random
import subprocess
import tarfile
import time
from typing import TYPE_CHECKING

import pytest
from docker.utils.build import tar as docker_sdk_tar

from bench.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.speed
REPEATS = 3


def make_files(root: Path, count: int) -> None:
    """Make ``count`` small files of up to 8 KB in about as many folders as a real project has."""
    chance = random.Random(1)  # noqa: S311 - sizes, no secrets
    for number in range(count):
        folder = root / f"package{number % 97}" / f"module{number % 13}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"file{number}.txt").write_bytes(chance.randbytes(chance.randint(10, 8000)))


def best_seconds(action: Callable[[], object]) -> float:
    """The shortest of a few runs: the others were disturbed."""
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return min(times)


@pytest.mark.slow
@pytest.mark.parametrize("count", [5_000, 20_000])
def test_packing_keeps_up_with_the_usual_ways(count: int, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    make_files(source, count)
    start = time.perf_counter()
    workspace = Workspace.create(
        source, tmp_path / "scratch", dockerfile_text="", dockerfile_path="Dockerfile"
    )
    seconds = {"create (two copies)": time.perf_counter() - start}

    start = time.perf_counter()
    for name in ("one", "two"):
        subprocess.run(["cp", "-a", str(source), str(tmp_path / name)], check=True)
    seconds["cp -a, twice"] = time.perf_counter() - start

    start = time.perf_counter()
    workspace.manifest()
    seconds["manifest, cold"] = time.perf_counter() - start
    assert workspace.files_hashed == count + 1

    numbers = iter(range(REPEATS))

    def edit_and_look() -> None:
        (workspace.root / "package0/module0/file0.txt").write_text(f"edit {next(numbers)}")
        workspace.manifest()

    seconds["manifest after one edit"] = best_seconds(edit_and_look)
    assert workspace.files_hashed == count + 1 + REPEATS
    seconds["reset after one edit"] = best_seconds(workspace.reset)
    seconds["pack"] = best_seconds(workspace.pack)

    root, other = str(workspace.root), str(tmp_path / "other.tar")

    def plain_tarfile() -> None:
        with tarfile.open(other, "w", format=tarfile.GNU_FORMAT) as tar:
            tar.add(root, arcname=".")

    seconds["docker SDK's tar"] = best_seconds(lambda: docker_sdk_tar(workspace.root).close())
    seconds["tarfile.add"] = best_seconds(plain_tarfile)
    command = ["tar", "--sort=name", "-C", root, "-cf", other, "."]
    seconds["tar command"] = best_seconds(lambda: subprocess.run(command, check=True))

    print(f"\n{count} files{'':22} seconds   of pack")  # noqa: T201
    for name, value in seconds.items():
        print(f"{name:30} {value:9.3f} {value / seconds['pack']:9.2f}")  # noqa: T201
    assert seconds["manifest after one edit"] < seconds["manifest, cold"]
    assert seconds["pack"] < seconds["docker SDK's tar"]
    assert seconds["pack"] < 10 * seconds["tar command"]
