"""Synthetic runs: journals written with real records, for layouts no single real run would show."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from bench.builders.protocol import BuildOutcome, StageTiming, Step, StepOutcome
from bench.journal import BuildRecord, Disagreement, Journal
from bench.noise import Noise

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

ENGINE: dict[str, Any] = {
    "id": "ABCD",
    "version": "20.10.24",
    "api_version": "1.41",
    "image_store": "graphdriver",
    "storage_driver": "overlay2",
    "data_root_filesystem": "ext4",
    "kernel": "6.1.0",
    "cpu_model": "A CPU",
    "cpus": 2,
    "memory_bytes": 8_000_000_000,
    "os": "Debian GNU/Linux 12",
}
JAVA = (
    ("builder", "FROM diamol/maven AS builder", 0.0),
    ("builder", "WORKDIR /usr/src/iotd", 0.1),
    ("builder", "COPY pom.xml .", 0.1),
    ("builder", "RUN mvn -B dependency:go-offline", 4.0),
    ("builder", "COPY . .", 0.1),
    ("builder", "RUN mvn package", 2.5),
    ("1", "FROM diamol/openjdk", 0.0),
    ("1", "WORKDIR /app", 0.1),
    ("1", "COPY --from=builder /usr/src/iotd/target/iotd-service-0.1.0.jar .", 0.2),
    ("1", "EXPOSE 80", 0.1),
    ("1", 'ENTRYPOINT ["java", "-jar", "/app/iotd-service-0.1.0.jar"]', 0.1),
)
JAVA_FIRST = (*JAVA[:7], JAVA[9], JAVA[10], JAVA[7], JAVA[8])
CONFIG = {"EXPOSE", "ENTRYPOINT", "CMD", "ENV", "LABEL"}

Plan = tuple[tuple[str, str, float], ...]


@dataclass
class Maker:
    """Writes one run. ``misses`` says per (variant, change) which steps a change makes miss.

    ``predicted`` gives every step a prediction, and every miss a reason; ``wrong`` says per
    (variant, change) of which step the prediction was that it hits.
    """

    variants: Mapping[str, Plan]
    changes: Mapping[str, float]
    misses: Mapping[tuple[str, str], Sequence[int]]
    builders: Sequence[str] = ("classic", "buildkit")
    rounds: int = 3
    run: str = "run-1"
    scenario: str = "java-iotd"
    title: str = "Java: should EXPOSE and ENTRYPOINT go earlier?"
    question: str = "Does moving EXPOSE/ENTRYPOINT to the top of the final stage raise cache reuse?"
    engine: Mapping[str, Any] = field(default_factory=lambda: dict(ENGINE))
    broken: Mapping[tuple[str, str], BuildOutcome] = field(default_factory=dict)
    unstable: frozenset[str] = frozenset()
    texts: Mapping[tuple[str, str], str] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)
    predicted: bool = False
    wrong: Mapping[tuple[str, str], int] = field(default_factory=dict)
    seed: int = 7
    noise: float = 0.08

    def write(self, folder: Path) -> Path:
        """Write run.json and journal.jsonl into ``folder`` and return it."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "run.json").write_text(json.dumps(self.head(), ensure_ascii=False))
        journal = Journal(folder)
        for record in self.records():
            journal.append(record)
        return folder

    def head(self) -> dict[str, Any]:
        """Return what stands in run.json."""
        return {
            "format": 1,
            "run": self.run,
            "scenario": self.scenario,
            "scenario_path": f"scenarios/{self.scenario}",
            "title": self.title,
            "question": self.question,
            "title_i18n": {"ko": "자바: EXPOSE와 ENTRYPOINT를 위로 올려야 할까?"},
            "question_i18n": {},
            "baseline": next(iter(self.variants)),
            "variants": [
                {
                    "name": name,
                    "title": name,
                    "dockerfile_text": "".join(f"{text}\n" for _, text, _ in plan),
                }
                for name, plan in self.variants.items()
            ],
            "changes": [
                {"name": name, "title": name, "weight": weight}
                for name, weight in self.changes.items()
            ],
            "builders": list(self.builders),
            "seed": self.seed,
            "rounds": self.rounds,
            "cold": 1,
            "warmup": 0,
            "started_at": "2026-01-02T03:04:05+00:00",
            "engine": dict(self.engine),
            "bases": [
                {
                    "image": "diamol/maven",
                    "source": "standin",
                    "image_id": "sha256:" + "ab" * 32,
                    "local_tag": "cachebench/standin-maven:1",
                }
            ],
            "versions": {"cachebench": "0.1.0", "python": "3.11.2", "docker_sdk": "7.1.0"},
            "expectations": [],
            "excluded": [],
            "verdicts": [],
            **self.extra,
        }

    def records(self) -> list[BuildRecord]:
        """Return the builds in the order they are made."""
        dice = random.Random(self.seed)  # noqa: S311 - sample data, not a secret
        cells = [(builder, variant) for builder in self.builders for variant in self.variants]
        wanted = [(builder, variant, -1, "cold", "") for builder, variant in cells]
        for number in range(self.rounds):
            wanted += [
                (builder, variant, number, phase, change)
                for builder, variant in dice.sample(cells, len(cells))
                for phase, change in [
                    ("control", ""),
                    *(("change", name) for name in self.changes),
                ]
            ]
        return [self._record(build, *where, dice=dice) for build, where in enumerate(wanted)]

    def _record(
        self,
        build: int,
        builder: str,
        variant: str,
        number: int,
        phase: str,
        change: str,
        *,
        dice: random.Random,
    ) -> BuildRecord:
        outcome = self.broken.get((variant, change), BuildOutcome.OK)
        missing = set(self._missing(variant, phase, change))
        steps: list[Step] = []
        offset = 0.2
        indices = {"": -1}
        for place, (stage, text, seconds) in enumerate(self.variants[variant]):
            index = indices.setdefault(stage, len(indices) - 1)
            instruction = text.split()[0]
            state = self._state(builder, instruction, place in missing)
            took = None
            if state in {StepOutcome.MISS, StepOutcome.HIT}:
                took = 0.001 if state is StepOutcome.HIT else _shaken(dice, seconds, self.noise)
            if phase == "change":
                text = self.texts.get((change, text), text).replace("{n}", str(build))
            steps.append(
                Step(
                    stage=stage,
                    stage_index=index,
                    step=1 + sum(step.stage == stage for step in steps),
                    line=place + 1,
                    instruction=instruction,
                    text=text,
                    outcome=state,
                    seconds=took,
                    offset_seconds=None if took is None else offset,
                )
            )
            offset += took or 0.0
        if outcome is not BuildOutcome.OK:
            steps = _cut_off(steps)
        disagreements: tuple[Disagreement, ...] = ()
        if self.predicted:
            wrong = self.wrong.get((variant, change)) if phase == "change" else None
            steps = _predicted(steps, wrong)
            if wrong is not None:
                disagreements = (_disagreement(steps[wrong]),)
        return BuildRecord(
            run=self.run,
            build=build,
            scenario=self.scenario,
            variant=variant,
            builder=builder,
            round=number,
            position=build,
            phase=phase,
            change=change,
            outcome=outcome,
            wall_seconds=offset + _shaken(dice, 0.15, self.noise),
            context_seconds=0.01,
            context_bytes=20480,
            hits=sum(step.outcome is StepOutcome.HIT for step in steps),
            misses=sum(step.outcome is StepOutcome.MISS for step in steps),
            image_id="sha256:1" if outcome is BuildOutcome.OK else None,
            image_bytes=200_000_000 + 1000 * build if outcome is BuildOutcome.OK else None,
            new_layer_bytes=30_000 * len(missing) if outcome is BuildOutcome.OK else None,
            started_at="2026-01-02T03:04:05+00:00",
            steps=tuple(steps),
            stages=_stages(steps),
            noise=Noise(load_1m=0.5, steal_seconds=0.0, image_count=12),
            changed_paths=() if phase == "control" else ("src/App.java",),
            error="" if outcome is BuildOutcome.OK else "RUN mvn package: exit code 1",
            log_tail=() if outcome is BuildOutcome.OK else ("[ERROR] COMPILATION ERROR",),
            disagreements=disagreements,
        )

    def _missing(self, variant: str, phase: str, change: str) -> Sequence[int]:
        if phase == "cold":
            return range(len(self.variants[variant]))
        if phase == "control":
            return (5,) if variant in self.unstable else ()
        return self.misses.get((variant, change), ())

    @staticmethod
    def _state(builder: str, instruction: str, missing: bool) -> StepOutcome:
        if instruction == "FROM":
            return StepOutcome.BASE
        if builder == "buildkit" and instruction in CONFIG:
            return StepOutcome.CONFIG
        return StepOutcome.MISS if missing else StepOutcome.HIT


