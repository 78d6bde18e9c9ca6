"""Generated Dockerfiles, changes and orderings, to hold what is fast against what is whole."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from itertools import combinations
from typing import TYPE_CHECKING

from bench.cache_model import BaseImage, BuildInput, Predicted, StepPlace
from bench.dockerfile import parse
from bench.orderings.ordering import Ordering
from bench.orderings.posets import Poset
from bench.predicting import BuildState, client_of
from tests.conformance.base_images import BASE_IMAGES
from tests.conformance.case import SALT
from tests.conformance.sending import pack

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from random import Random

    from bench.cache_model import Prediction, Profile
    from bench.dockerfile import Instruction, Stage
    from tests.conformance.case import State

LOOKED_UP = frozenset({Predicted.HIT, Predicted.MISS, Predicted.DEPENDS, Predicted.MERGED})
_SCOPE = frozenset({"ARG", "ENV", "SHELL", "USER", "WORKDIR"})
_FILES = frozenset({"ADD", "COPY", "WORKDIR"})


@dataclass(frozen=True)
class GeneratedState(BuildState):
    """A state whose base images are known."""

    known: Mapping[str, BaseImage] = field(default_factory=dict)

    def input_for(self, profile: Profile) -> BuildInput:
        return dataclasses.replace(super().input_for(profile), bases=self.known)


def state_of(state: State, profile: Profile) -> GeneratedState:
    """Return a state of a conformance case as the predictions have it."""
    text = state.text.replace(SALT, "salt")
    dockerfile = parse(text)
    builder = "classic" if profile.family.value == "classic" else "buildkit"
    bases = {
        name: BaseImage(
            name,
            identity=f"{name} {state.bases.get(name, '')}",
            content=f"{name} {'refilled' if state.bases.get(name) == 'refilled' else ''}",
            env=tuple(spec.env.items()),
            working_dir=spec.working_dir,
            user=spec.user,
            on_build=spec.on_build,
        )
        for name, spec in BASE_IMAGES.items()
    }
    return GeneratedState(
        change=state.change,
        dockerfile=dockerfile,
        manifests={client_of(profile): pack(state.files, text, builder)[1]},
        build_args=state.build_args,
        target=state.target,
        network="none",
        known=bases,
    )


def same_instructions(one: BuildState, other: BuildState) -> bool:
    """Tell whether orderings of one Dockerfile are orderings of the other."""
    return keywords(one) == keywords(other)


def keywords(state: BuildState) -> list[list[str]]:
    return [[one.keyword for one in stage.instructions] for stage in state.dockerfile.stages]


def orders_of(states: Sequence[BuildState]) -> list[Poset]:
    """Return for each stage an order that keeps what the key of every instruction reads.

    It asks nothing about the files that a RUN reads or writes: as if all were declared apart.
    """
    stages = zip(*(state.dockerfile.stages for state in states), strict=True)
    return [_order_of(versions) for versions in stages]


def _order_of(versions: Sequence[Stage]) -> Poset:
    count = len(versions[0].instructions)
    pairs = [
        (earlier, later)
        for earlier, later in combinations(range(2, count + 1), 2)
        if any(
            _depend(stage.instructions[earlier - 1], stage.instructions[later - 1])
            for stage in versions
        )
    ]
    return Poset.of_pairs(range(2, count + 1), pairs)


def _depend(earlier: Instruction, later: Instruction) -> bool:
    both = {earlier.keyword, later.keyword}
    if "ONBUILD" in both or earlier.keyword == later.keyword == "WORKDIR":
        return True
    if both <= _FILES:
        return not _apart(earlier, later)
    if earlier.keyword not in _SCOPE and later.keyword not in _SCOPE:
        return False
    if both == {"ENV"} and "$" not in earlier.text + later.text:
        return bool(set(earlier.arguments[::2]) & set(later.arguments[::2]))
    expands = "$" in earlier.text + later.text
    free = both & {"LABEL", "EXPOSE", "STOPSIGNAL", "VOLUME", "COPY", "ADD"}
    if free and both & {"ENV", "ARG", "USER", "SHELL"}:
        return expands
    return True


def _apart(earlier: Instruction, later: Instruction) -> bool:
    """Tell whether two COPYs put files to places that have nothing to do with one another."""
    places = [one.arguments[-1].strip("/").split("/")[0] for one in (earlier, later)]
    absolute = all(one.arguments[-1].startswith("/") for one in (earlier, later))
    return (
        absolute
        and places[0] != places[1]
        and "" not in places
        and "WORKDIR"
        not in {
            earlier.keyword,
            later.keyword,
        }
    )


def draw(orders: Sequence[Poset], random: Random) -> Ordering:
    """Draw one ordering that the orders allow."""
    stages = []
    for order in orders:
        placed, steps = 0, [1]
        for _ in order.elements:
            index = random.choice(list(order.available(placed)))
            placed |= 1 << index
            steps.append(order.elements[index])
        stages.append(tuple(steps))
    return Ordering(tuple(stages))


def outcomes_of(prediction: Prediction, ordering: Ordering) -> dict[StepPlace, Predicted]:
    """Return the looked-up steps of a prediction by their places as written."""
    return {
        StepPlace(one.stage_index, ordering.stages[one.stage_index][one.step - 1]): one.outcome
        for one in prediction.decisions
        if one.outcome in LOOKED_UP
    }
