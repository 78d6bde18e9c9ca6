from __future__ import annotations

import pytest

from bench.tracing.family import Family, Process, UnknownProcessError, View
from bench.tracing.strace import Call


def family(cwd: str = "/app") -> Family:
    return Family(1, Process(View((cwd,)), {3: "/f"}, "/bin/sh"))


def fork(pid: int, *, error: str = "", had_begun: bool = False) -> Call:
    return Call(pid, "clone", (), result=-1 if error else 99, error=error, had_begun=had_begun)


def test_a_child_begins_where_its_parent_stood_when_it_was_made() -> None:
    all_of = family()
    all_of.birth_ends(fork(1), "SIGCHLD")
    all_of.process(1).view.stands_in(("/else",))
    child = all_of.process(2)
    assert child.view.cwd == ("/app",)
    assert (child.files, child.program) == ({3: "/f"}, "/bin/sh")


def test_a_child_may_be_seen_before_the_call_that_made_it_has_ended() -> None:
    all_of = family()
    all_of.birth_begins(1, "SIGCHLD")
    child = all_of.process(2)
    all_of.birth_ends(fork(1, had_begun=True), "SIGCHLD")
    assert child.view.cwd == ("/app",)
    with pytest.raises(UnknownProcessError, match="nobody saw begin"):
        all_of.process(3)


def test_a_thread_stands_where_its_process_stands() -> None:
    all_of = family()
    all_of.birth_ends(fork(1), "CLONE_VM|CLONE_FS|CLONE_FILES")
    thread = all_of.process(2)
    all_of.process(1).view.stands_in(("/else",))
    assert thread.view.cwd == ("/else",)
    assert thread.files is all_of.process(1).files


def two_births(flags: str = "SIGCHLD") -> Family:
    """Two processes in unlike folders have made one each, and neither was seen yet."""
    all_of = family("/one")
    all_of.birth_ends(fork(1), "SIGCHLD")
    all_of.process(2).view.stands_in(("/two",))
    all_of.process(2).files[3] = "/g"
    all_of.birth_ends(fork(1), flags)
    all_of.birth_ends(fork(2), flags)
    return all_of


def test_a_process_of_one_of_two_parents_may_stand_where_either_does() -> None:
    all_of = two_births()
    first, second = all_of.process(3), all_of.process(4)
    assert set(first.view.cwd) == set(second.view.cwd) == {"/one", "/two"}
    assert first.files == {}
    first.view.stands_in(("/two",))
    assert first.view.cwd == ("/two",)


def test_a_thread_of_one_of_two_processes_follows_both() -> None:
    all_of = two_births("CLONE_FS")
    thread = all_of.process(3)
    all_of.process(1).view.stands_in(("/three",))
    assert set(thread.view.cwd) >= {"/two", "/three"}


def test_once_all_children_were_seen_the_next_one_has_one_parent_again() -> None:
    all_of = two_births()
    all_of.process(3)
    all_of.ended(4)  # it ended without a call that is watched
    all_of.birth_ends(fork(2), "SIGCHLD")
    assert all_of.process(5).view.cwd == ("/two",)


def test_a_call_that_failed_made_no_child() -> None:
    all_of = family()
    all_of.birth_begins(1, "SIGCHLD")
    all_of.birth_ends(fork(1, error="EAGAIN", had_begun=True), "SIGCHLD")
    with pytest.raises(UnknownProcessError):
        all_of.process(2)


def test_a_number_may_be_given_again() -> None:
    all_of = family()
    all_of.birth_ends(fork(1), "SIGCHLD")
    all_of.process(2).view.stands_in(("/old",))
    all_of.ended(2)
    all_of.birth_ends(fork(1), "SIGCHLD")
    assert all_of.process(2).view.cwd == ("/app",)