def java(**changes: Any) -> Maker:
    """Return a run like the Java scenario's: moving metadata up wins hits, loses on the port."""
    settings: dict[str, Any] = {
        "variants": {"as-written": JAVA, "metadata-first": JAVA_FIRST},
        "changes": {"edit-source": 80, "edit-pom": 10, "edit-port": 1, "none": 1},
        "misses": {
            ("as-written", "edit-source"): (4, 5, 8, 9, 10),
            ("metadata-first", "edit-source"): (4, 5, 10),
            ("as-written", "edit-pom"): (2, 3, 4, 5, 8, 9, 10),
            ("metadata-first", "edit-pom"): (2, 3, 4, 5, 10),
            ("as-written", "edit-port"): (9, 10),
            ("metadata-first", "edit-port"): (7, 8, 9, 10),
        },
        "texts": {("edit-port", "EXPOSE 80"): "EXPOSE 40{n}"},
        "extra": {
            "verdicts": [
                {
                    "ask": "metadata-first against as-written, on edit-source",
                    "variant": "metadata-first",
                    "change": "edit-source",
                    "metric": "rebuild_seconds",
                    "margin": "5%",
                }
            ]
        },
    }
    return Maker(**{**settings, **changes})


def large(variants: int = 12, changes: int = 10, steps: int = 40, rounds: int = 3) -> Maker:
    """Return a run with many of everything and very long instructions."""
    plan = tuple(
        (
            f"stage-{place * 4 // steps}",
            "FROM base AS x"
            if place * 4 % steps == 0
            else f"RUN command-{place} --with-a-rather-long-option=value{place} && second-command "
            f"--and-more /some/very/long/path/{place}/that/goes/on/and/on",
            0.3 + place % 5 * 0.4,
        )
        for place in range(steps)
    )
    names = [f"ordering-{number:02d}-with-a-long-name" for number in range(variants)]
    edits = {f"edit-file-number-{number}": 1.0 + number for number in range(changes)}
    return Maker(
        variants=dict.fromkeys(names, plan),
        changes=edits,
        misses={
            (name, change): range((row * 3 + column * 4) % steps, steps)
            for row, name in enumerate(names)
            for column, change in enumerate(edits)
        },
        builders=("buildkit",),
        rounds=rounds,
        scenario="large",
        title="Many orderings",
        question="Which of many orderings is best?",
    )


