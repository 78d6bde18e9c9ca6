"""The head of a run folder, ``run.json``: everything about a run that is not a build."""

from __future__ import annotations

import dataclasses
import json
import os
import platform
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import docker

import bench
from bench.dataset.run import FORMAT, RUN_NAME
from bench.errors import RecordsError
from bench.runner.plan import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from bench.dataset.predictions import PredictionCounts, WrongPrediction
    from bench.engine import EngineInfo
    from bench.runner.expectations import ExpectationResult
    from bench.runner.site import BaseFact
    from bench.scenario import Scenario


@dataclass
class RunHead:
    """What ``run.json`` says. It is written when the run begins and again when it ends."""

    run: str
    scenario: Scenario
    dockerfiles: dict[str, str]
    settings: Settings
    started_at: str
    engine: EngineInfo
    bases: Sequence[BaseFact]
    attempt: int = 0
    state: str = "running"
    simulation: Mapping[str, object] | None = None
    excluded: list[str] = field(default_factory=list)
    expectations: list[ExpectationResult] = field(default_factory=list)
    predictions: PredictionCounts | None = None
    disagreements: Sequence[WrongPrediction] = ()
    replay: Mapping[str, object] | None = None

    def write(self, folder: Path) -> None:
        """Write the file whole: a kill leaves the old one or the new one.

        Raises:
            RecordsError: the folder cannot be written.

        """
        path = folder / RUN_NAME
        draft = path.with_suffix(".json.new")
        try:
            with draft.open("w") as file:
                json.dump(self._document(), file, ensure_ascii=False, indent=1)
                file.write("\n")
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
        except OSError as error:
            raise RecordsError(
                f"{path}: cannot write the head of the run: {error.strerror}",
                remedy="make room, or choose a folder that can be written with --out",
            ) from error

    def _document(self) -> dict[str, Any]:
        scenario = self.scenario
        engine = dataclasses.asdict(self.engine)
        return {
            "format": FORMAT,
            "run": self.run,
            "state": self.state,
            "attempt": self.attempt,
            "scenario": scenario.name,
            "scenario_path": str(scenario.directory),
            "title": scenario.title,
            "question": scenario.question,
            "title_i18n": scenario.title_i18n,
            "question_i18n": scenario.question_i18n,
            "baseline": scenario.baseline,
            "variants": [
                {
                    "name": name,
                    "title": scenario.variant(name).title,
                    "dockerfile_text": self.dockerfiles[name],
                }
                for name in self.settings.variants
            ],
            "changes": [
                {
                    "name": name,
                    "title": scenario.change(name).title,
                    "weight": scenario.change(name).weight,
                }
                for name in self.settings.changes
            ],
            "builders": list(self.settings.builders),
            "rounds": self.settings.rounds,
            "cold": self.settings.cold,
            "warmup": self.settings.warmup,
            "seed": self.settings.seed,
            "settings": dataclasses.asdict(self.settings),
            "started_at": self.started_at,
            "engine": engine,
            "simulation": None if self.simulation is None else dict(self.simulation),
            "bases": [
                {
                    "image": base.image,
                    "local_tag": base.local_tag,
                    "image_id": base.image_id,
                    "source": base.source,
                }
                for base in self.bases
            ],
            "versions": {
                "cachebench": bench.__version__,
                "python": platform.python_version(),
                "docker_sdk": docker.__version__,
            },
            "expectations": [
                {
                    "variant": result.variant,
                    "change": result.change,
                    "builder": result.builder,
                    "outcome": "met" if result.met else "broken",
                    "builds": result.builds,
                    "problems": list(result.problems),
                }
                for result in self.expectations
            ],
            "predictions": self._predictions(),
            "excluded": list(self.excluded),
            "orderings": scenario.orderings,
            "replay": None if self.replay is None else dict(self.replay),
            "verdicts": [
                {
                    "ask": verdict.ask,
                    "variant": verdict.variant,
                    "against": verdict.against,
                    "change": verdict.change,
                    "builder": verdict.builder,
                    "metric": verdict.metric,
                    "margin": verdict.margin,
                }
                for verdict in scenario.verdicts
            ],
        }

    def _predictions(self) -> dict[str, Any] | None:
        if self.predictions is None:
            return None
        return {
            **dataclasses.asdict(self.predictions),
            "disagreements": [
                {
                    name: value
                    for name, value in dataclasses.asdict(one).items()
                    if name not in {"run", "engine"}
                }
                for one in self.disagreements
            ],
        }


def read_head(folder: Path) -> dict[str, Any]:
    """Read ``run.json`` of a run folder as it is.

    Raises:
        RecordsError: there is none, or it is not one that this version understands.

    """
    path = folder / RUN_NAME
    remedy = "name the folder of a run (bench run prints it)"
    try:
        document: Any = json.loads(path.read_text())
    except OSError as error:
        raise RecordsError(f"{path}: {error.strerror}", remedy=remedy) from error
    except ValueError as error:
        raise RecordsError(f"{path}: is not JSON ({error})", remedy=remedy) from error
    if not isinstance(document, dict) or "settings" not in document:
        raise RecordsError(f"{path}: is not the head of a run", remedy=remedy)
    if document.get("format") != FORMAT:
        raise RecordsError(
            f"{path}: has format {document.get('format')!r}, this version reads {FORMAT}",
            remedy="use the version of cachebench that made the run",
        )
    return document


def stored_settings(document: dict[str, Any]) -> Settings:
    """Return the settings that a run was begun with."""
    stored = dict(document["settings"])
    for name in ("builders", "variants", "changes"):
        stored[name] = tuple(stored[name])
    return Settings(**stored)
