"""Explanations as plain values for JSON; the README describes every key."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.explain.account import Account
    from bench.explain.rebuild import Rebuild
    from bench.explain.recorded import Explained, RunExplanation
    from bench.explain.wording import Sentence


def run_document(explanation: RunExplanation) -> dict[str, Any]:
    """Return every miss of every build of a run."""
    info = explanation.info
    return {
        "run": info.run,
        "folder": str(info.folder),
        "scenario": info.scenario,
        "engine": {"version": info.engine.version, "image_store": info.engine.image_store},
        "builds": [_build(build) for build in explanation.builds],
    }


def rebuild_document(
    rebuild: Rebuild, sentences: Sequence[Sentence], notes: Sequence[str]
) -> dict[str, Any]:
    """Return every step of a rebuild, and what differs between the two states."""
    build = rebuild.build
    changes = rebuild.changes
    changed = {
        field.name: list(getattr(changes, field.name))
        for field in fields(changes)
        if field.name != "mtime_only"  # no builder sees it
    }
    return {
        "dockerfile": rebuild.after.dockerfile.path,
        "before": rebuild.before.label,
        "after": rebuild.after.label,
        "builder": rebuild.request.profile.name,
        "target": rebuild.request.target,
        "dockerfile_changed": rebuild.dockerfile_changed,
        "changed": changed,
        "build": None if build is None else {"outcome": build.outcome, "error": build.error},
        "steps": [_step(account) for account in rebuild.accounts],
        "disagreements": [
            {
                "stage_index": one.place.stage_index,
                "step": one.place.step,
                "predicted": one.predicted,
                "observed": one.observed,
            }
            for one in rebuild.disagreements
        ],
        "sentences": _said(sentences),
        "not_understood": list(rebuild.prediction.problems),
        "notes": list(notes),
    }


def _build(build: Explained) -> dict[str, Any]:
    record = build.record
    return {
        "build": record.build,
        "variant": record.variant,
        "builder": record.builder,
        "round": record.round,
        "phase": record.phase,
        "change": record.change,
        "outcome": record.outcome,
        "hits": record.hits,
        "misses": record.misses,
        "steps": [_step(account) for account in build.accounts if account.is_trouble],
        "sentences": _said(build.sentences()),
    }


def _step(account: Account) -> dict[str, Any]:
    origin = account.origin
    return {
        "stage": account.stage,
        "stage_index": account.stage_index,
        "step": account.step,
        "line": account.line,
        "instruction": account.instruction,
        "text": account.text,
        "outcome": account.outcome,
        "predicted": account.predicted,
        "reason": account.reason,
        "detail": account.detail or None,
        "paths": list(account.paths),
        "names": list(account.names),
        "origin": None
        if origin is None
        else {"stage_index": origin.stage_index, "step": origin.step},
        "inferred": account.inferred,
        "disagrees": account.disagrees,
    }


def _said(sentences: Sequence[Sentence]) -> list[dict[str, Any]]:
    return [
        {
            "stage": one.stage,
            "stage_index": one.stage_index,
            "steps": list(one.steps),
            "outcome": one.outcome,
            "text": one.text,
        }
        for one in sentences
    ]
