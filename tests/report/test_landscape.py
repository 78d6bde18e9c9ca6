"""All orderings of a run: from what was predicted before it, or anew from its scenario."""

from __future__ import annotations

import json
import shutil
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from bench.dataset import load_dataset
from bench.dockerfile import parse
from bench.report.answer import answer
from bench.report.charts import charts
from bench.report.compare import Setup, setups
from bench.report.document import document
from bench.report.landscape import Landscape, landscapes, ordering_of
from bench.report.orderings_chart import orderings_charts
from bench.report.orderings_document import orderings_section
from bench.report.sheet import Caption, drawing
from tests.report.factory import java

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "results" / "reference" / "java-expose"
ENGINE = "20.10.24 graphdriver"
WEIGHTS = {"edit-source": 0.8, "edit-pom": 0.15, "edit-port": 0.05}


def recorded(**more: Any) -> dict[str, Any]:
    """Return what the head of a run says of its orderings, as `bench.arranging` writes it."""
    rows = {"metadata-first": ("best", 3.0, 0.75), "as-written": ("written", 3.5, 0.5)}
    rows["worst-1"] = ("worst", 4.0, 0.25)
    return {
        "of": "as-written",
        "builders": [
            {
                "builder": "classic",
                "orderings": 12,
                "classes": 12,
                "complete": True,
                "optimal": True,
                "bound_seconds": 3.0,
                "floor_seconds": 0.1,
                "step_times": "the run before",
                "weights": WEIGHTS,
                "curve": [
                    {"place": place, "expected_seconds": 3 + place / 12, "hit_share": 0.75}
                    for place in range(13)
                ],
                **more,
            }
        ],
        "variants": [
            {
                "name": name,
                "kind": kind,
                "ordering": [],
                "moves": [] if kind == "written" else ["EXPOSE 80 now stands before WORKDIR /app"],
                "predicted": [
                    {"builder": "classic", "expected_seconds": seconds, "hit_share": share}
                ],
            }
            for name, (kind, seconds, share) in rows.items()
        ],
    }


def made(folder: Path, **more: Any) -> Path:
    return java(extra={"orderings": recorded(**more)}).write(folder)


def only(folder: Path) -> Landscape:
    [found] = landscapes(load_dataset([folder])).found
    return found


def test_what_was_predicted_before_the_run_is_taken_from_its_head(tmp_path: Path) -> None:
    found = only(made(tmp_path))
    assert found.setup == Setup("classic", ENGINE)
    assert (found.legal.value, found.apart.value) == (12, 12)
    assert found.foretold
    assert found.written == (3.5, 0.5)
    assert found.seconds[0] == 3.0


def test_a_variant_that_was_not_built_is_no_point(tmp_path: Path) -> None:
    assert [one.variant for one in only(made(tmp_path)).built] == ["metadata-first", "as-written"]


def test_seconds_and_hits_are_weighted_over_the_changes(tmp_path: Path) -> None:
    folder = made(tmp_path)
    dataset = load_dataset([folder])
    scored = dataset.scored
    written = only(folder).built[1]
    assert written.is_written
    seconds = shares = 0.0
    for change, weight in WEIGHTS.items():
        builds = scored[
            (scored["builder"] == "classic")
            & (scored["variant"] == "as-written")
            & (scored["change"] == change)
            & (scored["round"] == 0)
        ]
        seconds += weight * builds["wall_seconds"].iloc[0]
        shares += weight * (builds["hits"] / (builds["hits"] + builds["misses"])).iloc[0]
    assert written.measured is not None
    assert written.measured.n == 3
    assert written.measured.low <= seconds <= written.measured.high
    assert written.measured_hit_share == pytest.approx(shares)


def test_a_change_of_no_weight_does_not_count(tmp_path: Path) -> None:
    before = only(made(tmp_path / "a")).built[0]
    after = only(made(tmp_path / "b", weights={**WEIGHTS, "none": 0.0})).built[0]
    assert after == before


def test_where_a_weighted_change_was_not_built_nothing_is_measured(tmp_path: Path) -> None:
    found = only(made(tmp_path, weights={**WEIGHTS, "edit-docs": 0.1}))
    assert [one.measured for one in found.built] == [None, None]
    assert [one.error for one in found.built] == [None, None]
    assert "not all changes built" in orderings_section(load_dataset([tmp_path]))


def test_a_lone_ordering_is_nothing_to_show(tmp_path: Path) -> None:
    folder = made(tmp_path, orderings=1, classes=1)
    assert landscapes(load_dataset([folder])).found == ()
    assert orderings_section(load_dataset([folder])) == ""


