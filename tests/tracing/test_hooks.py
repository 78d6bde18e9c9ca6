from __future__ import annotations

import json
import re
import signal
import subprocess
import time
from pathlib import Path

from bench.builders.protocol import BaseImageConfig
from bench.cache_model import StepPlace
from bench.dockerfile import parse
from bench.tracing.hooks import ROUNDS, START, WAIT, WAITED_IN_VAIN, hooked, mark_of

TEXT = """# escape=`
ARG BASE=busybox
FROM ${BASE} AS one
RUN echo "a" && `
    # why
    echo b
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
RUN --mount=type=cache,target=/c `
    make
FROM one
RUN ["./go", "a \\"b\\""]"""


def hooked_text(text: str, *places: tuple[int, int], base: tuple[str, ...] = ()) -> str:
    config = {"${BASE}": BaseImageConfig(shell=base)}
    return hooked(parse(text), "T", [StepPlace(*place) for place in places], config, {}).text


def test_a_run_keeps_its_text_between_a_shell_that_waits_and_its_own() -> None:
    lines = hooked_text(TEXT, (0, 2)).split("\n")
    before, after = lines[3], lines[7]
    assert lines[4:7] == TEXT.split("\n")[3:6]
    assert json.loads(before.removeprefix("SHELL "))[3:] == ["T-0-2", "/bin/sh", "-c"]
    assert after == 'SHELL ["/bin/sh", "-c"]'


def test_the_shell_in_force_is_kept_by_the_stage_and_by_its_children() -> None:
    sent = parse(hooked_text(TEXT, (0, 4)))
    before, run, after = sent.stages[0].instructions[3:6]
    assert before.arguments[3:] == ("T-0-4", "/bin/bash", "-o", "pipefail", "-c")
    assert run.text == "RUN --mount=type=cache,target=/c make"
    assert after.arguments == ("/bin/bash", "-o", "pipefail", "-c")
    child = parse(hooked_text(TEXT.replace('RUN ["./go", "a \\"b\\""]', "RUN x"), (1, 2)))
    assert child.stages[1].instructions[1].arguments[4:] == ("/bin/bash", "-o", "pipefail", "-c")


def test_the_shell_of_a_base_image_is_kept() -> None:
    sent = parse(hooked_text(TEXT, (0, 2), base=("/bin/ash", "-c")))
    assert sent.stages[0].instructions[1].arguments[4:] == ("/bin/ash", "-c")
    assert sent.stages[0].instructions[3].arguments == ("/bin/ash", "-c")


def test_a_run_in_exec_form_gets_its_words_unchanged() -> None:
    sent = parse(hooked_text(TEXT, (1, 2)))
    run = sent.stages[1].instructions[1]
    assert run.exec_form
    assert run.arguments[:2] == ("/bin/sh", "-c")
    assert run.arguments[3:] == ("T-1-2", "./go", 'a "b"')


def test_the_flags_of_a_run_in_exec_form_stay() -> None:
    text = 'FROM x\nRUN --mount=type=cache,target=/c --network=none ["a"]\n'
    run = parse(hooked_text(text, (0, 2))).stages[0].instructions[1]
    assert run.flags == ("--mount=type=cache,target=/c", "--network=none")


def test_the_beginning_of_a_stage_waits_and_does_nothing() -> None:
    run = parse(hooked_text(TEXT, (1, START))).stages[1].instructions[1]
    assert run.arguments[3:] == ("T-1-1",)


def test_a_here_document_stays_with_its_run() -> None:
    text = "FROM x\nRUN <<EOF\necho $A\nEOF\nRUN true\n"
    sent = hooked_text(text, (0, 2), (0, 3))
    assert "RUN <<EOF\necho $A\nEOF\nSHELL" in sent
    assert len(parse(sent).stages[0].instructions) == 7


def test_no_other_process_is_taken_for_one_that_waits() -> None:
    words = parse(hooked_text(TEXT, (1, START))).stages[1].instructions[1].arguments
    command_line = b"\0".join(word.encode() for word in words) + b"\0"
    assert mark_of(command_line) == "T-1-1"
    assert mark_of(b"/bin/sh\0-c\0sleep 1\0T-1-1\0") is None
    assert mark_of(b"") is None


def wait(*command: str, rounds: int = ROUNDS) -> subprocess.Popen[str]:
    """Begin a wait in the shell of this machine."""
    script = WAIT.replace(str(ROUNDS), str(rounds))
    return subprocess.Popen(
        ["/bin/sh", "-c", script, "T", *command],
        env={"A": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def catches(pid: int, number: signal.Signals) -> bool:
    status = Path(f"/proc/{pid}/status").read_text()
    caught = re.search(r"^SigCgt:\s*(\w+)$", status, re.M)
    return caught is not None and bool(int(caught[1], 16) >> (number - 1) & 1)


def test_a_wait_becomes_what_was_to_run_and_leaves_no_trace() -> None:
    process = wait("/bin/sh", "-c", 'env; trap; set; echo $0 $$ "$@"', "zero", "a  b")
    while not catches(process.pid, signal.SIGUSR1):
        assert process.poll() is None
        time.sleep(0.001)
    process.send_signal(signal.SIGUSR1)
    said, complaint = process.communicate(timeout=60)
    assert said.splitlines()[-1] == f"zero {process.pid} a  b"
    assert "A=1" in said.splitlines()
    assert "cachebench" not in said
    assert "trap" not in said.lower()
    assert (process.returncode, complaint) == (0, "")


def test_a_wait_that_nobody_ends_ends_itself() -> None:
    process = wait("/bin/true", rounds=1000)
    _, complaint = process.communicate(timeout=60)
    assert process.returncode == WAITED_IN_VAIN
    assert "nobody came to watch" in complaint
