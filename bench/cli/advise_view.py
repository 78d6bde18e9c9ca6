"""How an advice is shown: the diff, seconds before and after, reasons, obligations, proof."""

from __future__ import annotations

import dataclasses
import difflib
import math
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from bench.orderings.moves import shortened
from bench.stats import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.advising.advice import Advice
    from bench.advising.consulting import Consultation, Verification
    from bench.advising.saving import Saving

_SHOWN_STEPS = 12
_SHOWN_REFUSALS = 6


def show_advice(consultation: Consultation, advice: Advice) -> None:
    """Print the advice, or that nothing better was found and why."""
    console = Console(highlight=False, soft_wrap=True)
    for line in _ground(consultation, advice):
        click.echo(line)
    if not advice.is_better:
        click.echo(f"nothing better was found: {_nothing(advice)}")
    else:
        click.echo()
        console.print(Syntax(diff(consultation, advice), "diff", background_color="default"))
        click.echo(
            f"expected seconds per commit on {consultation.project.builder}: "
            f"{advice.before:.2f} s as written, {advice.after:.2f} s as advised "
            f"({_percent(advice.before, advice.after)})"
        )
        click.echo()
        _list("why", advice.reasons)
        _show_steps(console, advice)
        _list("the images are the same if", advice.obligations)
    refusals = [_refusal(one.line, one.rewrite, one.why) for one in advice.refusals]
    _list("looked at and left alone", refusals[:_SHOWN_REFUSALS])
    _list("note", consultation.notes)


def diff(consultation: Consultation, advice: Advice) -> str:
    """Return the unified diff of the Dockerfile, and of the ignore file where that changes."""
    name = str(consultation.project.dockerfile)
    texts = [(name, advice.written.text, advice.dockerfile.text)]
    if advice.dockerignore is not None:
        texts.append(
            (consultation.ignore_name, consultation.ignore_text or "", advice.dockerignore)
        )
    return "".join(_diff(*one) for one in texts)


def _diff(name: str, before: str, after: str) -> str:
    lines = difflib.unified_diff(
        before.splitlines(keepends=True), after.splitlines(keepends=True), name, name
    )
    return "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines
    )


def _ground(consultation: Consultation, advice: Advice) -> Iterator[str]:
    """Say what the advice rests on: history, step times, orderings."""
    history = consultation.history
    if history is None or not history.commits:
        yield "no history: every file is taken to change equally often"
    else:
        kinds = len(advice.ranking.changes)
        yield (
            f"{len(history.commits)} commits of the history are {kinds} "
            f"{'kind' if kinds == 1 else 'kinds'} of rebuild"
        )
    yield f"step times: {advice.ranking.costs.source}"
    ranking = advice.ranking
    tried = "all tried" if ranking.complete else _bound(advice)
    yield (
        f"legal orderings: {ranking.orderings}; the builder can tell {ranking.classes} of them "
        f"apart, {tried}"
    )


def _bound(advice: Advice) -> str:
    if advice.ranking.is_optimal:
        return "the best one proved by search"
    return f"searched: none can be below {advice.ranking.bound_seconds:.2f} s"


def _nothing(advice: Advice) -> str:
    if len(advice.ranking.ranked) == 1:
        return "no other legal ordering rebuilds other steps"
    return (
        f"the written order is expected to take {advice.before:.2f} s per commit, the best legal "
        f"one {advice.ranking.best.expected_seconds:.2f} s"
    )


def _show_steps(console: Console, advice: Advice) -> None:
    changed = [
        one for one in advice.steps if one.before is None or abs(one.before - one.after) >= 0.005
    ]
    if not changed:
        return
    table = Table(title="steps that run after another share of the commits", title_justify="left")
    table.add_column("step")
    for heading in ("takes", "before", "after"):
        table.add_column(heading, justify="right")
    for one in changed[:_SHOWN_STEPS]:
        before = "new" if one.before is None else f"{one.before:.0%}"
        step = Text(f"{one.stage}: {shortened(one.text, 56)}")
        table.add_row(step, f"{one.seconds:.2f} s", before, f"{one.after:.0%}")
    console.print(table)