def test_the_reference_run_is_predicted_from_its_own_steps(monkeypatch: Any) -> None:
    """Hits to the step, seconds within 15 %: the model and the builders agree."""
    monkeypatch.chdir(ROOT)
    found = landscapes(load_dataset([REFERENCE]))
    assert found.missing == ""
    by_builder = {one.setup.builder: one for one in found.found}
    assert set(by_builder) == {"classic", "buildkit"}
    assert by_builder["buildkit"].apart.value == 1
    assert by_builder["classic"].apart == by_builder["classic"].legal
    for one in found.found:
        assert not one.foretold
        assert [built.variant for built in one.built] == ["as-written", "metadata-first"]
        for built in one.built:
            assert built.measured_hit_share == pytest.approx(built.hit_share)
            assert built.error is not None
            assert abs(built.error) < 0.15
    written, first = by_builder["classic"].built
    assert first.seconds < written.seconds
    assert first.hit_share > written.hit_share


def copied(folder: Path) -> tuple[Path, Path]:
    """Return copies of the reference run and of its scenario, which belong together."""
    scenario = shutil.copytree(ROOT / "scenarios" / "java-iotd", folder / "java-iotd")
    run = shutil.copytree(REFERENCE, folder / "run")
    head = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps({**head, "scenario_path": str(scenario)}))
    return run, scenario


def test_a_dockerfile_that_was_edited_since_is_not_predicted(tmp_path: Path) -> None:
    run, scenario = copied(tmp_path)
    with (scenario / "Dockerfile").open("a") as file:
        file.write("LABEL new=1\n")
    found = landscapes(load_dataset([run]))
    assert found.found == ()
    assert "the Dockerfile of as-written has changed since" in found.missing
    assert "They are not shown" in orderings_section(load_dataset([run]))


def test_a_scenario_that_is_gone_is_said_and_draws_nothing(tmp_path: Path) -> None:
    run, scenario = copied(tmp_path)
    shutil.rmtree(scenario)
    dataset = load_dataset([run])
    assert "java-iotd" in landscapes(dataset).missing
    assert orderings_charts(dataset, setups(dataset)[0], Caption("", "", "")) == []
    assert "They are not shown" in orderings_section(dataset)


def test_a_report_begins_its_charts_with_the_orderings_and_has_their_table(
    monkeypatch: Any,
) -> None:
    monkeypatch.chdir(ROOT)
    dataset = load_dataset([REFERENCE])
    found = answer(dataset)
    with drawing():
        chart = next(charts(dataset, found.title))
    assert chart.stem == "orderings-buildkit"
    text = document(dataset, found, [(chart, PurePosixPath("charts", "orderings-buildkit.png"))])
    section = text.partition("## All instruction orderings")[2].partition("## Charts")[0]
    assert section.count("| as-written | nothing: as written |") == 2
    assert "12 orderings make the same image, and all are one to the builder." in section
    assert "| the fastest |" in section
    assert "](charts/orderings-buildkit.png)" in text


def test_a_table_row_has_prediction_measurement_and_difference(tmp_path: Path) -> None:
    folder = made(tmp_path)
    first = only(folder).built[0]
    assert first.error is not None
    [row] = [
        line
        for line in orderings_section(load_dataset([folder])).splitlines()
        if line.startswith("| metadata-first")
    ]
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells[1] == "EXPOSE 80 now stands before WORKDIR /app"
    assert cells[2] == "75%"
    assert cells[4] == "3.00 s"
    assert cells[6].endswith(" %")


TEXT = 'FROM a\nCOPY x x\nRUN make\nRUN make\nFROM b\nEXPOSE 80\nCMD ["c"]\n'


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (TEXT, ((1, 2, 3, 4), (1, 2, 3))),
        ("FROM a\nRUN make\nCOPY x x\nRUN make\nFROM b\nCMD [\"c\"]\nEXPOSE 80\n",
         ((1, 3, 2, 4), (1, 3, 2))),
        (TEXT.replace("EXPOSE 80", "EXPOSE 81"), None),
        (TEXT + "LABEL a=b\n", None),
        (TEXT.replace("RUN make\nRUN make", "RUN make"), None),
        ("FROM a\nCOPY x x\nRUN make\nRUN make\n", None),
        (TEXT.replace("FROM b", "FROM c"), None),
    ],
)  # fmt: skip
def test_a_variant_is_an_ordering_if_it_has_the_same_instructions_in_each_stage(
    other: str, expected: tuple[tuple[int, ...], ...] | None
) -> None:
    found = ordering_of(parse(TEXT), parse(other))
    assert (found.stages if found else None) == expected


def test_a_replay_has_no_orderings(tmp_path: Path) -> None:
    maker = java(extra={"replay": {"repository": "r"}, "orderings": recorded()})
    assert landscapes(load_dataset([maker.write(tmp_path)])).found == ()
