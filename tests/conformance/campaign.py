"""Many cases on one builder of one engine, and the minimal form of what differs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.conformance.case import Case, load, to_json
from tests.conformance.generate import LARGE, case_of
from tests.conformance.harness import Runner
from tests.conformance.shrink import Shrinker
from tests.conformance.simulate import builds
from tests.conformance.summary import Summary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from tests.conformance.generate import Size
    from tests.conformance.harness import CaseResult
    from tests.conformance.targets import OwnEngine

_CASES_PER_ENGINE = {"containerd": 40, "graphdriver": 250}
"""After so many cases the engine is thrown away, by image store: the classic builder on the
containerd store takes longer with every image there is."""
_PROGRESS = 25


class StoppedError(Exception):
    """The run is to end before its last case."""


class Campaign:
    """Runs cases and counts."""

    def __init__(
        self,
        engine: OwnEngine,
        seed: int,
        *,
        size: Size = LARGE,
        say: Callable[[str], None],
        stopped: Callable[[], bool] = lambda: False,
    ) -> None:
        self._stopped = stopped
        self._size = size
        self._engine = engine
        self._say = say
        self.target = engine.target()
        self.summary = Summary(self.target, seed)
        self._runner: Runner | None = None
        self._ran = 0
        self._bad: list[CaseResult] = []

    def replay(self, folder: Path) -> None:
        """Build every minimal case that was kept and that the builder understands."""
        for path in sorted(folder.glob("*.json")):
            case, dialect = load(path)
            if self.target.dialect.includes(dialect):
                result = self._run(case)
                self.summary.take_regression(result)
                self._report(result)

    def run(self, numbers: Iterable[int]) -> None:
        """Run cases of the seed by number."""
        for number in numbers:
            result = self._run(case_of(self.summary.seed, number, self.target.dialect, self._size))
            self.summary.take(result)
            self._report(result)
            if result.first_bad is not None:
                self._bad.append(result)
            if self.summary.cases % _PROGRESS == 0:
                self._say(
                    f"{self.target.label}: {self.summary.cases} cases, {self.summary.steps} steps, "
                    f"{len(self.summary.disagreements)} disagreements"
                )
        self._drop()

    def _run(self, case: Case) -> CaseResult:
        if self._stopped():
            raise StoppedError
        if self._ran >= _CASES_PER_ENGINE[self.target.image_store]:
            self._drop()
            self._engine.discard()
            self._ran = 0
        if self._runner is None:
            self._runner = Runner(self._engine, self.target)
        self._ran += 1
        return self._runner.run(case)

    def _drop(self) -> None:
        if self._runner is not None:
            self._runner.close()
            self._runner = None

    def _report(self, result: CaseResult) -> None:
        for number, build in enumerate(result.builds):
            where = f"{self.target.label}: {result.case.name} state {number} ({build.change})"
            if build.model_error:
                line = build.model_error.strip().splitlines()[-1]
                self._say(f"{where}: the model raised {line}")
            if build.failure:
                self._say(f"{where}: failed: {' '.join(build.failure.split())[:200]}")
            for step in build.disagreements:
                self._say(
                    f"{where}: {step.text[:90]!r} predicted {step.predicted}, seen {step.observed}"
                )

    def keep_minimal(self, folder: Path, limit: int) -> list[Path]:
        """Shrink the first disagreements, one of each kind, and save them; return the files."""
        kinds: dict[tuple[str, ...], CaseResult] = {}
        for result in self._bad:
            kinds.setdefault(kind_of(result), result)
        kept = []
        for result in list(kinds.values())[:limit]:
            case = self.minimal(result)
            path = folder / f"{result.case.name}.json"
            folder.mkdir(parents=True, exist_ok=True)
            path.write_text(
                to_json(
                    case,
                    dialect=self.target.dialect.name,
                    found_on=self.target.label,
                    differed=list(kind_of(result)),
                ),
                encoding="utf-8",
            )
            self._say(f"{self.target.label}: minimal case in {path}")
            kept.append(path)
        self._drop()
        return kept

    def minimal(self, result: CaseResult) -> Case:
        """Shrink a case that shows a disagreement to one that shows the same kind."""
        kind = kind_of(result)

        def shows(case: Case) -> bool:
            if not all(builds(state, self.target.dialect) for state in case.states):
                return False
            return kind_of(self._run(case)) == kind

        return Shrinker(shows).shrink(result.case)


def kind_of(result: CaseResult) -> tuple[str, ...]:
    """Return what tells one disagreement from another: keyword, prediction, observation."""
    bad = result.first_bad
    if bad is None:
        return ()
    build = result.builds[bad]
    if build.model_error:
        return ("error", build.model_error.strip().splitlines()[-1].partition(":")[0])
    step = build.disagreements[0]
    return (step.features[0], step.predicted, step.observed)