def show_verification(verification: Verification) -> None:
    """Print whether the images are equal, and the saving that was measured."""
    comparison = verification.comparison
    click.echo()
    click.echo("verified: the images are equal" if comparison.equal else "NOT EQUAL:")
    for line in comparison.words():
        click.echo(f"  {line}")
    if not comparison.equal:
        return
    saving = verification.saving
    if saving is None:
        click.echo("the saving could not be measured: no round of builds was whole")
        return
    click.echo(
        f"measured seconds per commit on {saving.builder}: {saving.before.median:.2f} s "
        f"as written, {saving.after.median:.2f} s as advised; {_gained(saving)}"
    )
    click.echo(
        f"steps that hit, of a commit's rebuild: {saving.hits_before:.1f} before, "
        f"{saving.hits_after:.1f} after"
    )
    click.echo(f"next: bench report {verification.folder}")


def _gained(saving: Saving) -> str:
    gain = saving.gain
    confidence = math.floor(gain.confidence * 100)
    spread = f"{gain.low:.2f} to {gain.high:.2f} s with {confidence} %, {gain.n} rounds"
    words = {
        Finding.GAIN: "faster by",
        Finding.LOSS: "SLOWER by",
        Finding.SAME: "no practical difference:",
        Finding.UNCLEAR: "not decided:",
    }[saving.finding]
    size = abs(gain.median) if saving.finding in {Finding.GAIN, Finding.LOSS} else gain.median
    return f"{words} {size:.2f} s ({abs(saving.share):.0%}; {spread})"


def as_document(
    consultation: Consultation, advice: Advice, verification: Verification | None
) -> dict[str, Any]:
    """Return all of it as JSON can hold it."""
    project = consultation.project
    history = consultation.history
    return {
        "dockerfile": str(project.dockerfile),
        "context": str(project.context),
        "builder": project.builder,
        "commits": len(history.commits) if history is not None else 0,
        "changes": [
            {
                "name": name,
                "weight": weight,
                "expected_seconds": {"written": before, "advised": after},
            }
            for name, weight, before, after in zip(
                advice.ranking.changes,
                advice.ranking.weights,
                advice.before_seconds,
                advice.after_seconds,
                strict=True,
            )
        ],
        "times": advice.ranking.costs.source,
        "orderings": str(advice.ranking.orderings),
        "classes": str(advice.ranking.classes),
        "complete": advice.ranking.complete,
        "bound_seconds": advice.ranking.bound_seconds,
        "better": advice.is_better,
        "expected_seconds": {"written": advice.before, "advised": advice.after},
        "dockerfile_text": advice.dockerfile.text,
        "dockerignore_text": advice.dockerignore,
        "diff": diff(consultation, advice),
        "rewrites": [one.rewrite for one in advice.proposals],
        "reasons": advice.reasons,
        "obligations": list(advice.obligations),
        "steps": [dataclasses.asdict(one) for one in advice.steps],
        "left_alone": [dataclasses.asdict(one) for one in advice.refusals],
        "notes": list(consultation.notes),
        "verification": None if verification is None else _verified(verification),
    }


def _verified(verification: Verification) -> dict[str, Any]:
    saving = verification.saving
    return {
        "equal": verification.comparison.equal,
        "differences": verification.comparison.words(),
        "nondeterministic": sorted({one.path for one in verification.comparison.nondeterministic}),
        "saving": None
        if saving is None
        else {
            **dataclasses.asdict(saving),
            "finding": saving.finding.value,
            "share": saving.share,
        },
        "run": str(verification.folder),
    }


def _percent(before: float, after: float) -> str:
    return f"{(after - before) / before:+.0%}" if before else "no time at all"


def _refusal(line: int, rewrite: str, why: str) -> str:
    return f"{rewrite}: {why}" if line == 0 else f"line {line}: {rewrite}: {why}"


def _list(title: str, items: list[str] | tuple[str, ...]) -> None:
    if not items:
        return
    click.echo(f"{title}:")
    for item in items:
        click.echo(f"  - {item}")
