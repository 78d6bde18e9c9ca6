"""Charts show the data they are given, and every letter of them can be read."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from matplotlib.patches import Rectangle

from bench.builders.protocol import BuildOutcome
from bench.dataset import load_dataset
from bench.report.charts import charts, footer, slug
from bench.report.compare import Setup
from bench.report.heatmap import heatmap_frame, pages
from bench.report.lettering import undrawable, width, wrapped
from bench.report.palette import OUTCOMES, stage_look
from bench.report.seconds import seconds_frame
from bench.report.sheet import Box, drawing, save
from bench.report.sizes import sizes_frame
from bench.report.timeline import chosen_change, lanes
from tests.report.factory import JAVA, JAVA_FIRST, Maker, java, large
from tests.report.layout import problems, visible_texts

if TYPE_CHECKING:
    from pathlib import Path

    from bench.report.charts import Chart

CLASSIC = Setup("classic", "20.10.24 graphdriver")
BUILDKIT = Setup("buildkit", "20.10.24 graphdriver")
ODD = "$weird_<&> name$ `x` | and 한국어 that goes on and on"


def odd() -> Maker:
    """Return a run whose names try to break a chart, with a failure and an unstable variant."""
    return java(
        title="Costs $x and <b>&_y$ — 자바 질문",
        variants={ODD: JAVA, "metadata-first": JAVA_FIRST},
        misses={(ODD, "edit-source"): (4, 5, 8), ("metadata-first", "edit-source"): (4, 5, 10)},
        broken={("metadata-first", "edit-pom"): BuildOutcome.FAILED},
        unstable=frozenset({"metadata-first"}),
        rounds=1,
    )


def drawn(maker: Maker, folder: Path) -> list[Chart]:
    dataset = load_dataset([maker.write(folder)])
    with drawing():
        return list(charts(dataset, maker.title))


MAKERS: dict[str, Any] = {
    "two variants": java,
    "one variant, one round": lambda: java(variants={"as-written": JAVA}, rounds=1, extra={}),
    "odd names": odd,
    "cold only": lambda: java(rounds=0),
    "nothing but failures": lambda: java(
        rounds=0, broken={(name, ""): BuildOutcome.FAILED for name in java().variants}
    ),
    "sub-second": lambda: java(variants={"a": tuple((s, t, x / 90) for s, t, x in JAVA)}),
    "many of each": lambda: large(variants=4, changes=10, steps=16, rounds=2),
}


@pytest.mark.parametrize("case", MAKERS)
def test_no_text_is_cut_and_none_runs_into_another(case: str, tmp_path: Path) -> None:
    for chart in drawn(MAKERS[case](), tmp_path):
        with drawing():
            assert problems(chart.figure) == [], chart.stem


@pytest.mark.slow
def test_twelve_variants_ten_changes_and_forty_steps_stay_readable(tmp_path: Path) -> None:
    """Sheets grow and then continue on the next; letters never shrink."""
    found = drawn(large(), tmp_path)
    for chart in found:
        with drawing():
            assert problems(chart.figure) == [], chart.stem
        assert chart.figure.get_figheight() < 40
    assert {"heatmap-buildkit", "heatmap-buildkit-2"} <= {chart.stem for chart in found}


def test_every_chart_names_title_builder_engine_and_sample_size(tmp_path: Path) -> None:
    found = drawn(java(), tmp_path)
    assert [chart.stem for chart in found if chart.stem.endswith("classic")] == [
        "heatmap-classic",
        "seconds-classic",
        "gains-classic",
        "timeline-cold-classic",
        "timeline-edit-source-classic",
        "sizes-classic",
    ]
    for chart in found:
        with drawing():
            words = " ".join(text.get_text() for text in visible_texts(chart.figure))
        builder = chart.stem.rsplit("-", 1)[1]
        assert "should EXPOSE and ENTRYPOINT go earlier?" in words
        assert f"Builder {builder}, Docker Engine 20.10.24 graphdriver" in words
        assert "n=3" in words
        assert "base images are stand-ins" in words


def test_axes_of_time_and_size_say_their_unit(tmp_path: Path) -> None:
    for chart in drawn(java(), tmp_path):
        labels = [axes.get_xlabel() for axes in chart.figure.axes if axes.axison]
        if not chart.stem.startswith("heatmap"):
            assert all(re.search(r"seconds|bytes|GB", label) for label in labels), chart.stem


def test_a_dollar_or_markup_in_a_name_is_drawn_as_it_is_written(tmp_path: Path) -> None:
    (heatmap, *_) = drawn(odd(), tmp_path)
    with drawing():
        words = " ".join(
            " ".join(text.get_text().split()) for text in visible_texts(heatmap.figure)
        )
    assert "$weird_<&> name$ `x` |" in words


def test_the_heat_map_holds_every_step_under_every_change(tmp_path: Path) -> None:
    frame = heatmap_frame(load_dataset([java().write(tmp_path)]), CLASSIC)
    assert len(frame) == 2 * 4 * len(JAVA)
    keys = zip(frame["variant"], frame["column"], frame["text"], strict=True)
    cell = dict(zip(keys, frame["outcome"], strict=True))
    assert cell["metadata-first", "edit-source", "EXPOSE 80"] == "hit"
    assert cell["as-written", "edit-source", "EXPOSE 80"] == "miss"
    buildkit = heatmap_frame(load_dataset([tmp_path]), BUILDKIT)
    assert set(buildkit.loc[buildkit["text"] == "EXPOSE 80", "outcome"]) == {"config"}


def test_rounds_that_disagree_make_a_split_cell(tmp_path: Path) -> None:
    runs = [
        java(rounds=2, builders=("classic",)).write(tmp_path / "a"),
        java(run="run-2", rounds=1, misses={}, builders=("classic",)).write(tmp_path / "b"),
    ]
    dataset = load_dataset(runs)
    frame = heatmap_frame(dataset, CLASSIC)
    mixed = frame[frame["outcome"] == "mixed"]
    assert len(mixed)
    assert set(mixed["n"]) == {3}
    with drawing():
        heatmap = next(iter(charts(dataset, "title")))
        words = [text.get_text() for text in visible_texts(heatmap.figure)]
    assert "✓1" in words
    assert "✗2" in words


def test_failed_and_unreached_steps_have_their_own_cells(tmp_path: Path) -> None:
    frame = heatmap_frame(load_dataset([odd().write(tmp_path)]), CLASSIC)
    pom = frame[(frame["variant"] == "metadata-first") & (frame["column"] == "edit-pom")]
    assert list(pom["outcome"]).count("failed") == 1
    assert list(pom["outcome"]).count("not-run") == 5
    assert "control" in set(frame["column"])
    assert "cold" not in set(frame["column"])


def test_the_parts_of_a_bar_end_at_the_median_wall_time(tmp_path: Path) -> None:
    dataset = load_dataset([java().write(tmp_path)])
    frame = seconds_frame(dataset, CLASSIC)
    wall = dataset.scored.groupby(["builder", "variant", "change"])["wall_seconds"].median()
    own = frame[(frame["variant"] == "as-written") & (frame["column"] == "edit-source")]

    assert list(own["part"]) == ["builder", "stage 1 (final)", "outside steps"]
    assert own["seconds"].sum() == pytest.approx(wall["classic", "as-written", "edit-source"])
    assert set(own["n"]) == {3}
    assert set(frame["column"]) == {"cold", "edit-source", "edit-pom", "edit-port", "none"}


def test_every_sample_is_a_dot(tmp_path: Path) -> None:
    (chart,) = [one for one in drawn(java(), tmp_path) if one.stem == "seconds-classic"]
    panels = [axes for axes in chart.figure.axes if axes.axison]
    dots = [len(line.get_xdata()) for axes in panels for line in axes.get_lines()]  # type: ignore[arg-type]
    assert dots == [1, 1] + [3] * 8


def test_the_timeline_shows_the_build_of_median_time(tmp_path: Path) -> None:
    dataset = load_dataset([java().write(tmp_path)])
    assert chosen_change(dataset) == "edit-source"
    first, second = lanes(dataset, CLASSIC, "edit-source")
    wall = dataset.scored.groupby(["builder", "variant", "change"])["wall_seconds"].median()
    assert first.wall_seconds == wall["classic", "as-written", "edit-source"]
    assert second.variant == "metadata-first"
    assert len(first.steps) == len(JAVA)
    assert [lane.variant for lane in lanes(dataset, CLASSIC, "cold")] == [
        "as-written",
        "metadata-first",
    ]


def test_sizes_hold_the_image_and_what_a_push_moves(tmp_path: Path) -> None:
    frame = sizes_frame(load_dataset([java().write(tmp_path)]), CLASSIC)
    median = frame.groupby(["variant", "column"])["bytes"].median()
    assert median["as-written", "edit-source"] == 150_000
    assert median["metadata-first", "edit-source"] == 90_000
    assert median["as-written", "image"] == 200_000_000
    assert len(frame) == 2 * (1 + 4 * 3)


def test_colours_differ_in_grey_or_carry_a_mark() -> None:
    looks = [(look.fill, look.hatch, look.mark) for look in OUTCOMES.values()]
    assert len(set(looks)) == len(looks)
    assert all(look.mark or look.hatch for look in OUTCOMES.values())
    stages = {(look.fill, look.hatch) for look in (stage_look(n, "") for n in range(20))}
    assert len(stages) == 20


def test_a_chart_is_written_as_png_and_svg_the_same_every_time(tmp_path: Path) -> None:
    chart = drawn(java(rounds=1, builders=("classic",)), tmp_path / "run")[0]
    with drawing():
        png, svg = save(chart.figure, tmp_path / "a" / "v1.0-chart")
        again, svg_again = save(chart.figure, tmp_path / "b" / "v1.0-chart")
    assert png.name == "v1.0-chart.png"
    assert png.read_bytes().startswith(b"\x89PNG")
    assert svg.read_bytes() == svg_again.read_bytes()
    assert png.read_bytes() == again.read_bytes()
    assert sorted(path.name for path in png.parent.iterdir()) == [png.name, svg.name]


def test_panels_are_shared_over_sheets_only_when_they_must() -> None:
    box = Box(1, 8, 1, 1, 1, 1)
    assert pages([box] * 5, 1, 30.0) == [[0, 1, 2], [3, 4]]
    assert pages([box] * 5, 2, 20.0) == [[0, 1, 2, 3], [4]]
    assert pages([box], 1, 1.0) == [[0]]


def test_text_is_measured_before_it_is_broken() -> None:
    lines = wrapped("a rather long line of words " * 8 + "x" * 300, 9, 3.0)
    assert len(lines) > 5
    assert all(width(line, 9) <= 3.0 for line in lines)
    assert "".join("".join(lines).split()) == "".join(
        ("a rather long line of words " * 8 + "x" * 300).split()
    )
    assert wrapped("", 9, 3.0) == []


def test_letters_without_a_font_are_named_once() -> None:
    unknown = "\U0001e900"  # Adlam, which no font the charts are drawn with has
    assert undrawable(["plain ascii, — ✓ ✗", "ä"]) == ""
    assert undrawable([f"a{unknown}b{unknown}", unknown]) == unknown


def test_file_names_are_safe_and_stay_apart() -> None:
    assert slug("28.5.1 containerd (cpus 2)") == "28.5.1-containerd-cpus-2"
    assert slug("../../x") == "x"
    assert slug("자바") != slug("노드")
    assert re.fullmatch(r"[A-Za-z0-9._-]+", slug("자바"))


def test_the_footer_names_runs_and_simulation(tmp_path: Path) -> None:
    maker = java(builders=("simulated-classic",), extra={"simulation": {"times_run": "run-0"}})
    dataset = load_dataset([maker.write(tmp_path)])
    text = footer(dataset, Setup("simulated-classic", "20.10.24 graphdriver"))
    assert "simulated, not built" in text
    assert "seconds are medians of the recorded run run-0" in text
    assert "run run-1" in text


def test_bars_of_cells_lie_inside_their_panel(tmp_path: Path) -> None:
    for chart in drawn(java(rounds=1), tmp_path):
        if chart.stem.startswith("heatmap"):
            for axes in chart.figure.axes[1:]:
                right = max(
                    patch.get_bbox().x1 for patch in axes.patches if isinstance(patch, Rectangle)
                )
                assert right <= axes.get_xlim()[1]
