"""The answer says what the records say: no more hits, no more certainty."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from bench.builders.protocol import BuildOutcome
from bench.dataset import load_dataset
from bench.errors import UsageError
from bench.report.answer import answer
from bench.report.summary import as_document, comparisons_frame
from bench.stats import Finding
from tests.report.factory import JAVA, java

if TYPE_CHECKING:
    from pathlib import Path

    from bench.report.answer import Answer


def found(tmp_path: Path, **settings: Any) -> Answer:
    return answer(load_dataset([java(**settings).write(tmp_path / "run")]))


def verdict_on(**changes: Any) -> dict[str, Any]:
    question = {
        "ask": "Is it better?",
        "variant": "metadata-first",
        "change": "edit-source",
        "metric": "rebuild_seconds",
        "margin": "5%",
    }
    return {"verdicts": [{**question, **changes}]}


def test_each_builder_answers_with_hits_seconds_and_the_price(tmp_path: Path) -> None:
    classic, buildkit = found(tmp_path).verdicts

    assert classic.sentence.startswith(
        "On classic (engine 20.10.24 graphdriver), metadata-first gains 2 hits on edit-source "
        "(6 of 9 steps hit, against 4 of 9 in as-written). Seconds gained per rebuild: "
    )
    assert "n=3" in classic.sentence
    assert "The price: edit-port edits a moved instruction and takes" in classic.sentence
    assert "gains 0 hits on edit-source (4 of 7 steps hit" in buildkit.sentence
    assert "no reason to move" in buildkit.sentence
    assert [item.change for item in classic.price] == ["edit-port"]


def test_no_difference_within_the_margin_is_no_reason_to_move(tmp_path: Path) -> None:
    _, buildkit = found(tmp_path, noise=0.0).verdicts
    assert buildkit.finding is Finding.SAME
    assert "no reason to move" in buildkit.sentence


def test_a_gain_beyond_the_margin_is_a_reason_and_names_who_pays(tmp_path: Path) -> None:
    classic, _ = found(tmp_path, noise=0.0, rounds=6).verdicts
    assert classic.finding is Finding.GAIN
    assert "a reason to move, at the price of edit-port" in classic.sentence
    assert "5% better" in classic.sentence or "6% better" in classic.sentence


def test_few_rounds_are_never_called_certain(tmp_path: Path) -> None:
    classic, _ = found(tmp_path, noise=0.0, rounds=3).verdicts
    assert (
        "in each of 3 rounds: too few for 95 %, so a hint and not yet a reason" in classic.sentence
    )
    assert "% better" not in classic.sentence
    single, _ = found(tmp_path / "one", rounds=1).verdicts
    assert single.finding is Finding.UNCLEAR
    assert "measure more rounds" in single.sentence
    assert "better" not in single.sentence


def test_hits_alone_are_not_called_a_reason(tmp_path: Path) -> None:
    classic, buildkit = found(tmp_path, extra=verdict_on(metric="hits")).verdicts
    assert "the seconds say whether that is a reason" in classic.sentence
    assert "Seconds gained" not in classic.sentence
    assert "no reason to move" in buildkit.sentence


def test_lost_hits_are_called_lost(tmp_path: Path) -> None:
    classic, _ = found(tmp_path, noise=0.0, rounds=6, extra=verdict_on(change="edit-port")).verdicts
    assert "metadata-first loses 2 hits on edit-port" in classic.sentence
    assert "a reason not to move" in classic.sentence


def test_a_verdict_may_name_its_rival_and_its_builder(tmp_path: Path) -> None:
    question = verdict_on(variant="as-written", against="metadata-first", builder="classic")
    (only,) = found(tmp_path, extra=question).verdicts[:1]
    assert "as-written loses 2 hits on edit-source" in only.sentence
    asked = [item for item in found(tmp_path / "b", extra=question).verdicts if item.asked]
    assert [item.setup.builder for item in asked] == ["classic"]


def test_a_variant_nobody_asked_about_is_judged_on_the_heaviest_change(tmp_path: Path) -> None:
    answered = found(tmp_path, extra={})
    assert [(item.asked, item.change) for item in answered.verdicts] == [
        (False, "edit-source"),
        (False, "edit-source"),
    ]


def test_another_set_of_instructions_is_a_change_and_not_a_move(tmp_path: Path) -> None:
    shorter = (*JAVA[:2], *JAVA[4:])
    answered = found(
        tmp_path,
        variants={"as-written": JAVA, "copy-all": shorter},
        misses={("as-written", "edit-source"): (4, 5), ("copy-all", "edit-source"): (2, 3)},
        extra={},
    )
    assert "reason to change" in answered.verdicts[0].sentence
    assert "move" not in answered.verdicts[0].sentence


def test_one_variant_has_nothing_to_compare(tmp_path: Path) -> None:
    answered = found(tmp_path, variants={"as-written": JAVA}, extra={})
    assert answered.verdicts == ()
    assert answered.comparisons == ()
    assert len(answered.expected) == 2


def test_what_limits_the_answer_is_said(tmp_path: Path) -> None:
    answered = found(
        tmp_path,
        unstable=frozenset({"metadata-first"}),
        broken={("metadata-first", "edit-pom"): BuildOutcome.FAILED},
        builders=("classic", "simulated-classic"),
    )
    remarks = "\n".join(answered.remarks)
    assert "metadata-first is unstable: 6 of 6 rebuilds without any change" in remarks
    assert "metadata-first has changes without a build that counts on classic" in remarks
    assert "SIMULATED: no build was made for the builders simulated-classic" in remarks
    assert "never put into one figure" in remarks


@pytest.mark.parametrize(
    ("change", "message"), [({"metric": "joy"}, "joy"), ({"margin": "x"}, "x")]
)
def test_a_verdict_that_asks_for_no_metric_or_margin_is_refused(
    tmp_path: Path, change: dict[str, str], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        found(tmp_path, extra=verdict_on(**change))


def test_answers_are_data_for_scripts_and_spreadsheets(tmp_path: Path) -> None:
    answered = found(tmp_path)
    document = json.loads(json.dumps(as_document([answered])))
    assert document["answers"][0]["verdicts"][0]["comparison"]["hits_gained"] == [2, 2, 2]
    frame = comparisons_frame([answered])
    assert len(frame) == 8
    assert list(frame["hits_gained_min"][:3]) == [2, 2, -2]
    assert frame["seconds_gained_n"].eq(3).all()
