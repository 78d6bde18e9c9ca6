"""What the report says of predictions and of the reasons of misses, as Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.dataset.predictions import PredictionCounts
from bench.report import names
from bench.report.markdown import bullets, code, escaped, table
from bench.report.reasons import root_causes

if TYPE_CHECKING:
    from bench.dataset import Dataset, WrongPrediction
    from bench.report.reasons import RootCause

_CAUSES_SHOWN = 80
_WRONG_SHOWN = 20


def total_predictions(dataset: Dataset) -> PredictionCounts | None:
    """Add up the predictions of all real runs; None where none was made."""
    if not dataset.predictions:
        return None
    return sum(dataset.predictions.values(), start=PredictionCounts())


def wrong_remarks(dataset: Dataset) -> list[str]:
    """Say of each step that the cache model was wrong about it, once for all its builds."""
    builds: dict[tuple[str, ...], set[tuple[str, int]]] = {}
    for one in dataset.disagreements:
        key = (
            f"{one.variant} on {one.builder} ({one.engine})",
            one.moment,
            f"step {one.step} of {_stage(one.stage)}, {names.shortened(one.text, 60)}",
            one.predicted,
            one.observed,
        )
        builds.setdefault(key, set()).add((one.run, one.build))
    return [
        f"Against the prediction: {where}, {moment}: {step} was predicted {predicted} and observed "
        f"{observed}, in {names.counted(len(found), 'build')}."
        for (where, moment, step, predicted, observed), found in builds.items()
    ]


def predictions_section(dataset: Dataset) -> str:
    """Write how often the cache model was right, and where it was not."""
    total = total_predictions(dataset)
    if total is None:
        return ""
    parts = [
        "## Predictions\n",
        "Before every build the cache model said what each step would do: "
        f"{total.sentence}. Counted are steps that could have hit, missed or been merged, in all "
        "builds, cold ones and controls too.\n",
    ]
    if dataset.disagreements:
        parts.append(
            f"**Finding:** {names.counted(len(dataset.disagreements), 'step')} did other than the "
            "model had said for certain. Either the engine does what no rule known to the model "
            "says, or something in it was removed meanwhile.\n"
        )
        parts.append(bullets(_wrong(one) for one in dataset.disagreements[:_WRONG_SHOWN]))
    if len(dataset.disagreements) > _WRONG_SHOWN:
        left = len(dataset.disagreements) - _WRONG_SHOWN
        parts.append(f"… and {left} more, in run.json and journal.jsonl.\n")
    return "\n".join(parts)


def _wrong(one: WrongPrediction) -> str:
    detail = f" ({escaped(one.detail)})" if one.detail and one.detail != one.text else ""
    return (
        f"{escaped(one.variant)}, {escaped(one.builder)}, {escaped(one.moment)}, build "
        f"{one.build} of {code(one.run)}: step {one.step} of {escaped(_stage(one.stage))}, "
        f"{code(names.shortened(one.text, 80))}, was predicted **{escaped(one.predicted)}** and "
        f"observed **{escaped(one.observed)}**{detail}"
    )


def reasons_section(dataset: Dataset) -> str:
    """Write why steps missed after each change; nothing where no run knows."""
    causes = root_causes(dataset)
    if not causes:
        return ""
    heads = ["builder", "variant", "change", "step", "why it missed", "steps after it", "builds"]
    shown = [_cause_row(one) for one in causes[:_CAUSES_SHOWN]]
    parts = [
        "## Why steps missed\n",
        "The first step of every chain of misses, and how many steps of its stage missed for no "
        "other reason than that it did. The reasons are inferred by the cache model from what was "
        "sent.\n",
        table(heads, shown, numbers=[5, 6]),
    ]
    if len(causes) > _CAUSES_SHOWN:
        parts.append(f"… and {len(causes) - _CAUSES_SHOWN} more, in steps.csv.\n")
    return "\n".join(parts)


def _cause_row(one: RootCause) -> list[str]:
    why = f"{one.reason}: {one.detail}" if one.detail else one.reason
    return [
        escaped(one.setup.label),
        escaped(one.variant),
        escaped(one.change),
        f"{escaped(_stage(one.stage))}, step {one.step}: {code(names.shortened(one.text, 60))}",
        escaped(names.shortened(why, 160)),
        names.span(one.followers),
        str(one.builds) if one.builds == one.of else f"{one.builds} of {one.of}",
    ]


def _stage(name: str) -> str:
    return f"stage {name}" if name.isdecimal() else name
