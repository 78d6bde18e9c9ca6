"""A bare Dockerfile and its context, read where they stand; and the builds that come after."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.cache_model import find_profile
from bench.errors import DockerfileError, UsageError
from bench.predicting import PlainRequest, plain_subjects, read_dockerfile, read_state
from bench.workspace import ClientRule
from tests.scenario.starting import write

BUILDERS = (find_profile("classic"), find_profile("buildkit"))
FILES = {"Dockerfile": "FROM a\nCOPY . .\n", "x": "1"}


def test_a_state_is_what_docker_build_would_send(tmp_path: Path) -> None:
    write(tmp_path, {**FILES, ".dockerignore": "x\n"})
    state = read_state(
        tmp_path / "Dockerfile", tmp_path, ClientRule, build_args={"A": "1"}, change="c"
    )

    assert (state.change, dict(state.build_args)) == ("c", {"A": "1"})
    for client in ClientRule:
        assert list(state.manifests[client]) == [".dockerignore", "Dockerfile"]
    assert state.dockerfile.path == str(tmp_path / "Dockerfile")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "there is no such file"),
        (b"ARG A\n", "there is no FROM"),
        (b"", r"D:1: does not parse: file with no instructions"),
        (b"FROM a\nCOPY \xff /\n", r"D:2: is not UTF-8: byte 0xff"),
        (b"FROM a\n\nRUN\n", r"D:3: RUN needs more arguments"),
        (b"FROM a\nRUN x \x00\n", r"D:2: holds a character"),
    ],
)
def test_a_dockerfile_that_is_none_is_refused_with_its_line(
    content: bytes | None, says: str, tmp_path: Path
) -> None:
    if content is not None:
        (tmp_path / "D").write_bytes(content)
    with pytest.raises(DockerfileError, match=says):
        read_dockerfile(tmp_path / "D")


def test_a_folder_in_place_of_a_dockerfile_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DockerfileError, match=r"is a folder.*/Dockerfile"):
        read_dockerfile(tmp_path)


def test_a_later_dockerfile_lies_at_the_same_place(tmp_path: Path) -> None:
    write(tmp_path / "one", {"docker/D": "FROM a\nCOPY x /\n", "x": "1"})
    write(tmp_path / "two", {"docker/D": "FROM a\nCOPY x /y\n", "x": "1"})
    request = PlainRequest(
        dockerfiles=(tmp_path / "one/docker/D",),
        context=tmp_path / "one",
        thens=(tmp_path / "two",),
    )
    (subject,) = plain_subjects(request, BUILDERS)

    assert [state.dockerfile.text.split("\n")[1] for state in subject.states] == [
        "COPY x /",
        "COPY x /y",
    ]


def test_a_dockerfile_outside_stays_the_same(tmp_path: Path) -> None:
    write(tmp_path, {"D": "FROM a\nCOPY x /\n", "one/x": "1", "two/x": "2"})
    request = PlainRequest(
        dockerfiles=(tmp_path / "D",), context=tmp_path / "one", thens=(tmp_path / "two",)
    )
    (subject,) = plain_subjects(request, BUILDERS)

    assert len({state.dockerfile.text for state in subject.states}) == 1
    first, later = (state.manifests[ClientRule.BUILDKIT] for state in subject.states)
    assert first.diff(later).content_changed == ("x",)
    assert subject.in_sequence


def test_states_of_one_name_are_told_apart(tmp_path: Path) -> None:
    write(tmp_path, FILES)
    request = PlainRequest(dockerfiles=(tmp_path / "Dockerfile",), thens=(tmp_path, tmp_path))
    (subject,) = plain_subjects(request, BUILDERS)

    assert [state.change for state in subject.states] == ["", f"{tmp_path}", f"{tmp_path} (2)"]


def test_without_a_later_state_files_are_edited(tmp_path: Path) -> None:
    write(tmp_path, FILES)
    (subject,) = plain_subjects(PlainRequest(dockerfiles=(tmp_path / "Dockerfile",)), BUILDERS)

    assert [state.change for state in subject.states] == ["", "no change", "edit x or 1 more"]
    assert not subject.in_sequence


def test_later_build_arguments_come_on_top_of_the_others(tmp_path: Path) -> None:
    write(tmp_path, FILES)
    request = PlainRequest(
        dockerfiles=(tmp_path / "Dockerfile",),
        build_args={"A": "1", "B": "1"},
        then_build_args={"B": "2"},
    )
    (subject,) = plain_subjects(request, BUILDERS)

    assert [dict(state.build_args) for state in subject.states] == [
        {"A": "1", "B": "1"},
        {"A": "1", "B": "2"},
    ]
    assert [state.change for state in subject.states] == ["", "B=2"]


@pytest.mark.parametrize(
    ("dockerfiles", "thens", "then_dockerfiles"), [(2, 0, 1), (1, 2, 1), (1, 1, 2)]
)
def test_what_cannot_be_paired_is_refused(
    dockerfiles: int, thens: int, then_dockerfiles: int
) -> None:
    with pytest.raises(UsageError, match="--then-dockerfile"):
        PlainRequest(
            dockerfiles=(Path("D"),) * dockerfiles,
            thens=(Path("x"),) * thens,
            then_dockerfiles=(Path("y"),) * then_dockerfiles,
        )
