"""The part of a report on all instruction orderings: what there is, and how predictions held."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.builders.names import is_simulated
from bench.report import names
from bench.report.landscape import landscapes
from bench.report.markdown import escaped, table
from bench.report.simulated import mark

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bench.dataset import Dataset
    from bench.report.landscape import Built, Landscape

_HEADS = (
    "ordering", "what moved", "predicted hits", "hits",
    "predicted seconds", "seconds", "difference",
)  # fmt: skip
_MOVES = 3
_WRITTEN, _UNBUILT = "nothing: as written", "not built"


def orderings_section(dataset: Dataset) -> str:
    """Write what all orderings of the baseline would do; empty where that is not known."""
    found = landscapes(dataset)
    parts = [_landscape(one) for one in found.found]
    if found.missing:
        parts.append(f"They are not shown: {escaped(found.missing)}.\n")
    return "\n".join(["## All instruction orderings\n", *parts]) if parts else ""


def _landscape(landscape: Landscape) -> str:
    heading = f"### {mark(landscape.setup)}{escaped(landscape.setup.label)}: orderings\n"
    rows = table(_HEADS, _rows(landscape), numbers=range(2, 7))
    return f"{heading}\n{escaped(' '.join(_sentences(landscape)))}\n\n{rows}"


def _sentences(landscape: Landscape) -> Iterator[str]:
    legal = f"{landscape.legal} orderings make the same image"
    if landscape.legal == landscape.apart:
        yield f"{legal}."
    elif landscape.apart.value == 1:
        yield f"{legal}, and all are one to the builder."
    else:
        yield f"{legal}, of which the builder can tell {landscape.apart} apart."
    if not landscape.complete:
        tried = f"{landscape.places[-1]:,} were tried, the most promising first"
        if landscape.is_optimal:
            yield f"{tried}: none can be faster than the fastest of these."
        else:
            yield f"{tried}: none can take less than {names.seconds(landscape.bound_seconds)}."
    written, best = landscape.written[0], landscape.best[0]
    if round(written - best, 3) <= 0:
        yield "None is expected to be faster than the Dockerfile as written."
    else:
        yield (
            f"The fastest is expected to take {names.seconds(best)} per rebuild, against "
            f"{names.seconds(written)} as written ({names.signed_share(best / written - 1)})."
        )
    when = "before the run" if landscape.foretold else "after the run"
    yield f"Predicted {when}; step times: {landscape.source}."
    errors = sum(one.error is not None for one in landscape.built)
    if errors and not is_simulated(landscape.setup.builder):
        off = f"{landscape.typical_error:.0%}".replace("%", " %")
        of = names.counted(errors, "ordering")
        yield f"Measured seconds are {off} off, in the median of {of}."


def _rows(landscape: Landscape) -> Iterator[list[str]]:
    for one in sorted(landscape.built, key=lambda one: (one.seconds, one.variant)):
        yield [
            escaped(one.variant),
            _moved(one.moved) or _WRITTEN,
            _share(one.hit_share),
            _share(one.measured_hit_share),
            names.seconds(one.seconds),
            _measured(one, landscape),
            "" if one.error is None else names.signed_share(one.error),
        ]
    if landscape.best_moved and not any(one.is_best for one in landscape.built):
        seconds, share = landscape.best
        moved = _moved(landscape.best_moved)
        predicted = [_share(share), _UNBUILT, names.seconds(seconds), _UNBUILT, ""]
        yield ["the fastest", moved, *predicted]


def _moved(moves: Sequence[str]) -> str:
    """Say what was moved; of an ordering that has little in common with the written one a part."""
    more = len(moves) - _MOVES
    return escaped("; ".join([*moves[:_MOVES], *([f"and {more} more"] if more > 0 else [])]))


def _share(share: float | None) -> str:
    return _UNBUILT if share is None else f"{share:.0%}"


def _measured(one: Built, landscape: Landscape) -> str:
    if one.measured is None:
        return "not all changes built"
    text = names.seconds(one.measured.median)
    if is_simulated(landscape.setup.builder):
        return f"{text} (simulated)"
    if one.measured.n == 1:
        return f"{text} (one round)"
    low, high = names.seconds(one.measured.low), names.seconds(one.measured.high)
    return f"{text} ({low} to {high}, {one.measured.confidence:.0%})"