def _shaken(dice: random.Random, seconds: float, noise: float) -> float:
    return max(0.001, seconds * (1 + dice.uniform(-noise, noise)))


def _cut_off(steps: list[Step]) -> list[Step]:
    half = len(steps) // 2
    return [
        Step(
            **{
                **step.__dict__,
                "outcome": StepOutcome.FAILED if place == half else StepOutcome.NOT_RUN,
                "seconds": 1.0 if place == half else None,
            }
        )
        if place >= half
        else step
        for place, step in enumerate(steps)
    ]


def _predicted(steps: Sequence[Step], wrong: int | None) -> list[Step]:
    """Predict every step as it came out, but for one; a miss below a miss has no reason else."""
    found: list[Step] = []
    chain: dict[str, int] = {}
    for place, step in enumerate(steps):
        missed = step.outcome is StepOutcome.MISS
        first = chain.setdefault(step.stage, step.step) if missed else None
        begins = first == step.step
        detail = "src/App.java changed" if begins else f"step {first} of {step.stage} missed"
        found.append(
            replace(
                step,
                predicted="hit" if place == wrong else _said(step.outcome),
                reason=("file-content" if begins else "parent-missed") if missed else None,
                reason_detail=detail if missed else None,
            )
        )
    return found


def _said(outcome: StepOutcome) -> str:
    """No model says that a build will break off."""
    return "miss" if outcome in {StepOutcome.FAILED, StepOutcome.NOT_RUN} else outcome.value


def _disagreement(step: Step) -> Disagreement:
    return Disagreement(
        stage=step.stage,
        stage_index=step.stage_index,
        step=step.step,
        text=step.text,
        predicted="hit",
        observed=step.outcome.value,
    )


def _stages(steps: Sequence[Step]) -> tuple[StageTiming, ...]:
    stages = dict.fromkeys((step.stage, step.stage_index) for step in steps)
    timings = []
    for stage, index in stages:
        own = [step for step in steps if step.stage_index == index]
        busy = sum(step.seconds or 0.0 for step in own)
        timings.append(
            StageTiming(
                stage=stage,
                stage_index=index,
                busy_seconds=busy,
                span_seconds=busy,
                critical_seconds=busy,
                hits=sum(step.outcome is StepOutcome.HIT for step in own),
                misses=sum(step.outcome is StepOutcome.MISS for step in own),
            )
        )
    return tuple(timings)
