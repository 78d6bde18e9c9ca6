"""The rules of buildah agree with a real buildah, recorded build by build."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bench.cache_model import BuildInput, History, find_profile, predict
from bench.dockerfile import parse
from bench.workspace import Workspace
from tests.cache_model.buildah_cases import SEQUENCES
from tests.cache_model.states import LETTERS

if TYPE_CHECKING:
    from bench.cache_model import Prediction
    from tests.cache_model.buildah_cases import Built

FIXTURES = sorted((Path(__file__).parent / "fixtures").glob("buildah-*.json"))


@pytest.mark.parametrize("sequence", SEQUENCES)
@pytest.mark.parametrize("fixture", FIXTURES, ids=lambda path: path.stem)
def test_every_step_of_the_recording_is_predicted(
    fixture: Path, sequence: str, tmp_path: Path
) -> None:
    recorded = json.loads(fixture.read_text())[sequence]
    history = _history_of_earlier_sequences(sequence, tmp_path)
    for number, (built, seen) in enumerate(zip(SEQUENCES[sequence], recorded, strict=True)):
        prediction = predict(_input(built, tmp_path / str(number)), PROFILE, history)
        history.add(prediction)
        assert _agrees(_letters(prediction), seen), f"build {number}: {seen}"


PROFILE = find_profile("buildah")


def _history_of_earlier_sequences(name: str, tmp_path: Path) -> History:
    """All sequences were built on one store, one after the other."""
    history = History()
    for earlier, builds in SEQUENCES.items():
        if earlier == name:
            break
        for number, built in enumerate(builds):
            history.add(predict(_input(built, tmp_path / f"{earlier}-{number}"), PROFILE, history))
    return history


def _input(built: Built, folder: Path) -> BuildInput:
    source = folder / "source"
    source.mkdir(parents=True)
    for path, content in built.files.items():
        place = source / path
        place.parent.mkdir(parents=True, exist_ok=True)
        if path.endswith("/"):
            place.mkdir()
        else:
            place.write_text(content)
    for place in source.rglob("*"):
        place.chmod(0o755 if place.is_dir() else 0o644)
    for relative, mode in built.modes.items():
        (source / relative).chmod(mode)
    workspace = Workspace.create(
        source, folder / "scratch", dockerfile_text=built.text, dockerfile_path="Dockerfile"
    )
    return BuildInput(parse(built.text), workspace.manifest(), build_args=built.build_args)


def _letters(prediction: Prediction) -> str:
    stages: dict[int, str] = {}
    for one in prediction.decisions:
        stages[one.stage_index] = stages.get(one.stage_index, "") + LETTERS[one.outcome]
    return " ".join(
        f"{index + 1}:{text}" for index, text in sorted(stages.items()) if "u" not in text
    )


def _agrees(predicted: str, seen: str) -> bool:
    """What depends on an artefact may hit or miss."""
    return len(predicted) == len(seen) and all(
        mine == theirs or mine == "?" for mine, theirs in zip(predicted, seen, strict=True)
    )
