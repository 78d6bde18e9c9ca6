"""The report tells everything the records hold, in Markdown that reads as it is written."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.builders.protocol import BuildOutcome
from bench.dataset import read_tables
from bench.errors import RecordsError
from bench.report import names, write_report
from bench.report.markdown import block, code, escaped, table
from bench.report.names import MINUS
from bench.stats import Summary
from tests.report.factory import JAVA, java

if TYPE_CHECKING:
    from pathlib import Path


def test_the_report_answers_and_holds_what_it_rests_on(tmp_path: Path) -> None:
    extra = {
        **java().extra,
        "expectations": [
            {
                "variant": "as-written",
                "change": "edit-source",
                "builder": "classic",
                "outcome": "broken",
                "builds": 3,
                "problems": ["builder:COPY . . hit, a miss was expected"],
            },
            {
                "variant": "as-written",
                "change": "edit-pom",
                "builder": "classic",
                "outcome": "met",
                "builds": 3,
                "problems": [],
            },
        ],
        "excluded": ["copy-all on classic: its pristine tree does not build"],
    }
    maker = java(
        extra=extra,
        broken={("metadata-first", "edit-pom"): BuildOutcome.FAILED},
        unstable=frozenset({"metadata-first"}),
        builders=("classic",),
    )
    paths = write_report([maker.write(tmp_path / "run")], tmp_path / "out")
    text = paths.documents[0].read_text()

    for expected in (
        "# Java: should EXPOSE and ENTRYPOINT go earlier?",
        "자바: EXPOSE와 ENTRYPOINT를 위로 올려야 할까?",
        "gains 2 hits on edit-source",
        "The price: edit-port",
        f"| metadata-first | edit-port | 1 | {MINUS}2 | 5 of 9 | 7 of 9 |",
        "## Expected rebuild seconds",
        "1 of 2 declared expectations were met.",
        "builder:COPY . . hit, a miss was expected",
        "**Unstable:** 3 of 6 rebuilds without a change missed.",
        "`RUN mvn package` in 3 controls",
        "copy-all on classic: its pristine tree does not build",
        "3 builds failed or timed out",
        "[ERROR] COMPILATION ERROR",
        "A hit ratio is hits / (hits + misses).",
        "a **stand-in** made from distribution packages",
        "seed 7, rounds 3, cold 1",
        "kernel 6.1.0",
        "cachebench 0.1.0",
    ):
        assert expected in text


def test_every_chart_of_the_report_is_there_and_linked(tmp_path: Path) -> None:
    paths = write_report([java(rounds=1).write(tmp_path / "run")], tmp_path / "out")
    links = re.findall(r"\]\((charts/[^)]+)\)", paths.documents[0].read_text())
    pictures = {path.relative_to(tmp_path / "out").as_posix() for path in paths.charts}

    assert len(links) == 12
    assert set(links) <= pictures
    assert {path.suffix for path in paths.charts} == {".png", ".svg"}
    assert all(path.stat().st_size > 1000 for path in paths.charts)


def test_the_tables_of_the_report_are_the_records(tmp_path: Path) -> None:
    maker = java(rounds=1)
    write_report([maker.write(tmp_path / "run")], tmp_path / "out")
    assert len(read_tables(tmp_path / "out").builds) == len(maker.records())
    compared = pd.read_csv(tmp_path / "out" / "comparisons.csv")
    assert list(compared["hits_gained_min"][:3]) == [2, 2, -2]


def test_several_scenarios_get_a_document_and_charts_each(tmp_path: Path) -> None:
    one = java(rounds=1, builders=("classic",)).write(tmp_path / "a")
    two = java(
        run="run-2",
        rounds=1,
        builders=("classic",),
        scenario="other",
        variants={"as-written": JAVA},
        extra={},
    ).write(tmp_path / "b")
    paths = write_report([one, two], tmp_path / "out")
    assert [path.name for path in paths.documents] == ["report-java-iotd.md", "report-other.md"]
    assert (tmp_path / "out/charts/other/heatmap-classic.png").is_file()
    assert "charts/other/heatmap-classic.png" in paths.documents[1].read_text()
    assert "one variant only" in paths.documents[1].read_text()


def test_a_second_report_replaces_the_first(tmp_path: Path) -> None:
    folder = java(rounds=1, builders=("classic",)).write(tmp_path / "run")
    first = write_report([folder], tmp_path / "out")
    before = {path: path.read_bytes() for path in (*first.tables, *first.documents)}
    second = write_report([folder], tmp_path / "out")
    assert second.charts == first.charts
    assert {path: path.read_bytes() for path in before} == before


def test_letters_no_font_has_are_warned_of_and_do_not_stop_the_report(tmp_path: Path) -> None:
    maker = java(rounds=1, builders=("classic",), title="\U0001e900 title", extra={})
    paths = write_report([maker.write(tmp_path / "run")], tmp_path / "out")
    assert any("no installed font draws \U0001e900" in warning for warning in paths.warnings)


def test_a_report_that_cannot_be_written_says_where(tmp_path: Path) -> None:
    folder = java(rounds=1).write(tmp_path / "run")
    (tmp_path / "file").write_text("")
    with pytest.raises(RecordsError, match="cannot write"):
        write_report([folder], tmp_path / "file")


def test_markdown_is_escaped_where_it_would_mean_something() -> None:
    assert escaped("a|b <i> $x_y$ `c`\n#1") == r"a\|b \<i\> \$x\_y\$ \`c\` \#1"
    assert code("echo `date` | tee") == r"`` echo `date` \| tee ``"
    assert escaped("\x1b[1;31mred\x1b[m") == "red"
    assert block(["```", "\x1b[31mx\x1b[0m"]) == "````text\n```\nx\n````\n"
    assert table(["a", "n"], [["x", "1"]], numbers=[1]) == "| a | n |\n| --- | ---: |\n| x | 1 |\n"


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=60))
def test_no_text_breaks_out_of_its_table_cell(text: str) -> None:
    for cell in (escaped(text), code(text)):
        assert "\n" not in cell
        assert not re.search(r"(?<!\\)\|", cell)


@given(st.text(max_size=200), st.integers(3, 60))
def test_shortened_text_fits_and_keeps_both_ends(text: str, length: int) -> None:
    short = names.shortened(text, length)
    whole = " ".join(text.split())
    assert len(short) <= length
    if len(whole) <= length:
        assert short == whole
    else:
        assert short[0] == whole[0]
        assert "…" in short


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (names.seconds(0.0123), "0.012 s"),
        (names.seconds(1.234), "1.23 s"),
        (names.seconds(61.27), "61.3 s"),
        (names.seconds(1234.5), "1234 s"),
        (names.signed_seconds(-0.5), f"{MINUS}0.50 s"),
        (names.signed_seconds(0.5), "+0.50 s"),
        (names.signed_seconds(-0.0001), "0.000 s"),
        (names.signed(-2), f"{MINUS}2"),
        (names.signed(0), "0"),
        (names.size(999), "999 B"),
        (names.size(1500), "1.5 kB"),
        (names.size(200_500_000), "200 MB"),
        (names.span([3, 3]), "3"),
        (names.span([-1, 2], with_sign=True), f"{MINUS}1 to +2"),
        (names.stage_label("1", 1, 1), "stage 1 (final)"),
        (names.stage_label("builder", 0, 1), "builder"),
        (names.stage_label("", -1, 1), "before the first FROM"),
        (names.listed(["a", "b", "c"]), "a, b and c"),
        (names.counted(2, "miss"), "2 misses"),
        (names.certainty(Summary(6, 0, 0, 0, 0.97)), "interval holds the median with 97%, n=6"),
        (names.certainty(Summary(3, 0, 0, 0, 0.75)), "range holds the median with 75%, n=3"),
    ],
)
def test_numbers_are_written_for_people(text: str, expected: str) -> None:
    assert text == expected
