"""The report as Markdown: the answer first, then the numbers, the charts, and what they rest on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.builders.names import is_simulated
from bench.report import names
from bench.report.answer import hit_share
from bench.report.findings import predictions_section, reasons_section
from bench.report.markdown import block, bullets, code, escaped, table
from bench.report.orderings_document import orderings_section
from bench.report.replay_document import (
    causes_section,
    commits_section,
    notes_section,
    totals_section,
)
from bench.report.simulated import NOTHING_MEASURED, mark, source_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import PurePosixPath

    from bench.dataset import Dataset, RunInfo
    from bench.report.answer import Answer
    from bench.report.charts import Chart
    from bench.report.compare import Comparison, Expected, Setup
    from bench.report.replaying import ReplaySummary
    from bench.stats import Summary

_LOG_LINES = 12
_FAILURES_SHOWN = 20
HIT_RATIO = (
    "A *hit* is an instruction that the builder answered from its cache, a *miss* one that it ran "
    "again. A hit ratio is hits / (hits + misses). FROM lines, instructions that make no cache "
    "entry (config), steps merged with an equal one, and steps of stages that were not needed are "
    "in neither number, so the denominator differs between builders."
)
_INTERVALS = (
    "Seconds are wall time from the request to the builder's last event; packing the context is "
    "not in them. Gains are medians of paired differences (baseline minus variant, same round). "
    "The interval of a median is made of order statistics and holds for any distribution; with "
    "fewer than six rounds it is the whole range, with the confidence written beside it."
)


def document(dataset: Dataset, found: Answer, charts: Sequence[tuple[Chart, PurePosixPath]]) -> str:
    """Write the report of one scenario; each chart comes with its PNG's path from the report."""
    if found.replay is not None:
        return _replay_document(dataset, found, found.replay, charts)
    parts = [
        f"# {_title_mark(found)}{escaped(found.title)}\n",
        f"> {escaped(found.question)}\n" if found.question else "",
        _other_languages(dataset),
        "## Answer\n",
        _answer(found),
        *[_setup_tables(found, setup) for setup in found.setups],
        _expected(found.expected),
        orderings_section(dataset),
        _charts(charts),
        reasons_section(dataset),
        _checks(dataset),
        predictions_section(dataset),
        _failures(dataset),
        "## How it was measured\n",
        *_method(found),
        *[_environment(run, dataset.engines[run.run]) for run in dataset.runs],
    ]
    return "\n".join(part for part in parts if part)


def _replay_document(
    dataset: Dataset,
    found: Answer,
    replay: ReplaySummary,
    charts: Sequence[tuple[Chart, PurePosixPath]],
) -> str:
    simulated = any(is_simulated(setup.builder) for setup in found.setups)
    parts = [
        f"# {_title_mark(found)}{escaped(found.title)}\n",
        f"> {escaped(found.question)}\n" if found.question else "",
        "## Answer\n",
        totals_section(replay),
        bullets(f"**Caution:** {escaped(remark)}" for remark in found.remarks),
        _charts(charts),
        causes_section(replay),
        commits_section(replay),
        _failures(dataset),
        notes_section(dataset, replay),
        f"{HIT_RATIO}\n",
        f"{NOTHING_MEASURED}\n" if simulated else "",
        *[_environment(run, dataset.engines[run.run]) for run in dataset.runs],
    ]
    return "\n".join(part for part in parts if part)


def _charts(charts: Sequence[tuple[Chart, PurePosixPath]]) -> str:
    pictures = [
        f"![{escaped(chart.title)}]({path})\n\n*{escaped(chart.note)}*\n" for chart, path in charts
    ]
    return "\n".join(["## Charts\n", *pictures])


def _title_mark(found: Answer) -> str:
    """Mark the title where no figure of the report was measured."""
    marks = {mark(setup) for setup in found.setups}
    return marks.pop() if len(marks) == 1 else ""


def _method(found: Answer) -> list[str]:
    simulated = [is_simulated(setup.builder) for setup in found.setups]
    parts = [f"{HIT_RATIO}\n"]
    if not all(simulated):
        parts.append(f"{_INTERVALS}\n")
    if any(simulated):
        parts.append(f"{NOTHING_MEASURED}\n")
    return parts


def _other_languages(dataset: Dataset) -> str:
    run = dataset.runs[0]
    lines = [
        f"{escaped(language)}: {escaped(text)}"
        for language, text in {**run.title_i18n, **run.question_i18n}.items()
    ]
    return bullets(lines) if lines else ""


