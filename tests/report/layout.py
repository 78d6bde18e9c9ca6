"""Whether the letters of a figure stand inside it and beside each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Letters have air around them in their box; this much overlap (pixels) is invisible.
SLACK = 1.5


def visible_texts(figure: Figure) -> list[Text]:
    """Return every text that is drawn."""
    draw: Any = FigureCanvasAgg(figure).draw  # matplotlib leaves it untyped
    draw()
    return [
        text
        for text in figure.findobj(Text)
        if isinstance(text, Text)
        and text.get_visible()
        and text.get_text().strip()
        # Ticks that a locator keeps in reserve lie outside their axis and are never drawn.
        and not _is_reserve(figure, text)
    ]


def _is_reserve(figure: Figure, text: Text) -> bool:
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            ticks = [*axis.get_major_ticks(), *axis.get_minor_ticks()]
            low, high = sorted(axis.get_view_interval())
            slack = (high - low) * 1e-6
            for tick in ticks:
                if text in (tick.label1, tick.label2):
                    return not low - slack <= tick.get_loc() <= high + slack
    return False


def problems(figure: Figure) -> list[str]:
    """Return a line for each text that is cut by the edge or runs into another."""
    texts = visible_texts(figure)
    boxes = np.array([text.get_window_extent().extents for text in texts])
    wide, high = figure.bbox.width, figure.bbox.height
    found = [
        f"cut off: {text.get_text()!r}"
        for text, (left, bottom, right, top) in zip(texts, boxes, strict=True)
        if left < 0 or bottom < 0 or right > wide or top > high
    ]
    slanted = np.array([text.get_rotation() % 90 != 0 for text in texts])
    for place, box in enumerate(boxes):
        left, bottom = np.maximum(boxes[:, :2], box[:2]).T
        right, top = np.minimum(boxes[:, 2:], box[2:]).T
        clash = (right - left > SLACK) & (top - bottom > SLACK)
        clash[: place + 1] = False
        # The upright boxes of slanted neighbours cross although the letters do not.
        clash &= ~(slanted & slanted[place])
        found += [
            f"{texts[place].get_text()!r} runs into {texts[other].get_text()!r}"
            for other in np.flatnonzero(clash)
        ]
    return found
