"""A kind of commit as steps on a scratch copy: new content, and the build does as before."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bench.changes.operations import Append
from bench.commits.edits import as_change
from bench.commits.weights import FileEdit, WeightedChange
from bench.dockerfile import parse
from bench.predicting import BuildState

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    "name", ["Dockerfile", "docker/Dockerfile.prod", "web.dockerfile", "Containerfile"]
)
def test_a_dockerfile_is_edited_by_a_comment_and_builds_as_before(
    tmp_path: Path, name: str
) -> None:
    text = "FROM scratch\nCOPY a /a"  # its last line has no end
    place = tmp_path / name
    place.parent.mkdir(exist_ok=True)
    place.write_text(text)
    state = BuildState("", parse(text), {})

    change = as_change(WeightedChange("edit it", 1.0, (), (FileEdit(name),), state), tmp_path)

    (step,) = change.steps
    assert isinstance(step, Append)
    edited = parse(text + step.text.replace("{id}", "0c0ffee"))
    assert [one.text for one in edited.stages[0].instructions] == ["FROM scratch", "COPY a /a"]
    assert change.makes_new_content()
