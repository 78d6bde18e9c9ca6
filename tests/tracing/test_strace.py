from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.tracing.strace import (
    Begun,
    Call,
    Descriptor,
    Ended,
    NotUnderstoodError,
    descriptor_of,
    read_calls,
    string_of,
    unescape,
)
from tests.tracing.recorded import BUSYBOX, DEBIAN, lines_of


def one(line: str) -> Call:
    (event,) = read_calls([line])
    assert isinstance(event, Call)
    return event


def test_a_call_has_arguments_a_result_and_the_path_of_what_it_opened() -> None:
    call = one('7 openat(AT_FDCWD</app>, "a.txt", O_RDONLY|O_CLOEXEC) = 3</app/a.txt>\n')
    assert call == Call(
        7,
        "openat",
        ("AT_FDCWD</app>", '"a.txt"', "O_RDONLY|O_CLOEXEC"),
        result=3,
        path="/app/a.txt",
    )
    assert descriptor_of(call.arguments[0]) == Descriptor(None, "/app")
    assert string_of(call.arguments[1]) == "a.txt"


def test_an_error_is_told_by_its_name() -> None:
    call = one('7   access("/etc/x", R_OK) = -1 ENOENT (No such file or directory)')
    assert (call.result, call.error, call.path) == (-1, "ENOENT", None)


def test_commas_quotes_and_parentheses_inside_of_an_argument_do_not_end_it() -> None:
    call = one(
        r'7 execve("/bin/sh", ["sh", "-c", "a, (b) \"c\" ]"...], 0x7ffd /* 5 vars, (x) */) = 0'
    )
    assert len(call.arguments) == 3
    assert call.result == 0


def test_a_structure_is_one_argument() -> None:
    call = one('7 newfstatat(3</a>, "", {st_mode=S_IFDIR|0755, st_size=4, ...}, AT_EMPTY_PATH) = 0')
    assert call.arguments[2:] == ("{st_mode=S_IFDIR|0755, st_size=4, ...}", "AT_EMPTY_PATH")


def test_a_path_of_a_descriptor_may_hold_anything() -> None:
    call = one(r'7 openat(AT_FDCWD</>, "x", O_RDONLY) = 4</tmp/a, \74b\76 (c)\n\303\251>')
    assert call.path == "/tmp/a, <b> (c)\né"


def test_what_has_no_place_in_the_file_system_has_no_path() -> None:
    assert descriptor_of("1<pipe:[42]>") == Descriptor(1, None)
    assert descriptor_of("1") == Descriptor(1, None)
    assert descriptor_of("O_RDONLY") is None
    assert string_of("NULL") is None


def test_an_interrupted_call_is_joined() -> None:
    events = list(
        read_calls(
            [
                '7 openat(AT_FDCWD</app>, "a", O_RDONLY <unfinished ...>',
                '8 chdir("/b")   = 0',
                "7 <... openat resumed>)  = 3</app/a>",
            ]
        )
    )
    begun, chdir, opened = events
    assert begun == Begun(7, "openat", 'openat(AT_FDCWD</app>, "a", O_RDONLY')
    assert isinstance(chdir, Call)
    assert isinstance(opened, Call)
    assert (opened.path, opened.arguments[1], opened.had_begun) == ("/app/a", '"a"', True)


def test_a_program_started_by_a_thread_ends_the_call_under_the_number_of_the_process() -> None:
    events = list(
        read_calls(
            [
                '9 execve("/bin/ls", ["ls"], 0x1 /* 2 vars */ <unfinished ...>',
                "9 +++ superseded by execve in pid 7 +++",
                "7 <... execve resumed>)  = 0",
            ]
        )
    )
    last = events[-1]
    assert events[1] == Ended(9)
    assert isinstance(last, Call)
    assert (last.pid, last.arguments[0], last.result) == (7, '"/bin/ls"', 0)


def test_signals_are_passed_over_and_ends_are_told() -> None:
    events = list(
        read_calls(["7 --- SIGCHLD {si_signo=SIGCHLD} ---", "7 +++ exited with 0 +++", "8 +++ x"])
    )
    assert events == [Ended(7), Ended(8)]


@pytest.mark.parametrize("line", ["not a trace", "7 what is this", '7 open("a", O_RDONLY'])
def test_a_line_that_is_no_trace_is_refused(line: str) -> None:
    with pytest.raises(NotUnderstoodError, match="line 1"):
        list(read_calls([line]))


@given(st.binary(max_size=40).filter(lambda text: b"\0" not in text))
def test_any_name_of_a_file_comes_out_as_it_was(name: bytes) -> None:
    """Escaped as strace does it: octal without needless digits, unless a digit follows."""
    escaped = ""
    for place, byte in enumerate(name):
        if chr(byte) in '"\\':
            escaped += "\\" + chr(byte)
        elif 0x20 <= byte < 0x7F:
            escaped += chr(byte)
        else:
            digit_follows = name[place + 1 : place + 2].isdigit()
            escaped += f"\\{byte:03o}" if digit_follows else f"\\{byte:o}"
    assert os.fsencode(unescape(escaped)) == name


@pytest.mark.parametrize("name", [BUSYBOX, DEBIAN])
def test_every_line_of_a_real_trace_is_understood(name: str) -> None:
    lines = lines_of(name)
    events = list(read_calls(lines))
    calls = [event for event in events if isinstance(event, Call)]
    assert len(events) == len(lines)
    assert all(call.result is not None for call in calls)
    assert {call.name for call in calls} >= {"execve", "openat", "newfstatat", "clone", "chdir"}
