"""``--orderings`` of ``bench run`` and ``bench plan``: generated orderings as variants."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bench.arranging import BuilderRules, OrderingsSpec, names_of, rank_variant, with_orderings
from bench.builders.names import rules_of
from bench.cache_model import profile_of
from bench.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bench.scenario import Scenario
    from bench.simulation import StepTimes

ORDERINGS = click.option(
    "--orderings",
    metavar="SPEC",
    help="Build generated orderings of one variant in place of the scenario's variants: best:3, "
    "worst:1, random:4 (from --seed), all, and baseline for the Dockerfile as written, with commas "
    "between them. The variant is the one of --variant.  [default variant: the baseline]",
)


def arranged(
    scenario: Scenario,
    asked: str,
    *,
    variants: Sequence[str],
    changes: Sequence[str],
    builders: Sequence[str],
    engine: tuple[str, str],
    times: StepTimes,
    seed: int,
    tell: Callable[[str], None],
) -> tuple[Scenario, tuple[str, ...]]:
    """Return the scenario with generated variants, and the names of those that are built.

    Args:
        scenario: the scenario.
        asked: what ``--orderings`` says.
        variants: the variant that is ordered; the baseline where there is none.
        changes: the changes that are measured; all where there are none.
        builders: the builders of the run.
        engine: the version and the image store whose rules are followed.
        times: what steps take, to tell which orderings are best.
        seed: decides which ones are drawn at random.
        tell: is told what was chosen.

    Raises:
        UsageError: more than one variant was named, or there is nothing to choose from.

    """
    spec = OrderingsSpec.parse(asked)
    if len(variants) > 1:
        raise UsageError(
            "--orderings orders the instructions of one variant", remedy="name one --variant"
        )
    rules = [
        BuilderRules(one, profile_of(rules_of(one), *engine), rules_of(one)) for one in builders
    ]
    ranked = rank_variant(
        scenario,
        variants[0] if variants else scenario.baseline,
        [one.name for one in scenario.changes if not changes or one.name in changes],
        rules,
        times,
    )
    found = with_orderings(ranked, spec, seed)
    names = tuple(names_of(found))
    for name in names:
        tell(f"ordering {found.variant(name).title or f'{name}: as written'}")
    missing = spec.asked - (len(names) - spec.baseline)
    if missing > 0:
        tell(
            f"there are {missing} fewer orderings that these builders can tell apart than asked for"
        )
    for name, why in ranked.left_out.items():
        tell(f"the change {name} is measured, but orderings are not ranked by it: {why}")
    return found, names
