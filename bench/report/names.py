"""How the report writes numbers, names and instructions, the same in tables and on charts."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bench.stats import Summary

MINUS = "\N{MINUS SIGN}"
_ELLIPSIS = "…"
_UNITS = (("GB", 1e9), ("MB", 1e6), ("kB", 1e3))


def shortened(text: str, length: int) -> str:
    """Cut the middle out of ``text`` so that it has at most ``length`` characters.

    The start tells the instruction, the end the file or option that makes it differ.
    """
    text = " ".join(text.split())
    if len(text) <= length:
        return text
    tail = (length - 1) * 2 // 5
    head = length - 1 - tail
    return text[:head].rstrip() + _ELLIPSIS + text[len(text) - tail :].lstrip()


def seconds(value: float) -> str:
    """Write a duration with the digits a reader can use."""
    return f"{_digits(value)} s"


def signed_seconds(value: float) -> str:
    """Write a difference with its sign; a rounded zero has none."""
    text = _digits(abs(value))
    if float(text) == 0:
        return f"{text} s"
    return f"{'+' if value > 0 else MINUS}{text} s"


def _digits(value: float) -> str:
    if abs(value) >= 100:
        return f"{value:.0f}"
    if abs(value) >= 10:
        return f"{value:.1f}"
    return f"{value:.2f}" if abs(value) >= 0.1 else f"{value:.3f}"


def signed(value: float) -> str:
    """Write a count with its sign: +2, 0, and a minus before a loss."""
    number = f"{abs(value):g}"
    return "0" if value == 0 else f"{'+' if value > 0 else MINUS}{number}"


def signed_share(part: float) -> str:
    """Write a relative difference with its sign, +4 %; a rounded zero has none."""
    number = f"{abs(part):.0%}".replace("%", " %")
    sign = "" if number == "0 %" else "+" if part > 0 else MINUS
    return f"{sign}{number}"


def size(value: float) -> str:
    """Write a number of bytes in decimal units, as docker does."""
    for unit, factor in _UNITS:
        if abs(value) >= factor:
            number = value / factor
            return f"{number:.0f} {unit}" if abs(number) >= 100 else f"{number:.3g} {unit}"
    return f"{value:.0f} B"


def span(values: Sequence[float], *, with_sign: bool = False) -> str:
    """Write exact counts: one number where all are equal, else ``low to high``."""
    write = signed if with_sign else "{:g}".format
    low, high = min(values), max(values)
    return write(low) if low == high else f"{write(low)} to {write(high)}"


def certainty(summary: Summary) -> str:
    """Say what the interval of a summary is and how many values it stands on."""
    if summary.n == 1:
        return "n=1, a single value shows no spread"
    kind = "interval" if summary.sure else "range"
    return f"{kind} holds the median with {summary.confidence:.0%}, n={summary.n}"


def stage_label(stage: str, index: int, last: int) -> str:
    """Name a stage as the reader knows it: its name, else its number; the last one is final."""
    if index < 0:
        return "before the first FROM"
    name = stage if stage and stage != str(index) else f"stage {index}"
    return f"{name} (final)" if index == last else name


def listed(items: Iterable[str]) -> str:
    """Join names as a sentence does: a, b and c."""
    names = list(items)
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)


def counted(number: int, noun: str) -> str:
    """Write a number with its noun: 1 hit, 2 hits, 2 misses."""
    if number == 1:
        return f"{number} {noun}"
    return f"{number} {noun}es" if noun.endswith("s") else f"{number} {noun}s"
