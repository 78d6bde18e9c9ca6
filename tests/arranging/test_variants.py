"""Generated orderings as variants: which are chosen, their texts, and what is recorded of them."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any

import pytest

from bench.arranging import (
    BuilderRules,
    OrderingsSpec,
    RankedVariant,
    names_of,
    rank_variant,
    with_orderings,
    with_recorded,
)
from bench.cache_model import find_profile
from bench.dataset.run import OrderingsInfo
from bench.dockerfile import parse
from bench.errors import UsageError
from bench.orderings.ordering import Ordering, arrange
from bench.scenario import dockerfile_place, dockerfile_text
from bench.simulation import guessed_times
from tests.arranging.scenarios import DOCKERFILE, scenario_at

if TYPE_CHECKING:
    from pathlib import Path

    from bench.scenario import Scenario

BOTH = ("classic", "buildkit")


def ranked_at(folder: Path, *builders: str, dockerfile: str = DOCKERFILE) -> RankedVariant:
    scenario = scenario_at(folder, dockerfile)
    rules = [BuilderRules(one, find_profile(one), one) for one in builders]
    changes = [one.name for one in scenario.changes]
    return rank_variant(scenario, "as-written", changes, rules, guessed_times())


def generated(scenario: Scenario) -> dict[str, str]:
    return {
        name: dockerfile_text(scenario, scenario.variant(name))
        for name in names_of(scenario)
        if name != "as-written"
    }


def test_chosen_orderings_are_legal_unlike_each_other_and_said_in_words(tmp_path: Path) -> None:
    ranked = ranked_at(tmp_path, *BOTH)
    scenario = with_orderings(ranked, OrderingsSpec.parse("best:3,worst:2,random:4"), 7)
    names = names_of(scenario)
    assert names == [
        *("best-1", "best-2", "best-3", "worst-1", "worst-2"),
        *("random-1", "random-2", "random-3", "random-4"),
    ]
    texts = generated(scenario)
    assert len({*texts.values(), DOCKERFILE}) == len(names) + 1
    info = OrderingsInfo.model_validate(scenario.orderings)
    for one in info.variants:
        ordering = Ordering(one.ordering)
        assert ranked.order.allows(ordering)
        if one.kind == "written":
            assert one.name == "as-written"
            continue
        assert texts[one.name] == arrange(parse(DOCKERFILE), ordering)
        assert one.moves
        assert (scenario.variant(one.name).title or "").startswith(f"{one.name}: {one.moves[0]}")
        assert {each.builder for each in one.predicted} == set(BOTH)


def test_the_best_and_the_worst_are_so_in_the_mean_of_the_builders(tmp_path: Path) -> None:
    ranked = ranked_at(tmp_path, *BOTH)
    scenario = with_orderings(ranked, OrderingsSpec.parse("best:2,worst:2"), 1)
    info = OrderingsInfo.model_validate(scenario.orderings)
    written = {one.builder: one.expected_seconds for one in info.variants[0].predicted}

    def share(name: str) -> float:
        one = next(each for each in info.variants if each.name == name)
        return sum(each.expected_seconds / written[each.builder] for each in one.predicted) / 2

    assert share("best-1") <= share("best-2") < 1 <= share("worst-2") <= share("worst-1")


def test_the_same_seed_draws_the_same_orderings(tmp_path: Path) -> None:
    ranked = ranked_at(tmp_path, "classic")
    spec = OrderingsSpec.parse("random:5")
    first, again, other = (generated(with_orderings(ranked, spec, seed)) for seed in (3, 3, 4))
    assert first == again
    assert first != other


def test_orderings_that_no_builder_can_tell_apart_are_built_once(tmp_path: Path) -> None:
    ranked = ranked_at(tmp_path, "buildkit")
    scenario = with_orderings(ranked, OrderingsSpec.parse("best:9,random:9"), 1)
    assert names_of(scenario) == ["best-1", "best-2"]  # of three, one is as written
    everything = with_orderings(ranked, OrderingsSpec.parse("all,baseline"), 1)
    assert names_of(everything) == ["as-written", "ordering-1", "ordering-2"]


def test_where_nothing_can_be_told_apart_there_is_nothing_to_build(tmp_path: Path) -> None:
    text = "FROM busybox\nCOPY deps /deps/\nRUN cat x > /out\nCOPY src /deps/\nEXPOSE 80\n"
    ranked = ranked_at(tmp_path, "buildkit", dockerfile=text)
    with pytest.raises(UsageError, match="cannot tell them apart"):
        with_orderings(ranked, OrderingsSpec.parse("best:1"), 1)


def test_all_of_too_many_are_refused(tmp_path: Path) -> None:
    ranked = ranked_at(tmp_path, "classic")
    with pytest.raises(UsageError, match="60 orderings that can be told apart, more than 50"):
        with_orderings(ranked, OrderingsSpec.parse("all"), 1)


def test_a_name_of_the_scenario_is_not_taken(tmp_path: Path) -> None:
    ranked = ranked_at(tmp_path, "classic")
    scenario = ranked.scenario
    taken = scenario.variant("other").model_copy(update={"name": "best-1"})
    ranked = dataclasses.replace(
        ranked,
        scenario=scenario.model_copy(update={"variants": (*scenario.variants, taken)}),
    )
    with pytest.raises(UsageError, match="'best-1' of its own"):
        with_orderings(ranked, OrderingsSpec.parse("best:1"), 1)


def test_a_generated_dockerfile_stands_where_the_written_one_does(tmp_path: Path) -> None:
    scenario = with_orderings(ranked_at(tmp_path, "classic"), OrderingsSpec.parse("best:1"), 1)
    places = {dockerfile_place(scenario, scenario.variant(one)) for one in ("as-written", "best-1")}
    assert places == {"Dockerfile"}
    assert scenario.baseline == "as-written"


def head_of(scenario: Scenario) -> dict[str, Any]:
    head = {
        "orderings": scenario.orderings,
        "variants": [
            {
                "name": name,
                "title": scenario.variant(name).title,
                "dockerfile_text": dockerfile_text(scenario, scenario.variant(name)),
            }
            for name in names_of(scenario)
        ],
    }
    read: dict[str, Any] = json.loads(json.dumps(head))
    return read


def test_a_recorded_run_gives_its_orderings_back(tmp_path: Path) -> None:
    ranked = ranked_at(tmp_path, *BOTH)
    scenario = with_orderings(ranked, OrderingsSpec.parse("best:2,random:2,baseline"), 5)
    again = with_recorded(ranked.scenario, head_of(scenario), tmp_path)
    assert generated(again) == generated(scenario)
    assert again.variants == scenario.variants
    assert names_of(again) == names_of(scenario)


def test_orderings_of_a_dockerfile_that_has_changed_since_are_refused(tmp_path: Path) -> None:
    scenario = with_orderings(ranked_at(tmp_path, *BOTH), OrderingsSpec.parse("best:1"), 5)
    head = head_of(scenario)
    changed = scenario_at(tmp_path, DOCKERFILE.replace("EXPOSE 80", "EXPOSE 80\nLABEL a=b"))
    with pytest.raises(UsageError, match=r"has changed since the run began \(as-written\)"):
        with_recorded(changed, head, tmp_path)


def test_a_run_without_orderings_is_left_as_it_is(tmp_path: Path) -> None:
    scenario = scenario_at(tmp_path)
    assert with_recorded(scenario, {"variants": []}, tmp_path) is scenario
