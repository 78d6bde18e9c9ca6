"""Where the builds of a command are made: the engine that answers, or a simulated one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.builders.names import SIMULATED, is_simulated
from bench.engine import connect
from bench.errors import EngineLostError, NoEngineError, UsageError
from bench.runner import EngineSite
from bench.simulation import SimulatedSite, find_recorded_run, guessed_times, recorded_times

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from docker import DockerClient

    from bench.engine import EngineInfo
    from bench.runner import Site
    from bench.scenario import Scenario
    from bench.simulation import StepTimes

RESULTS = Path("results")


class Sites:
    """Gives each scenario of one command its site, and tells what it is.

    A real engine is looked for once, when the first scenario asks.
    """

    def __init__(
        self, builders: Sequence[str], times: Path | None, tell: Callable[[str], None]
    ) -> None:
        """Take the chosen ``builders`` and the recorded run that ``times`` are taken from.

        Raises:
            UsageError: ``times`` for real builders, which take their own.

        """
        self._simulated = any(is_simulated(name) for name in builders)
        if times is not None and not self._simulated:
            raise UsageError(
                "--times is for simulated builders alone: a real one is measured",
                remedy="leave it out, or add --builder simulated",
            )
        self._times = times
        self._tell = tell
        self._engine: EngineSite | None = None

    def of(self, scenario: Scenario) -> Site:
        """Return the site for the builds of ``scenario``.

        Raises:
            NoEngineError: no engine answers.
            RecordsError: the recorded run cannot be read.

        """
        if self._simulated:
            return self._simulation(times_for(scenario, self._times))
        if self._engine is None:
            self._engine = EngineSite(_connect(self._tell))
            self._tell(_described(self._engine.engine))
        return self._engine

    def of_run(self, head: Mapping[str, Any]) -> Site:
        """Return the site to go on with a run that was begun; ``head`` is its run.json.

        Raises:
            NoEngineError: no engine answers.
            RecordsError: the recorded run that it took its times from is gone.

        """
        simulation = head.get("simulation")
        if simulation is None:
            return EngineSite(_connect(self._tell))
        folder = simulation["times_folder"]
        return self._simulation(recorded_times(Path(folder)) if folder else guessed_times())

    def _simulation(self, times: StepTimes) -> SimulatedSite:
        if times.run:
            source = (
                f"step times are medians of the recorded run {times.folder} "
                f"(engine {times.engine_version} {times.image_store})"
            )
        else:
            source = (
                f"no recorded run of this scenario is below {RESULTS}/, so step times are flat "
                "guesses per instruction"
            )
        self._tell(f"{SIMULATED.upper()}: no build is made and no engine is used; {source}")
        return SimulatedSite(times)


def times_for(scenario: Scenario, folder: Path | None) -> StepTimes:
    """Return the step times of a recorded run: the one named, else one of the scenario.

    Raises:
        RecordsError: the recorded run cannot be read.

    """
    folder = folder or find_recorded_run(scenario.name, RESULTS)
    return guessed_times() if folder is None else recorded_times(folder)


def _connect(tell: Callable[[str], None]) -> DockerClient:
    try:
        return connect(progress=tell)
    except EngineLostError:
        raise
    except NoEngineError as error:
        raise NoEngineError(
            error.message, remedy=f"{error.remedy}; or build nothing: bench run --builder simulated"
        ) from error


def _described(engine: EngineInfo) -> str:
    return (
        f"Docker Engine {engine.version} ({engine.image_store} {engine.storage_driver}) "
        f"at {engine.host}"
    )
