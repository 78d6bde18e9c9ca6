"""Build inputs for the tests of the model, from dictionaries instead of folders."""

from __future__ import annotations

import hashlib
import posixpath
from typing import TYPE_CHECKING

from bench.cache_model import BaseImage, BuildInput, History, Predicted, StepPlace, predict
from bench.dockerfile import parse
from bench.workspace import Manifest
from bench.workspace.manifest import Entry

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench.cache_model import Prediction, Profile

LETTERS = {
    Predicted.HIT: "H",
    Predicted.MISS: "M",
    Predicted.DEPENDS: "?",
    Predicted.BASE: "b",
    Predicted.CONFIG: "c",
    Predicted.MERGED: "=",
    Predicted.UNREACHED: "u",
    Predicted.UNKNOWN: "U",
}


def file(path: str, content: str = "", mode: int = 0o644, uid: int = 0, gid: int = 0) -> Entry:
    """Return the entry of a file."""
    digest = hashlib.sha256(content.encode()).hexdigest()
    return Entry(path, "file", mode, len(content), None, digest, 0, uid, gid)


def folder(path: str, mode: int = 0o755) -> Entry:
    """Return the entry of a directory."""
    return Entry(path, "dir", mode, 0, None, None, 0)


def link(path: str, target: str) -> Entry:
    """Return the entry of a symbolic link."""
    return Entry(path, "symlink", 0o777, 0, target, None, 0)


def context(*entries: Entry, ignored: tuple[str, ...] = (), **files: str) -> Manifest:
    """Return a manifest of entries and of files by name, with the folders they lie in.

    A name written as a keyword stands for a file with the ending ``.txt``.
    """
    found = {one.path: one for one in entries}
    for name, content in files.items():
        found.setdefault(f"{name}.txt", file(f"{name}.txt", content))
    for path in list(found):
        while path := posixpath.dirname(path):
            found.setdefault(path, folder(path))
    ordered = sorted(found.values(), key=lambda one: one.path.encode())
    return Manifest(ordered, sent_although_ignored=ignored)


def build(
    text: str,
    manifest: Manifest | None = None,
    *,
    target: str | None = None,
    build_args: Mapping[str, str] | None = None,
    bases: Mapping[str, BaseImage] | None = None,
    network: str = "none",
) -> BuildInput:
    """Return the input of one build; the Dockerfile lies in the context unless it is there."""
    entries = dict((manifest or context(a="a\n", b="b\n")).items())
    ignored = manifest.sent_although_ignored if manifest is not None else ()
    entries.setdefault("Dockerfile", file("Dockerfile", text))
    return BuildInput(
        dockerfile=parse(text),
        manifest=Manifest(sorted(entries.values(), key=lambda one: one.path.encode()), ignored),
        build_args=build_args or {},
        target=target,
        bases=bases or {},
        network=network,
    )


def letters(prediction: Prediction) -> str:
    """Return one letter an instruction, one word a stage, as in the recordings of real builds."""
    stages: dict[int, str] = {}
    for one in prediction.decisions:
        stages[one.stage_index] = stages.get(one.stage_index, "") + LETTERS[one.outcome]
    return " ".join(text for _, text in sorted(stages.items()))


def outcomes(profile: Profile, *builds: BuildInput) -> list[str]:
    """Return the letters of builds made one after the other on one cache."""
    history = History()
    found = []
    for one in builds:
        prediction = predict(one, profile, history)
        history.add(prediction)
        found.append(letters(prediction))
    return found


def last(profile: Profile, *builds: BuildInput) -> Prediction:
    """Return the prediction for the last of several builds on one cache."""
    history = History()
    for one in builds[:-1]:
        history.add(predict(one, profile, history))
    return predict(builds[-1], profile, history)


def reason_of(prediction: Prediction, stage: int, step: int) -> tuple[str, str]:
    """Return kind and detail of the reason of one step."""
    reason = prediction.at(StepPlace(stage, step)).reason
    return ("", "") if reason is None else (reason.kind.value, reason.detail)