def _answer(found: Answer) -> str:
    lines = []
    for ask in dict.fromkeys(item.ask for item in found.verdicts):
        own = [escaped(item.sentence) for item in found.verdicts if item.ask == ask]
        lines.append("\n  - ".join([f"**{escaped(ask)}**", *own]))
    if not lines:
        lines = ["There is one variant only, so nothing is compared; its builds are below."]
        if len(found.variants) > 1:
            lines = ["No change was built in two variants, so nothing can be compared."]
    return bullets(lines + [f"**Caution:** {escaped(remark)}" for remark in found.remarks])


def _setup_tables(found: Answer, setup: Setup) -> str:
    own = [item for item in found.comparisons if item.setup == setup]
    if not own:
        return ""
    heads = [
        "variant", "change", "weight", "hits gained", "hits", f"hits {found.baseline}",
        "seconds", f"seconds {found.baseline}", "seconds gained", "n", "new layers",
        f"new layers {found.baseline}",
    ]  # fmt: skip
    rows = [_comparison_row(item) for item in own]
    against = escaped(f"Each variant against {found.baseline}")
    heading = f"### {mark(setup)}{escaped(setup.label)}\n\n{against}:\n"
    return f"{heading}\n{table([escaped(head) for head in heads], rows, numbers=range(2, 12))}"


def _comparison_row(item: Comparison) -> list[str]:
    return [
        escaped(item.variant),
        escaped(item.change),
        f"{item.weight:g}",
        names.span(item.hits_gained, with_sign=True) if item.pairs else "no pair",
        hit_share(item.hits_variant, item.scored_variant),
        hit_share(item.hits_baseline, item.scored_baseline),
        median(item.seconds_variant),
        median(item.seconds_baseline),
        gain(item.seconds_gained, item.setup),
        str(item.pairs),
        _bytes(item.bytes_variant),
        _bytes(item.bytes_baseline),
    ]


def median(summary: Summary | None) -> str:
    """Write a median of seconds, or that there is none."""
    return "no build" if summary is None else names.seconds(summary.median)


def gain(summary: Summary | None, setup: Setup) -> str:
    """Write a paired gain with its interval, for a table; a simulated one has none."""
    if summary is None:
        return "no pair"
    text = names.signed_seconds(summary.median)
    if is_simulated(setup.builder):
        return f"{text} (simulated)"
    if summary.n == 1:
        return f"{text} (one pair)"
    low, high = names.signed_seconds(summary.low), names.signed_seconds(summary.high)
    return f"{text} ({low} to {high}, {summary.confidence:.0%})"


def _bytes(value: float | None) -> str:
    return "unknown" if value is None else names.size(value)


def _expected(expected: Sequence[Expected]) -> str:
    rows = [
        [
            escaped(item.setup.label),
            escaped(item.variant),
            median(item.seconds),
            gain(item.gained, item.setup) if item.gained else "",
            str(item.seconds.n if item.seconds else 0),
            escaped(names.listed(item.left_out)) or "none",
        ]
        for item in expected
        if item.changes
    ]
    if not rows:
        return ""
    heads = ["builder", "variant", "expected seconds", "gained", "n", "changes left out"]
    intro = (
        "## Expected rebuild seconds\n\nThe seconds of a rebuild when the changes come as often as "
        "their weights say. A change that some variant has no build for is left out of all.\n"
    )
    return f"{intro}\n{table(heads, rows, numbers=[2, 3, 4])}"


def _checks(dataset: Dataset) -> str:
    parts = ["## Expectations and controls\n"]
    results = [(run, result) for run in dataset.runs for result in run.expectations]
    broken = [(run, result) for run, result in results if result.outcome != "met"]
    if results:
        parts.append(
            f"{len(results) - len(broken)} of {len(results)} declared expectations were met."
            f"{_unchecked(dataset)}\n"
        )
        parts.append(
            bullets(
                f"**broken** {escaped(result.variant)}, {escaped(result.builder)}, "
                f"{escaped(result.change)}: {escaped('; '.join(result.problems))}"
                for _, result in broken
            )
        )
        rows = [
            [
                escaped(result.variant),
                escaped(result.change),
                escaped(result.builder),
                escaped(dataset.engines[run.run]),
                escaped(result.outcome),
                str(result.builds),
            ]
            for run, result in results
        ]
        heads = ["variant", "change", "builder", "engine", "outcome", "builds"]
        parts.append(table(heads, rows, numbers=[5]))
    else:
        parts.append("The runs hold no checked expectation.\n")
    controls = dataset.controls
    missed = controls[controls["misses"] > 0]
    if missed.empty:
        parts.append(f"All {len(controls)} rebuilds without a change hit everywhere.\n")
    else:
        parts.append(
            f"**Unstable:** {len(missed)} of {len(controls)} rebuilds without a change missed.\n"
        )
        parts.append(bullets(_control_misses(dataset)))
    return "\n".join(parts)


