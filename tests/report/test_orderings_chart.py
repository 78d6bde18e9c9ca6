"""The chart of all orderings: every letter can be read, every point stands where it belongs."""

from __future__ import annotations

import itertools
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.report.names import MINUS, signed_share
from bench.report.orderings_chart import NOTE, draw_orderings, spread_out
from bench.report.sheet import Caption, drawing, save
from tests.report.landscapes import LONG, landscape
from tests.report.layout import problems, visible_texts

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from bench.report.landscape import Landscape

CAPTION = Caption("Should EXPOSE go earlier?", f"Orderings, builder classic. {NOTE}", "run a · n=6")
CASES: dict[str, Landscape] = {
    "few": landscape(3, 3),
    "one to the builder": landscape(1, 1, legal=12_345),
    "medium": landscape(40, 8),
    "several hundred": landscape(300, 8),
    "many": landscape(10_000, 12),
    "searched": landscape(10_000, 12, legal=108_864_000, complete=False),
    "few of many": landscape(4, 4, legal=9_266_400, complete=False),
    "long names": landscape(40, 9, name=LONG),
    "many built": landscape(2_000, 50, legal=9_266_400, complete=False),
    "nothing built": landscape(40, 0),
    "no round": landscape(12, 3, rounds=0),
    "one round": landscape(12, 3, rounds=1),
}


def drawn(case: Landscape) -> Figure:
    with drawing():
        return draw_orderings(case, CAPTION)[0]


@cache
def figure_of(case: str) -> Figure:
    return drawn(CASES[case])


def panels(figure: Figure) -> list[Axes]:
    return [axes for axes in figure.axes if axes.axison]


def words(figure: Figure) -> str:
    with drawing():
        return " ".join(text.get_text() for text in visible_texts(figure))


def data_of(axes: Axes, marker: str) -> list[tuple[float, float]]:
    """Return the points of a panel that are drawn with a marker of at least this size."""
    lines: list[Any] = [line for line in axes.get_lines() if line.get_marker() == marker]
    return [
        (float(x), float(y))
        for line in lines
        if line.get_markersize() == 5
        for x, y in zip(line.get_xdata(), line.get_ydata(), strict=True)
    ]


@pytest.mark.parametrize("case", CASES)
def test_no_text_is_cut_and_none_runs_into_another(case: str) -> None:
    figure = figure_of(case)
    with drawing():
        assert problems(figure) == []
    assert figure.get_figheight() < 25


def test_very_many_built_orderings_go_on_on_other_sheets() -> None:
    source = landscape(2_000, 150, legal=9_266_400, complete=False)
    with drawing():
        figures = draw_orderings(source, CAPTION)
        assert [problem for figure in figures for problem in problems(figure)] == []
    assert len(figures) == 3
    labels = [
        label.get_text().split()[0]
        for figure in figures
        for label in panels(figure)[-1].get_yticklabels()
    ]
    assert labels == [str(number) for number in range(1, len(source.built) + 1)]


@given(
    st.lists(st.floats(0, 8), max_size=40).map(sorted),
    st.floats(0.05, 0.2),
)
def test_numbers_are_spread_out_in_order_inside_the_panel(
    places: list[float], apart: float
) -> None:
    found = spread_out(places, apart, 8.0)
    assert all(second - first >= apart - 1e-9 for first, second in itertools.pairwise(found))
    assert all(-1e-9 <= one <= 8.0 for one in found)
    far_apart = all(two - one >= apart for one, two in itertools.pairwise(places))
    assert found == pytest.approx(places) or not far_apart


@pytest.mark.parametrize("case", ["few", "medium", "many", "searched"])
def test_a_built_ordering_stands_at_its_place_and_at_its_measured_seconds(case: str) -> None:
    source = CASES[case]
    above = panels(figure_of(case))[0]
    points = data_of(above, "o")
    medians = sorted(one.measured.median for one in source.built if one.measured is not None)
    assert sorted(y for _, y in points) == pytest.approx(medians)
    by_seconds = {one.measured.median: one for one in source.built if one.measured is not None}
    if source.complete:
        for x, y in points:
            place = source.place(by_seconds[y].seconds, by_seconds[y].hit_share)
            assert x == pytest.approx(place, abs=0.5)


def test_the_slower_of_two_built_orderings_stands_to_the_right_also_beyond_the_searched() -> None:
    source = CASES["searched"]
    above = panels(figure_of("searched"))[0]
    by_median = {one.measured.median: one.seconds for one in source.built if one.measured}
    found = sorted((x, by_median[y]) for x, y in data_of(above, "o"))
    predicted = [seconds for _, seconds in found]
    assert predicted == sorted(predicted)
    assert found[-1][0] > len(source.seconds)


def test_hits_are_percent_of_the_steps() -> None:
    source = CASES["medium"]
    below = panels(figure_of("medium"))[1]
    shares = sorted(100 * (one.measured_hit_share or 0) for one in source.built)
    assert sorted(y for _, y in data_of(below, "o")) == pytest.approx(shares)
    assert "%" in below.get_ylabel()
    assert below.get_ylim() == (-5, 105)


def test_every_interval_is_drawn_from_end_to_end() -> None:
    source = CASES["medium"]
    above = panels(figure_of("medium"))[0]
    upright = [
        tuple(line.get_ydata())  # type: ignore[arg-type]
        for line in above.get_lines()
        if len(set(np.asarray(line.get_xdata()))) == 1 and len(np.asarray(line.get_xdata())) == 2
    ]
    for one in source.built:
        assert one.measured is not None
        assert (one.measured.low, one.measured.high) in upright


def test_the_chart_counts_the_orderings_and_names_what_it_shows() -> None:
    said = words(figure_of("searched"))
    assert "108,864,000 legal orderings" in said
    assert "10,000 tried" in said
    assert "others, not tried" in said
    assert "as written" in said
    assert "fastest found" in said
    one = words(figure_of("one to the builder"))
    assert "12,345 legal orderings, which are all one to the builder" in one


def test_every_built_ordering_has_a_row_with_its_error() -> None:
    source = CASES["medium"]
    said = words(figure_of("medium"))
    for one in source.built:
        assert one.variant in said
        assert one.error is not None
        assert signed_share(one.error) in said


def test_what_was_simulated_is_not_said_to_be_built() -> None:
    said = words(drawn(landscape(12, 4, builder="simulated-classic")))
    assert "built" not in said.replace(NOTE, "")
    assert "Those that were simulated" in said


def test_ten_thousand_orderings_make_a_small_picture(tmp_path: Path) -> None:
    figure = figure_of("many")
    with drawing():
        png, svg = save(figure, tmp_path / "many")
    assert png.stat().st_size < 500_000
    assert svg.stat().st_size < 500_000


@pytest.mark.parametrize(
    ("part", "text"), [(0.042, "+4 %"), (-0.26, f"{MINUS}26 %"), (0.004, "0 %"), (-0.004, "0 %")]
)
def test_a_difference_has_its_sign_unless_it_is_none(part: float, text: str) -> None:
    assert signed_share(part) == text
