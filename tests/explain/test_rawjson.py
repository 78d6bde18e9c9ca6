"""Logs of ``docker buildx build --progress=rawjson``, as several versions write them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench.errors import ExitCode, RecordsError
from bench.explain.rawjson import read_log

FIXTURES = Path(__file__).parent / "fixtures"
RECORDED = sorted(FIXTURES.glob("*.jsonl"))
SOURCE = FIXTURES / "rawjson-buildx-0.29.1-engine-28.5.2-graphdriver-source.jsonl"
FAILED = FIXTURES / "rawjson-buildx-0.29.1-engine-28.5.2-graphdriver-failed.jsonl"


def write(folder: Path, text: str) -> Path:
    path = folder / "build.jsonl"
    path.write_text(text)
    return path


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_every_vertex_message_of_a_recorded_log_is_read(path: Path) -> None:
    messages = [json.loads(line) for line in path.read_text().splitlines() if line[0] == "{"]
    vertices = [one for message in messages for one in message.get("vertexes", ())]

    events = read_log(path).events
    assert [event.digest for event in events] == [one["digest"] for one in vertices]
    assert [event.cached for event in events] == [one.get("cached", False) for one in vertices]
    for event, one in zip(events, vertices, strict=True):
        assert (event.started is None) == ("started" not in one)
        assert event.completed is None or event.started is None or event.started <= event.completed


def test_messages_over_several_lines_are_read_like_those_of_one(tmp_path: Path) -> None:
    """Buildx 0.13 indented its messages; the names and times are those of a newer log."""
    messages = [json.loads(line) for line in SOURCE.read_text().splitlines()]
    indented = "".join(json.dumps(one, indent=2) + "\n" for one in messages)

    assert read_log(write(tmp_path, indented)).events == read_log(SOURCE).events


def test_the_error_that_a_build_ended_with_is_kept() -> None:
    assert read_log(FAILED).error.startswith("failed to build: failed to solve: process")
    assert read_log(SOURCE).error == ""


def test_an_error_is_known_by_its_vertex_where_the_last_line_is_missing(tmp_path: Path) -> None:
    lines = [line for line in FAILED.read_text().splitlines() if line.startswith("{")]

    assert "did not complete successfully" in read_log(write(tmp_path, "\n".join(lines))).error


def test_what_buildx_says_between_the_messages_is_left_out(tmp_path: Path) -> None:
    text = "WARNING: No output specified\n\n" + SOURCE.read_text() + "\n1 warning found\n"

    log = read_log(write(tmp_path, text))
    assert log.events == read_log(SOURCE).events
    assert log.error == ""


def test_a_message_that_is_cut_off_is_named_by_its_line(tmp_path: Path) -> None:
    text = SOURCE.read_text()
    last = text.rstrip().count("\n") + 1

    with pytest.raises(RecordsError, match=rf"build\.jsonl:{last}: .*cut off") as caught:
        read_log(write(tmp_path, text.rstrip()[:-5]))
    assert caught.value.exit_code == ExitCode.RECORDS


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", r":1: holds no message .*is empty"),
        ("#1 [internal] load\n#1 DONE\n", r":1: holds no message .*begins with '#1 \[internal\]"),
        ("\n\nERROR: no such file\n", r":1: holds no message .*ERROR: no such file"),
        ('{"vertexes":[]}\n{"id":1}\n', r":2: not a message .*has none of the keys"),
        ('{"vertexes":[{"name":"x"}]}', r":1: not a message of .*'digest'"),
        ('{"vertexes":[{"digest":"a","started":"soon"}]}', r":1: not a message of .*soon"),
        ('{"vertexes":["x"]}', r":1: not a message of"),
    ],
)
def test_what_is_no_such_log_is_refused(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(RecordsError, match=says) as caught:
        read_log(write(tmp_path, text))
    assert "--progress=rawjson" in caught.value.remedy


def test_a_log_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(RecordsError, match="nowhere: cannot read: No such file"):
        read_log(tmp_path / "nowhere")
