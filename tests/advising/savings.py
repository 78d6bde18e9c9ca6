"""``python -m tests.advising.savings``: what advice saves on real applications, measured.

Every application becomes a git repository whose commits are the changes of its scenario, as often
as their weights say. `bench advise --observe --verify` is then run on it as a user would, on each
builder; the table of what was expected and what was measured is written to results/advice.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from docker.errors import ImageNotFound

from bench.bases import resolve_base
from bench.changes import ChangeIds, SourceState, apply_change
from bench.engine import connect
from bench.journal import read_journal
from bench.scenario import dockerfile_text, load_scenario
from bench.workspace import Workspace
from tests.advising.projects import commit_all
from tests.advising.savings_table import write_table
from tests.orderings.application_subjects import scenario_folders

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bench.scenario import Change, Scenario

RESULTS = Path("results/advice")
_COMMITS = 20
_BUILDERS = ("classic", "buildkit")
_TITLES = {0: "better", 1: "not equal", 6: "nothing better"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return its exit status."""
    options = _parser().parse_args(arguments)
    options.results.mkdir(parents=True, exist_ok=True)
    worst = 0
    for folder in scenario_folders():
        if options.scenario and folder.name not in options.scenario:
            continue
        for builder in options.builder or _BUILDERS:
            file = options.results / f"{folder.name}-{builder}.json"
            if file.exists() and not options.again:
                continue
            document = measure(load_scenario(folder), builder, options.rounds)
            worst = max(worst, document["status"] not in _TITLES, document["status"] == 1)
            file.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n")
            sys.stdout.write(f"{folder.name} on {builder}: {document['outcome']}\n")
            sys.stdout.flush()
    write_table(options.results)
    return int(worst)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.advising.savings", description=__doc__)
    parser.add_argument("--scenario", action="append", help="only the application of that name")
    parser.add_argument("--builder", action="append", choices=_BUILDERS)
    parser.add_argument("--rounds", type=int, default=6, help="rounds of every measurement")
    parser.add_argument("--again", action="store_true", help="measure what is measured already")
    parser.add_argument("--results", type=Path, default=RESULTS)
    return parser


def measure(scenario: Scenario, builder: str, rounds: int) -> dict[str, Any]:
    """Advise on one application and verify it; return what came of it."""
    with (
        tempfile.TemporaryDirectory(prefix="cachebench-savings-") as folder,
        named_bases(scenario),
    ):
        project = Path(folder, scenario.name)
        make_repository(scenario, project)
        variant = scenario.variant(scenario.baseline)
        command = [
            *(sys.executable, "-c", "from bench.cli import main; main()", "advise"),
            *(str(project / "Dockerfile"), "--builder", builder, "--observe", "--verify"),
            *("--rounds", str(rounds), "--json", "--out", str(Path(folder, "out"))),
            *(word for key, value in variant.build_args.items() for word in _arg(key, value)),
            *(("--target", variant.target) if variant.target else ()),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        found: dict[str, Any] = {
            "application": scenario.name,
            "builder": builder,
            "status": done.returncode,
            "outcome": _TITLES.get(done.returncode, f"failed: {done.stderr[-800:]}"),
        }
        if done.stdout.startswith("{"):
            advice = json.loads(done.stdout)
            found |= {
                key: advice[key]
                for key in ("expected_seconds", "changes", "rewrites", "reasons", "obligations")
            }
            found["diff"] = advice["diff"].replace(f"{project}/", "")
            verified = advice["verification"]
            found["verification"] = verified and {**verified, "run": ""}
            found["rebuilds"] = list(rebuilds(advice, Path(folder, "out/verify")))
            found["engine"] = engine(Path(folder, "out/cold"))
        return found


@contextlib.contextmanager
def named_bases(scenario: Scenario) -> Iterator[None]:
    """Let the engine have the stand-ins of a scenario under the names that its Dockerfiles use."""
    client = connect()
    made = []
    for image, wish in scenario.bases.items():
        try:
            client.images.get(image)
        except ImageNotFound:
            base = resolve_base(client, image, wish, progress=_tell)
            client.images.get(base.local_tag).tag(*image.split(":"))
            made.append(image)
    try:
        yield
    finally:
        for image in made:
            client.images.remove(image)
        client.close()


def _tell(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def _arg(key: str, value: str) -> tuple[str, str]:
    return "--build-arg", f"{key}={value}"


def make_repository(scenario: Scenario, project: Path) -> None:
    """Make a repository of the application, with commits that are its changes."""
    variant = scenario.variant(scenario.baseline)
    shutil.copytree(scenario.context, project, symlinks=True)
    (project / "Dockerfile").write_text(dockerfile_text(scenario, variant))
    ignore = project / ".dockerignore"
    patterns = ignore.read_text() if ignore.exists() else ""
    if ".git" not in patterns.split():
        ignore.write_text(f"{patterns}.git\n")
    subprocess.run(["git", "init", "--quiet", str(project)], check=True)
    commit_all(project, "first")
    total = sum(change.weight for change in scenario.changes)
    number = 0
    for change in scenario.changes:
        for _ in range(round(_COMMITS * change.weight / total)):
            number += 1
            _commit(scenario, change, project, number)


def _commit(scenario: Scenario, change: Change, project: Path, number: int) -> None:
    """Apply one change to the pristine tree, and commit in the project what it changed there."""
    variant = scenario.variant(scenario.baseline)
    with tempfile.TemporaryDirectory() as scratch:
        workspace = Workspace.create(
            scenario.context,
            Path(scratch, "copy"),
            dockerfile_text=dockerfile_text(scenario, variant),
            dockerfile_path="Dockerfile",
        )
        before = workspace.manifest()
        state = SourceState(
            root=workspace.root,
            dockerfile="Dockerfile",
            source=scenario.context,
            pristine=workspace.pristine,
            scenario=scenario.directory,
            build_args=dict(variant.build_args),
        )
        apply_change(change, state, ChangeIds(f"{number:012x}", 2000 + number, number, 0))
        for path in before.diff(workspace.manifest()).paths:
            made, place = workspace.root / path, project / path
            if made.is_file():
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(made, place)
            elif place.is_file() and not made.exists():
                place.unlink()
    commit_all(project, f"{change.name} {number}")


def rebuilds(advice: dict[str, Any], run: Path) -> Iterator[dict[str, Any]]:
    """Yield what every rebuild was expected to take, and the median that was measured."""
    if not (run / "run.json").exists():
        return
    head = json.loads((run / "run.json").read_text())
    titles = {change["name"]: change["title"] for change in head["changes"]}
    expected = {change["name"]: change["expected_seconds"] for change in advice["changes"]}
    walls: dict[tuple[str, str], list[float]] = {}
    for record in read_journal(run):
        if record.phase == "change" and record.outcome == "ok":
            walls.setdefault((record.variant, record.change), []).append(record.wall_seconds)
    for (variant, change), seconds in sorted(walls.items()):
        kind = "written" if variant == "as-written" else "advised"
        yield {
            "variant": variant,
            "change": titles[change],
            "expected": expected[titles[change]][kind],
            "measured": statistics.median(seconds),
            "n": len(seconds),
        }


def engine(run: Path) -> dict[str, Any]:
    """Return on which engine and processor a run was made."""
    said = json.loads((run / "run.json").read_text())["engine"]
    return {key: said.get(key) for key in ("version", "image_store", "cpu_model", "cpus")}


if __name__ == "__main__":
    sys.exit(main())
