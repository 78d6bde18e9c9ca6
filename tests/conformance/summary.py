"""Count what was compared, and write it down: one JSON file for each builder and engine."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.conformance.exclusions import EXCLUSIONS

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from tests.conformance.harness import BuildResult, CaseResult, StepResult
    from tests.conformance.targets import Target

_HEAD = """# Conformance of the cache model

How `python -m tests.conformance` counts: a *case* is one generated Dockerfile with its context, in
a sequence of two to six states that are built one after the other on an empty cache of their own;
some states are returns to earlier ones. A *compared step* is an instruction of one of these builds
that the builder looks up in its cache (hit, miss or merged); FROM, instructions without a vertex
and stages that are not needed are compared too, and counted apart as *others*. *Depends* are
compared steps of which the model says that only the bytes a RUN made decide; either outcome
agrees. Builds that failed are not compared, and end their case.
"""


@dataclass
class Tally:
    """Agreement on one kind of step: ``differ`` of ``steps``."""

    steps: int = 0
    differ: int = 0

    def take(self, *, differs: bool) -> None:
        """Count one step."""
        self.steps += 1
        self.differ += differs


@dataclass
class Summary:
    """All that is known of a run on one builder of one engine."""

    target: Target
    seed: int
    cases: int = 0
    regressions: int = 0
    """Minimal cases of earlier disagreements that were built again."""
    builds: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    compared: Counter[str] = field(default_factory=Counter)
    """Compared steps by prediction."""
    others: int = 0
    excluded: Counter[str] = field(default_factory=Counter)
    unknown: int = 0
    by_feature: dict[str, Tally] = field(default_factory=dict)
    by_change: dict[str, Tally] = field(default_factory=dict)
    disagreements: list[dict[str, Any]] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def steps(self) -> int:
        """How many looked-up steps were compared."""
        return sum(self.compared.values())

    def take(self, result: CaseResult) -> None:
        """Count one case."""
        self.cases += 1
        for number, build in enumerate(result.builds):
            self.builds += 1
            self.seconds += build.seconds
            if build.failure:
                self.failed[_short(build.failure)] += 1
            for step in build.steps:
                self._take_step(build, step)
            self._take_differences(result, number, build)

    def take_regression(self, result: CaseResult) -> None:
        """Count a minimal case of an earlier disagreement; its steps are counted nowhere else."""
        self.regressions += 1
        for number, build in enumerate(result.builds):
            self._take_differences(result, number, build)

    def _take_differences(self, result: CaseResult, number: int, build: BuildResult) -> None:
        if build.model_error:
            self._differ(result, number, "the model raised", build.model_error[-400:])
        for step in build.disagreements:
            self._differ(
                result, number, step.text, f"predicted {step.predicted}, seen {step.observed}"
            )

    def _take_step(self, build: BuildResult, step: StepResult) -> None:
        if step.excluded is not None:
            self.excluded[step.excluded] += 1
            return
        if step.predicted == "unknown":
            self.unknown += 1
            return
        if not step.is_looked_up:
            self.others += 1
        else:
            self.compared[step.predicted] += 1
        for feature in step.features:
            self.by_feature.setdefault(feature, Tally()).take(differs=step.differs)
        if step.is_looked_up or step.differs:
            for change in build.change.split(" + "):
                self.by_change.setdefault(change, Tally()).take(differs=step.differs)

    def _differ(self, result: CaseResult, number: int, text: str, how: str) -> None:
        self.disagreements.append(
            {"case": result.case.name, "state": number, "step": text, "how": how}
        )

    def document(self) -> dict[str, Any]:
        """Return everything as plain data, for the JSON file."""
        target = self.target
        return {
            "builder": target.builder,
            "engine": target.version,
            "image_store": target.image_store,
            "profile": target.profile.name,
            "seed": self.seed,
            "cases": self.cases,
            "regressions": self.regressions,
            "builds": self.builds,
            "build_seconds": round(self.seconds, 1),
            "failed_builds": dict(self.failed.most_common()),
            "steps_compared": self.steps,
            "by_prediction": dict(sorted(self.compared.items())),
            "other_steps": self.others,
            "unknown_steps": self.unknown,
            "excluded_steps": dict(self.excluded),
            "disagreements": self.disagreements,
            "by_feature": _tallies(self.by_feature),
            "by_change": _tallies(self.by_change),
        }


def _tallies(tallies: dict[str, Tally]) -> dict[str, dict[str, int]]:
    return {
        name: {"steps": one.steps, "disagreements": one.differ}
        for name, one in sorted(tallies.items())
    }


def _short(error: str) -> str:
    """Return the last line of an error without what differs from case to case."""
    line = error.strip().splitlines()[-1]
    return " ".join(word for word in line.split() if not word.startswith(("sha256:", "localhost")))


def write(folder: Path, documents: Iterable[dict[str, Any]]) -> None:
    """Write the JSON file of every run, and the table of all files that are there."""
    folder.mkdir(parents=True, exist_ok=True)
    for document in documents:
        version = document["engine"].partition("+")[0]
        name = f"{document['builder']}-{version}-{document['image_store']}.json"
        (folder / name).write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n")
    known = [json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))]
    (folder / "README.md").write_text(markdown(known))


def markdown(documents: list[dict[str, Any]]) -> str:
    """Return the tables of several runs."""
    rows = [
        "| Builder | Engine | Image store | Seed | Cases | Builds | Failed | Compared steps | Hit "
        "| Miss | Merged | Depends | Others | Excluded | Unknown | Disagreements |",
        "|---|---|---|" + "---:|" * 13,
    ]
    for one in documents:
        by = one["by_prediction"]
        cells = [
            one["builder"],
            one["engine"].partition("+")[0],
            one["image_store"],
            one["seed"],
            one["cases"],
            one["builds"],
            sum(one["failed_builds"].values()),
            one["steps_compared"],
            *(by.get(kind, 0) for kind in ("hit", "miss", "merged", "depends")),
            one["other_steps"],
            sum(one["excluded_steps"].values()),
            one["unknown_steps"],
            len(one["disagreements"]),
        ]
        rows.append("| " + " | ".join(str(cell) for cell in cells) + " |")
    features = _matrix("Instruction", documents, "by_feature")
    changes = _matrix("Change", documents, "by_change")
    return "\n".join(
        [
            _HEAD,
            *rows,
            "",
            "## Agreement per rule",
            "",
            "Steps that agree of steps compared; an instruction counts in every row it fits.",
            "",
            *features,
            "",
            "## Agreement per change",
            "",
            *changes,
            "",
            *_exclusions(),
        ]
    )


def _matrix(title: str, documents: list[dict[str, Any]], key: str) -> list[str]:
    heads = [
        f"{one['builder']} {one['engine'].partition('+')[0]} {one['image_store']}"
        for one in documents
    ]
    names = sorted({name for one in documents for name in one[key]})
    rows = [f"| {title} | " + " | ".join(heads) + " |", "|---|" + "---:|" * len(heads)]
    for name in names:
        cells = [_agreement(one[key].get(name)) for one in documents]
        rows.append(f"| {name} | " + " | ".join(cells) + " |")
    return rows


def _agreement(tally: dict[str, int] | None) -> str:
    if tally is None:
        return ""
    return f"{tally['steps'] - tally['disagreements']}/{tally['steps']}"


def _exclusions() -> list[str]:
    if not EXCLUSIONS:
        return []
    rows = ["## Excluded", ""]
    rows += [f"- **{one.name}**: {one.why} ({one.source})" for one in EXCLUSIONS]
    return [*rows, ""]
