"""The picture of a partial order: all instructions, numbered reasons, nothing cut off."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from matplotlib.text import Text

from bench.cache_model import BuildInput, find_profile
from bench.dockerfile import parse
from bench.orderings.legality import partial_order
from bench.report.order_graph import _sheet, draw_order
from bench.report.sheet import drawing
from bench.workspace.manifest import Manifest

if TYPE_CHECKING:
    from pathlib import Path

    from bench.orderings.legality import PartialOrder

TEXT = """FROM base AS builder
ARG VERSION=1
ENV A=1 B=2
WORKDIR /src
COPY a b c d e f g h i j k l m n o p q r s t u v w x y z /a/long/way/
RUN make all
COPY more .
RUN make "$VERSION" && echo 'price: $5' > /x & y
USER app
EXPOSE 80
LABEL one=1
LABEL one=2
FROM builder
FROM base
CMD ["run"]
"""


def order_of(text: str) -> PartialOrder:
    build = BuildInput(parse(text, "folder/Dockerfile"), Manifest([]))
    return partial_order(build, [find_profile("classic"), find_profile("buildkit")])


def test_the_picture_is_one_svg_file_that_is_the_same_every_time(tmp_path: Path) -> None:
    order = order_of(TEXT)

    first = draw_order(order, tmp_path / "one.svg")
    second = draw_order(order, tmp_path / "two.svg")

    assert first == tmp_path / "one.svg"
    assert first.read_bytes() == second.read_bytes()
    assert first.read_bytes().startswith(b"<?xml")


def test_every_instruction_and_every_reason_is_written() -> None:
    order = order_of(TEXT)
    with drawing():
        sheet = _sheet(order, "title", "footer")
    written = [one.get_text() for one in sheet.figure.findobj(Text) if isinstance(one, Text)]

    for stage, own in zip(order.dockerfile.stages, order.stages, strict=True):
        for step, instruction in enumerate(stage.instructions[1:], start=2):
            start = f"{step} {instruction.keyword}"
            assert any(one.startswith(start) for one in written), start
        for earlier, later in own.reduced().edges:
            assert any(one.startswith(f"{earlier} before {later}: ") for one in written)
    assert "FROM alone" in written
    legend = {"a variable", "the same setting of the image", "may stand anywhere in its stage"}
    assert legend <= set(written)


def test_nothing_is_drawn_outside_of_its_panel_and_no_texts_overlap() -> None:
    with drawing():
        sheet = _sheet(order_of(TEXT), "title", "footer")
        renderer = sheet.figure.canvas.get_renderer()  # type: ignore[attr-defined]
        for axes in sheet.panels:
            room = axes.get_window_extent(renderer).padded(3)
            boxes = [
                text.get_window_extent(renderer) for text in axes.texts if len(text.get_text()) > 2
            ]
            title = boxes.pop(0)
            assert title.y0 >= room.y1 - 3
            for at, box in enumerate(boxes):
                assert room.x0 <= box.x0
                assert box.x1 <= room.x1
                assert room.y0 <= box.y0
                assert box.y1 <= room.y1
                assert not any(box.padded(-1).overlaps(other) for other in boxes[:at])


@pytest.mark.parametrize("text", ["FROM base", "FROM base\nRUN one", "FROM base\nLABEL a=1"])
def test_little_to_draw_is_drawn(tmp_path: Path, text: str) -> None:
    svg = draw_order(order_of(text), tmp_path / "x.svg").read_text()

    assert re.search(r"<svg [^>]*width=", svg)