def _unchecked(dataset: Dataset) -> str:
    if all(run.simulation is None for run in dataset.runs):
        return ""
    return " In simulated builds, steps that only an artefact decides were not checked."


def _control_misses(dataset: Dataset) -> list[str]:
    """Name the steps that missed in controls, once each, with how often."""
    controls = dataset.controls[["run", "build"]]
    steps = dataset.tables.steps.merge(controls, on=["run", "build"])
    missed = steps[steps["outcome"] == "miss"]
    keys = ["variant", "builder", "engine", "stage_index", "step", "text"]
    lines = []
    for _, group in missed.groupby(keys, sort=False):
        first = group.iloc[0]
        lines.append(
            f"{escaped(first['variant'])} on {escaped(first['builder'])}: "
            f"{code(names.shortened(first['text'], 80))} in "
            f"{names.counted(len(group), 'control')}"
        )
    return lines


def _failures(dataset: Dataset) -> str:
    lines = [
        f"run {code(run.run)}: {escaped(item if isinstance(item, str) else _excluded(item))}"
        for run in dataset.runs
        for item in run.excluded
    ]
    excluded = f"## Left out\n\n{bullets(lines)}" if lines else ""
    if not dataset.failures:
        return excluded
    parts = [
        excluded,
        f"## Failed builds\n\n{names.counted(len(dataset.failures), 'build')} failed or timed "
        "out. They stay in the tables and are never scored.\n",
    ]
    for failure in dataset.failures[:_FAILURES_SHOWN]:
        parts.append(
            f"- build {failure.build} of {code(failure.run)}: {escaped(failure.variant)}, "
            f"{escaped(failure.builder)}, {escaped(failure.change or failure.phase)}: "
            f"{failure.outcome}: {escaped(failure.error)}\n"
        )
        if failure.log_tail:
            parts.append(block(failure.log_tail[-_LOG_LINES:]))
    if len(dataset.failures) > _FAILURES_SHOWN:
        parts.append(f"… and {len(dataset.failures) - _FAILURES_SHOWN} more, in builds.csv.\n")
    return "\n".join(part for part in parts if part)


def _excluded(item: Mapping[str, object]) -> str:
    return ", ".join(f"{key} {value}" for key, value in item.items())


def _environment(run: RunInfo, engine: str) -> str:
    facts = run.engine
    versions = names.listed(f"{key} {value}" for key, value in run.versions.items())
    machine = f"{facts.cpu_model}, {facts.cpus} CPUs, {_bytes(facts.memory_bytes)} of memory"
    rows = [
        ["run", f"{code(run.run)}, begun {escaped(run.started_at) or 'unknown'}"],
        *(
            [["simulated", escaped(f"no build was made; {source_of(run)}")]]
            if run.simulation
            else []
        ),
        ["scenario", escaped(run.scenario)],
        ["plan", f"seed {run.seed}, rounds {run.rounds}, cold {run.cold}, warm-up {run.warmup}"],
        ["builders", escaped(names.listed(run.builders))],
        ["engine", escaped(f"{engine}, API {facts.api_version}, {facts.storage_driver}")],
        ["data root", escaped(facts.data_root_filesystem)],
        ["system", escaped(f"{facts.os}, kernel {facts.kernel}")],
        ["machine", escaped(machine)],
        [
            "versions",
            escaped(versions),
        ],
        *[["base image", _base(base.image, base.source, base.local_tag)] for base in run.bases],
    ]
    return f"### Run {escaped(run.run)}\n\n{table(['what', 'value'], rows)}"


def _base(image: str, source: str, tag: str) -> str:
    meaning = {
        "simulated": "**not used**: the run is simulated",
        "standin": "a **stand-in** made from distribution packages, not the real image",
        "replaced": "**replaced** by another image",
    }.get(source, escaped(source))
    return f"{code(image)}: {meaning}" + (f" ({code(tag)})" if tag else "")
