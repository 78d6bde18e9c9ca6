"""``make demo`` where no engine can be had: a simulated one, which it says first and last."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
_OF_MAKE = {"MAKEFLAGS", "MAKELEVEL", "MFLAGS"}


@pytest.mark.slow
def test_the_demo_without_an_engine_is_simulated_and_says_so_first_and_last(
    tmp_path: Path,
) -> None:
    venv = tmp_path / "venv"
    (venv / "bin").mkdir(parents=True)
    bench = venv / "bin/bench"
    bench.write_text(f"#!{sys.executable}\nfrom bench.cli import main\nmain()\n")
    bench.chmod(0o755)
    (venv / ".installed").touch()
    out = tmp_path / "run"

    # Inside `make test` make would tell of its directory first.
    environment = {name: value for name, value in os.environ.items() if name not in _OF_MAKE}
    made = subprocess.run(
        ["make", "demo", f"VENV={venv}", f"DEMO_OUT={out}", "ROUNDS=1"],
        cwd=ROOT,
        env={**environment, "DOCKER_HOST": "unix:///nowhere/docker.sock", "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=600,
    )

    lines = made.stdout.strip().splitlines()
    assert made.returncode == 0, made.stdout
    assert lines[0].startswith("SIMULATED: nothing is built, since no Docker Engine can be had")
    assert "results/reference/java-expose" in lines[0]
    assert lines[-1].startswith("SIMULATED: no build was made and no figure above was measured")
    assert "unix:///nowhere/docker.sock" in made.stdout  # why there is none
    assert "expectations met: 8 of 8" in made.stdout
    head = json.loads((out / "run.json").read_text())
    assert head["simulation"]["times_folder"] == "results/reference/java-expose"
    assert (out / "report/report.md").read_text().startswith("# SIMULATED: ")
