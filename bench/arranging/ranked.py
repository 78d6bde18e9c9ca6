"""All that is to be said of the orderings of one variant, for one or several builders."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench.errors import UsageError
from bench.orderings.declared import access_of, with_observed
from bench.orderings.legality import partial_order
from bench.orderings.moves import in_words, moves
from bench.orderings.outcomes import has_same_instructions
from bench.orderings.ranking import DEFAULT_LIMIT, Ranker, WeightedState
from bench.predicting import client_of, scenario_states
from bench.simulation.costs import recorded_costs

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from bench.cache_model import Profile, StepPlace
    from bench.dockerfile import Dockerfile
    from bench.orderings.access import Access
    from bench.orderings.legality import PartialOrder
    from bench.orderings.ordering import Ordering
    from bench.orderings.ranking import Ranked, Ranking
    from bench.scenario import Scenario
    from bench.simulation import StepTimes


@dataclass(frozen=True)
class BuilderRules:
    """A builder as it is named, the rules it follows, and the builder that recorded runs name."""

    name: str
    profile: Profile
    recorded: str


@dataclass(frozen=True)
class RankedVariant:
    """The orderings of one variant; each is legal for every one of the builders.

    ``rankings`` are by the names of the builders. ``left_out`` are changes that could not be
    ranked, each with the reason.
    """

    scenario: Scenario
    variant: str
    dockerfile: Dockerfile
    order: PartialOrder
    rankers: dict[str, Ranker]
    rankings: dict[str, Ranking]
    left_out: dict[str, str]

    def cost(self, builder: str, ordering: Ordering) -> Ranked:
        """Return what a legal ordering does on a builder, with its rank where that is known."""
        found = self.rankings[builder].of(ordering)
        return found or self.rankers[builder].cost(ordering)

    def in_words(self, ordering: Ordering) -> list[str]:
        """Say what is moved."""
        return [in_words(self.dockerfile, move) for move in moves(ordering)]

    def relied_on(self, ordering: Ordering) -> list[str]:
        """Say what has to be true for the image to stay the same."""
        return list(dict.fromkeys(one.text for one in self.order.obligations(ordering)))


def rank_variant(
    scenario: Scenario,
    variant: str,
    changes: Sequence[str],
    builders: Sequence[BuilderRules],
    times: StepTimes,
    *,
    observed: Mapping[StepPlace, Access] | None = None,
    limit: int = DEFAULT_LIMIT,
    is_asked: bool = False,
    progress: Callable[[str, int, int], None] | None = None,
) -> RankedVariant:
    """Rank the legal orderings of one variant for every builder.

    Args:
        scenario: a scenario that was found right.
        variant: the name of the variant.
        changes: the names of the changes, which are weighted as the scenario says.
        builders: whose rules count; an ordering has to be legal for all of them.
        times: what steps take.
        observed: what RUNs of the variant were seen to read and write, beside what is declared.
        limit: the largest number of classes of which every one is tried.
        is_asked: whether the changes were named one by one: then one that cannot be ranked is
            refused, and not left out.
        progress: is told the builder, and how many of how many orderings are done.

    Raises:
        ChangeError: a change cannot be applied, changes nothing, or breaks the Dockerfile.
        DockerfileError: the Dockerfile is not right.
        UsageError: a builder does not understand the Dockerfile, or a named change adds, removes or
            replaces instructions.
        WorkspaceError: the context cannot be copied or read.

    """
    clients = dict.fromkeys(client_of(one.profile) for one in builders)
    with tempfile.TemporaryDirectory(prefix="bench-orderings-") as scratch:
        place = Path(scratch, "copy")
        base, *states = scenario_states(scenario, variant, changes, clients, place)
    left_out = {
        one.change: "it adds, removes or replaces instructions of the Dockerfile"
        for one in states
        if not has_same_instructions(base.dockerfile, one.dockerfile)
    }
    if left_out and is_asked:
        name = next(iter(left_out))
        raise UsageError(
            f"orderings of {variant!r} cannot be ranked by the change {name!r}: {left_out[name]}",
            remedy="choose other changes with --change",
        )
    weighted = [
        WeightedState(one, scenario.change(one.change).weight)
        for one in states
        if one.change not in left_out
    ]
    order = partial_order(
        base.input_for(builders[0].profile),
        [one.profile for one in builders],
        with_observed(access_of(base.dockerfile, scenario.accesses, variant), observed or {}),
    )
    rankers: dict[str, Ranker] = {}
    rankings: dict[str, Ranking] = {}
    for builder in builders:
        costs = recorded_costs(
            base.dockerfile,
            times,
            variant=variant,
            builder=builder.recorded,
            changes=[one.state.change for one in weighted],
        )
        ranker = Ranker(base, weighted, builder.profile, order, costs)
        rankers[builder.name] = ranker
        rankings[builder.name] = ranker.rank(limit, _named(progress, builder.name))
    return RankedVariant(scenario, variant, base.dockerfile, order, rankers, rankings, left_out)


def _named(
    progress: Callable[[str, int, int], None] | None, builder: str
) -> Callable[[int, int], None] | None:
    if progress is None:
        return None
    return lambda done, total: progress(builder, done, total)
