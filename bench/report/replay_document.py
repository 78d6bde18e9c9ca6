"""The report of a replay as Markdown: totals, why steps missed, and every commit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.report import names
from bench.report.findings import predictions_section
from bench.report.markdown import bullets, code, escaped, table
from bench.report.simulated import mark

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.dataset import Dataset
    from bench.report.compare import Setup
    from bench.report.replaying import Cause, CommitBuild, ReplaySummary, Total

_CAUSES_SHOWN = 80
_FILES_SHOWN = 3
_METHOD = (
    "The commits were built one after the other, oldest first, each on what the builds before it "
    "had left in the cache, with no control in between. They follow first parents: a merge is one "
    "commit, with all that came in by it. The first build is a cold one and in no sum, "
    "nor is a commit that some Dockerfile did not build. Files are "
    "as git stores them, without submodules and without the working tree. Each commit was built "
    "once, so small differences of seconds may be chance."
)


def totals_section(summary: ReplaySummary) -> str:
    """Write the sums of every variant, setup by setup."""
    parts = [bullets(escaped(sentence(one, summary)) for one in summary.totals)]
    for setup in dict.fromkeys(one.setup for one in summary.totals):
        heads = [
            "variant", "commits", "hits", "seconds", "median", f"saved against {summary.baseline}",
            "cold build", "failed",
        ]  # fmt: skip
        rows = [
            [escaped(one.variant), *total_cells(one)]
            for one in summary.totals
            if one.setup == setup
        ]
        heading = f"### {mark(setup)}{escaped(setup.label)}\n"
        lines = table([escaped(head) for head in heads], rows, numbers=range(1, 8))
        parts.append(f"{heading}\n{lines}")
    return "\n".join(parts)


def sentence(one: Total, summary: ReplaySummary) -> str:
    """Say how one variant did."""
    head = f"{mark(one.setup)}{one.variant} on {one.setup.label}"
    if not one.commits:
        return f"{head}: no rebuild of a commit that counts."
    hits = f"{one.hits} of {one.scored} steps hit"
    text = f"{head}: {names.counted(one.commits, 'rebuild')}, {hits}, {names.seconds(one.seconds)}"
    if one.saved_seconds is not None:
        before = one.seconds + one.saved_seconds
        share = f", {abs(one.saved_seconds) / before:.0%}" if before else ""
        less = "less" if one.saved_seconds >= 0 else "more"
        amount = names.seconds(abs(one.saved_seconds))
        text += f" ({amount}{share} {less} than {summary.baseline})"
    return f"{text}."


def total_cells(one: Total) -> list[str]:
    """Return what a table says of a variant's rebuilds, without its name."""
    return [
        str(one.commits),
        f"{one.hits} of {one.scored}",
        names.seconds(one.seconds),
        "" if one.median_seconds is None else names.seconds(one.median_seconds),
        "" if one.saved_seconds is None else names.signed_seconds(one.saved_seconds),
        "none" if one.cold_seconds is None else names.seconds(one.cold_seconds),
        str(one.failed),
    ]


def causes_section(summary: ReplaySummary) -> str:
    """Write why steps missed, over all commits."""
    if not summary.causes:
        return "## Why steps missed\n\nNo step of a rebuild missed.\n"
    heads = ["builder", "variant", "step", "why it missed", "commits", "steps missed", "seconds"]
    rows = [
        [
            escaped(one.setup.label),
            escaped(one.variant),
            f"{escaped(stage_name(one.stage))}: {code(names.shortened(one.text, 60))}",
            escaped(names.shortened(why(one), 160)),
            str(one.commits),
            str(one.misses),
            names.seconds(one.seconds),
        ]
        for one in summary.causes[:_CAUSES_SHOWN]
    ]
    more = len(summary.causes) - _CAUSES_SHOWN
    return "\n".join(
        [
            "## Why steps missed\n",
            "The step that began each chain of misses, over the commits summed up. *Steps missed* "
            "counts those below it too, and those that take what it made from another stage; "
            "*seconds* are of all of them. The reasons are inferred by the cache model from what "
            "was sent.\n",
            table(heads, rows, numbers=[4, 5, 6]),
            f"… and {more} more, in steps.csv.\n" if more > 0 else "",
        ]
    )


def why(one: Cause) -> str:
    """Say a cause in words: the files that were named most often, or the last detail."""
    if not one.files:
        return f"{one.reason}: {one.detail}" if one.detail else one.reason
    shown = ", ".join(
        f"{path} ({count})" if one.commits > 1 else path for path, count in one.files[:_FILES_SHOWN]
    )
    more = len(one.files) - _FILES_SHOWN
    return f"{one.reason}: {shown}" + (f" and {more} more" if more > 0 else "")


def stage_name(stage: str) -> str:
    """Name a stage; one without a name by its number."""
    return f"stage {stage}" if stage.isdecimal() else stage


def commits_section(summary: ReplaySummary) -> str:
    """Write one row per commit: what each variant did on each setup."""
    pairs = [(one.setup, one.variant) for one in summary.totals]
    heads = ["commit", *(_column(setup, variant, pairs) for setup, variant in pairs)]
    built = {pair: summary.of(*pair) for pair in pairs}
    rows = [
        [escaped(names.shortened(title, 60)), *(_cell(built[pair].get(change)) for pair in pairs)]
        for change, title in summary.commits.items()
    ]
    intro = "## Commits\n\nHits of the steps that were looked up, and seconds, oldest first.\n"
    return f"{intro}\n{table(heads, rows, numbers=range(1, len(heads)))}"


def _column(setup: Setup, variant: str, pairs: Sequence[tuple[Setup, str]]) -> str:
    engines = {one.engine for one, _ in pairs}
    return escaped(f"{variant}, {setup.label if len(engines) > 1 else setup.builder}")


def _cell(one: CommitBuild | None) -> str:
    if one is None:
        return "not built"
    if not one.is_built:
        return one.outcome
    text = f"{one.hits} of {one.scored}, {names.seconds(one.seconds)}"
    return f"cold, {text}" if one.is_cold else text


def notes_section(dataset: Dataset, summary: ReplaySummary) -> str:
    """Write what the history leaves open, and how often the predictions were right."""
    where = f"folder {code(summary.folder)} of " if summary.folder else ""
    parts = [
        predictions_section(dataset),
        "## How it was measured\n",
        f"Built: {where}{code(summary.repository)}. {_METHOD}\n",
        bullets(escaped(note) for note in summary.notes),
    ]
    return "\n".join(part for part in parts if part)
