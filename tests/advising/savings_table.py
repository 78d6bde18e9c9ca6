"""The tables of what advice saves, made from the documents of each measurement."""

from __future__ import annotations

import json
import math
import statistics
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

_HEAD = """\
# What advice saves

`python -m tests.advising.savings` makes a git repository of every application (the scenarios, and
those in `tests/orderings/applications`), whose commits are the changes of its scenario as often as
their weights say. On each it runs `bench advise Dockerfile --observe --verify`: two builds for the
step times, one in which the RUNs are watched, three for the equality of the images, then rounds of
rebuilds after the kinds of commits, the Dockerfile as written and as advised in turns. Seconds are
those of a commit's rebuild, weighted by how often its kind happens; the interval is of the paired
gains. *Nothing better* is an outcome: no legal ordering and no rewrite was expected to save 0.5 %,
or the measured saving does not reach 5 %.
"""


def write_table(folder: Path) -> None:
    """Write README.md from the documents in ``folder``."""
    documents = [json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))]
    engines = sorted(
        {
            f"Docker Engine {one['engine']['version']} ({one['engine']['image_store']}), "
            f"{one['engine']['cpus']} processors {one['engine']['cpu_model']}"
            for one in documents
            if "engine" in one
        }
    )
    text = "\n".join(
        [
            _HEAD,
            f"Measured on {'; '.join(engines)}.\n",
            *_savings(documents),
            "",
            "## Expected against measured",
            "",
            "Every kind of rebuild of every application, as written and as advised: the expected",
            "seconds (the times of one measured build, of the steps that the model says will miss)",
            "against the median of those measured.",
            "",
            *_errors(documents),
        ]
    )
    (folder / "README.md").write_text(text + "\n")


def _savings(documents: Iterable[dict[str, Any]]) -> Iterator[str]:
    yield "| Application | Builder | Outcome | Expected | As written | As advised | Saving |"
    yield "|---|---|---|---|---:|---:|---|"
    for one in documents:
        expected = one.get("expected_seconds")
        said = f"{expected['written']:.2f} → {expected['advised']:.2f} s" if expected else ""
        outcome = one["outcome"].splitlines()[0]
        cells = [one["application"], one["builder"], outcome, said, *_measured(one)]
        yield f"| {' | '.join(cells)} |"


def _measured(document: dict[str, Any]) -> tuple[str, str, str]:
    verified = document.get("verification") or {}
    saving = verified.get("saving")
    if saving is None:
        return "", "", ""
    gain = saving["gain"]
    return (
        f"{saving['before']['median']:.2f} s",
        f"{saving['after']['median']:.2f} s",
        f"{saving['share']:.0%}: {gain['median']:.2f} s ({gain['low']:.2f} to {gain['high']:.2f}, "
        f"{math.floor(gain['confidence'] * 100)} %, {gain['n']} rounds)",
    )


def _errors(documents: Iterable[dict[str, Any]]) -> Iterator[str]:
    found: dict[str, list[float]] = {}
    for one in documents:
        for rebuild in one.get("rebuilds", ()):
            error = abs(rebuild["expected"] - rebuild["measured"]) / rebuild["measured"]
            found.setdefault(one["builder"], []).append(error)
    yield "| Builder | Rebuilds compared | Median absolute error | Three quarters are below |"
    yield "|---|---:|---:|---:|"
    for builder, errors in sorted(found.items()):
        upper = sorted(errors)[math.ceil(0.75 * len(errors)) - 1]
        yield f"| {builder} | {len(errors)} | {statistics.median(errors):.1%} | {upper:.1%} |"
