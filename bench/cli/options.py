"""Options and checks that several commands share."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bench.builders.names import REAL_BUILDERS, SIMULATED, SIMULATED_BUILDERS
from bench.errors import UsageError
from bench.scenario import load_scenario

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from bench.scenario import Scenario

_DURATION = re.compile(r"\A(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>ms|s|m|min|h)?\Z")
_UNIT_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}


class Duration(click.ParamType[float]):
    """A time such as ``90``, ``90s``, ``15m`` or ``1.5h``; the value is seconds."""

    name = "time"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return the seconds."""
        if isinstance(value, int | float):
            return float(value)
        match = _DURATION.match(str(value).strip())
        seconds = 0.0
        if match is not None:
            seconds = float(match["number"]) * _UNIT_SECONDS[match["unit"] or "s"]
        if seconds <= 0:
            self.fail(f"{value!r} is not a time; write 90s, 15m or 1.5h", param, ctx)
        return seconds


def matrix_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that choose what of a scenario is built."""
    for option in reversed(
        (
            click.option(
                "--builder",
                "builders",
                multiple=True,
                type=click.Choice([*REAL_BUILDERS, SIMULATED, *SIMULATED_BUILDERS]),
                help="Builder to measure; repeat for several. Simulated ones need no engine and "
                "build nothing; simulated means both.  [default: classic and buildkit]",
            ),
            click.option(
                "--variant", "variants", multiple=True, help="Variant to build.  [default: all]"
            ),
            click.option(
                "--change", "changes", multiple=True, help="Change to make.  [default: all]"
            ),
            click.option(
                "--rounds",
                type=click.IntRange(1, 10_000),
                default=3,
                show_default=True,
                help="How often every change is measured.",
            ),
            click.option(
                "--cold",
                type=click.IntRange(1, 1000),
                default=1,
                show_default=True,
                help="Cold builds of every variant on every builder.",
            ),
            click.option(
                "--warmup",
                type=click.IntRange(0, 1000),
                default=1,
                show_default=True,
                help="Unmeasured no-change builds before the rounds.",
            ),
            click.option(
                "--seed",
                type=int,
                default=1,
                show_default=True,
                help="Decides the shuffled order of the builds.",
            ),
        )
    ):
        command = option(command)
    return command


def load_scenarios(paths: Sequence[Path]) -> list[Scenario]:
    """Load every scenario that was named.

    Raises:
        ScenarioError: one of them is not right.

    """
    return [load_scenario(path) for path in paths]


def chosen_builders(builders: Sequence[str]) -> tuple[str, ...]:
    """Return the builders asked for, classic first; the real ones if none was.

    Raises:
        UsageError: real and simulated ones together.

    """
    asked = set(builders) or set(REAL_BUILDERS)
    if SIMULATED in asked:
        asked |= set(SIMULATED_BUILDERS)
    real = tuple(name for name in REAL_BUILDERS if name in asked)
    simulated = tuple(name for name in SIMULATED_BUILDERS if name in asked)
    if real and simulated:
        raise UsageError(
            f"{real[0]} is measured and {simulated[0]} is simulated: one run cannot be both",
            remedy="make two runs, and report them side by side: bench report A B --out DIR",
        )
    return real or simulated


def check_names(scenario: Scenario, variants: Sequence[str], changes: Sequence[str]) -> None:
    """Refuse a variant or change that the scenario does not have.

    Raises:
        UsageError: naming it and what there is.

    """
    _check(scenario, "variant", variants, [one.name for one in scenario.variants])
    _check(scenario, "change", changes, [one.name for one in scenario.changes])


def _check(scenario: Scenario, kind: str, asked: Sequence[str], known: list[str]) -> None:
    for name in asked:
        if name not in known:
            raise UsageError(
                f"{scenario.name} has no {kind} {name!r}", remedy=f"it has {', '.join(known)}"
            )


def build_arguments(words: Iterable[str]) -> dict[str, str]:
    """Return build arguments as ``docker build`` reads them.

    Raises:
        UsageError: one has no name.

    """
    found: dict[str, str] = {}
    for word in words:
        name, has_value, value = word.partition("=")
        if not name:
            raise UsageError(f"{word!r} is no build argument", remedy="write it like VERSION=2")
        given = value if has_value else os.environ.get(name)
        if given is not None:
            found[name] = given
    return found


SCENARIO_PATHS = click.argument(
    "paths",
    metavar="PATH…",
    nargs=-1,
    required=True,
    type=click.Path(path_type=Path),
)
