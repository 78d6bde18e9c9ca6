"""The README's commands do what it says: they are taken out of its text and run."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
pytestmark = pytest.mark.engine


def commands_of(section: str) -> list[str]:
    """Return the indented ``bench`` lines of one section, without comments."""
    match = re.search(rf"^#+ {re.escape(section)}\n(.*?)(?=^#)", README + "\n#", re.M | re.S)
    assert match is not None, section
    return re.findall(r"^ {4}(bench [^#\n]*)", match[1], re.M)


def run(command: str, folder: Path) -> str:
    """Run one command as the reader would, from ``folder``."""
    shown = subprocess.run(
        [sys.executable, "-c", "from bench.cli import main; main()", *shlex.split(command)[1:]],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        cwd=folder,
        env={**os.environ, "COLUMNS": "100"},
    )
    assert shown.returncode == 0, f"{command}\n{shown.stdout}\n{shown.stderr}"
    return shown.stdout


def test_measuring_your_own_dockerfile(default_busybox_image: str, tmp_path: Path) -> None:
    project = tmp_path / "path/to/project"
    project.mkdir(parents=True)
    (tmp_path / "scenarios").mkdir()
    (project / "main.py").write_text("print('hello')\n")
    (project / "Dockerfile").write_text(
        f"FROM {default_busybox_image}\nWORKDIR /app\nCOPY main.py .\nRUN cat main.py > out\n"
        'EXPOSE 80\nCMD ["cat", "out"]\n'
    )
    commands = commands_of("Measure your own Dockerfile")

    assert [command.split()[1] for command in commands] == ["init", "plan", "run", "report"]
    for command in commands:
        run(command, tmp_path)
    assert (tmp_path / "results/mine/report/report.md").exists()


def test_the_examples_of_run_resume_and_report(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "scenarios/hello-stages", tmp_path / "scenarios/hello-stages")

    for command in [*commands_of("`bench run PATH…`"), *commands_of("`bench report RUN…`")]:
        run(command, tmp_path)
    assert list((tmp_path / "results/hello/report").glob("**/*.svg"))


def test_the_scenario_that_is_shown_is_one(tmp_path: Path) -> None:
    """The TOML of the README, beside the real Dockerfile and application, loads."""
    text = re.search(r"^```toml\n(.*?)^```", README, re.M | re.S)
    assert text is not None
    shutil.copytree(ROOT / "scenarios/java-iotd", tmp_path / "shown")
    (tmp_path / "shown/scenario.toml").write_text(text[1])

    assert "as-written, metadata-first" in run("bench plan shown", tmp_path)
