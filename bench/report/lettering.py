"""Text on charts: measured before it is placed, and checked against the fonts there are."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from matplotlib import font_manager
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.ft2font import FT2Font

if TYPE_CHECKING:
    from collections.abc import Iterable

SANS = "DejaVu Sans"  # comes with matplotlib, so it is there on every machine
MONO = "DejaVu Sans Mono"
# Drawn with where the first font lacks a letter; only those installed are used.
_FALLBACKS = (
    "Noto Sans CJK KR",
    "Noto Sans KR",
    "NanumGothic",
    "Malgun Gothic",
    "Apple SD Gothic Neo",
    "UnDotum",
    "Noto Sans CJK JP",
    "WenQuanYi Zen Hei",
    "Arial Unicode MS",
)
_POINTS_PER_INCH = 72


@lru_cache(maxsize=1)
def fallbacks() -> tuple[str, ...]:
    """Return the installed fonts that help out where DejaVu lacks a letter."""
    installed = {font.name for font in font_manager.fontManager.ttflist}
    return tuple(name for name in _FALLBACKS if name in installed)


def settings() -> dict[str, Any]:
    """Return the matplotlib settings every chart is drawn with."""
    return {
        "font.family": [SANS, *fallbacks()],
        "font.size": 8.0,
        # A $ in a Dockerfile is a variable, never the start of a formula.
        "text.parse_math": False,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "hatch.linewidth": 0.5,
        # The same data gives the same file, so a committed chart changes only with its data.
        "svg.hashsalt": "cachebench",
        "figure.max_open_warning": 0,
    }


def undrawable(texts: Iterable[str]) -> str:
    """Return the letters in ``texts`` that no installed font can draw, each once."""
    letters = sorted({letter for text in texts for letter in text if letter.isprintable()})
    known: set[int] = set()
    for name in (SANS, *fallbacks()):
        path = font_manager.findfont(name)
        known |= set(FT2Font(str(path)).get_charmap())
    return "".join(letter for letter in letters if ord(letter) not in known)


@lru_cache(maxsize=8192)
def width(text: str, size: float, *, mono: bool = False, bold: bool = False) -> float:
    """Return how wide ``text`` is drawn at ``size`` points, in inches."""
    font = font_manager.FontProperties(
        family=[MONO if mono else SANS, *fallbacks()],
        size=size,
        weight="bold" if bold else "normal",
    )
    # matplotlib types neither the renderer nor its measure.
    measure: Any = _renderer().get_text_width_height_descent
    wide, _, _ = measure(text, font, ismath=False)
    return float(wide) / _POINTS_PER_INCH


def widest(texts: Iterable[str], size: float, *, mono: bool = False, bold: bool = False) -> float:
    """Return the width of the widest text in inches; 0 where there is none."""
    return max((width(text, size, mono=mono, bold=bold) for text in texts), default=0.0)


def wrapped(text: str, size: float, limit: float, *, bold: bool = False) -> list[str]:
    """Break ``text`` into lines not wider than ``limit`` inches; only too long words are cut."""
    lines: list[str] = []
    current = ""
    for word in text.split():
        for piece in _pieces(word, size, limit, bold=bold):
            longer = f"{current} {piece}".strip()
            if current and width(longer, size, bold=bold) > limit:
                lines.append(current)
                longer = piece
            current = longer
    return [*lines, current] if current else lines


def _pieces(word: str, size: float, limit: float, *, bold: bool) -> list[str]:
    """Cut a word that is wider than a whole line."""
    pieces = []
    while len(word) > 1 and width(word, size, bold=bold) > limit:
        cut = max(1, int(len(word) * limit / width(word, size, bold=bold)))
        while cut > 1 and width(word[:cut], size, bold=bold) > limit:
            cut -= 1
        pieces.append(word[:cut])
        word = word[cut:]
    return [*pieces, word]


@lru_cache(maxsize=1)
def _renderer() -> RendererAgg:
    make: Any = RendererAgg
    renderer: RendererAgg = make(1, 1, _POINTS_PER_INCH)
    return renderer
