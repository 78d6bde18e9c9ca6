from __future__ import annotations

import subprocess
import sys
import time
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from bench.engine.lock import EngineBusyError, engine_lock, lock_path
from bench.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Iterator

HOLD = """
import sys, time
from bench.engine.lock import engine_lock
with engine_lock(sys.argv[1]):
    print("held", flush=True)
    time.sleep(float(sys.argv[2]))
"""


@pytest.fixture
def engine_id() -> Iterator[str]:
    name = f"test-{uuid.uuid4()}"
    yield name
    lock_path(name).unlink(missing_ok=True)


@contextmanager
def held_elsewhere(engine_id: str, seconds: float) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, engine_id, str(seconds)], stdout=subprocess.PIPE, text=True
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_second_process_is_refused_and_told_who_holds_the_engine(engine_id: str) -> None:
    with (
        held_elsewhere(engine_id, 60) as other,
        pytest.raises(EngineBusyError, match=f"process {other.pid} ") as caught,
        engine_lock(engine_id, wait_seconds=0),
    ):
        pytest.fail("the lock was given twice")
    assert caught.value.exit_code is ExitCode.NO_ENGINE


def test_a_second_process_waits_for_the_first_and_says_so_once(engine_id: str) -> None:
    messages: list[str] = []
    began = time.monotonic()
    with (
        held_elsewhere(engine_id, 0.7) as other,
        engine_lock(engine_id, wait_seconds=20, on_wait=messages.append),
    ):
        assert other.wait(5) == 0
    assert time.monotonic() - began >= 0.5
    assert messages == [f"waiting for process {other.pid}, which measures on the same engine"]


def test_a_killed_holder_lets_go(engine_id: str) -> None:
    with held_elsewhere(engine_id, 60) as other:
        other.kill()
        other.wait(5)
        with engine_lock(engine_id, wait_seconds=5):
            pass


def test_the_same_process_cannot_take_it_twice(engine_id: str) -> None:
    with (
        engine_lock(engine_id),
        pytest.raises(EngineBusyError),
        engine_lock(engine_id, wait_seconds=0),
    ):
        pytest.fail("the lock was given twice")


def test_an_error_inside_lets_go(engine_id: str) -> None:
    with pytest.raises(ZeroDivisionError), engine_lock(engine_id):
        _ = 1 / 0
    with engine_lock(engine_id, wait_seconds=0):
        pass


def test_other_engines_are_not_held(engine_id: str) -> None:
    other = f"{engine_id}-other"
    with engine_lock(engine_id), engine_lock(other, wait_seconds=0):
        lock_path(other).unlink()


def test_other_users_may_wait_whatever_the_umask(engine_id: str) -> None:
    with engine_lock(engine_id):
        assert lock_path(engine_id).stat().st_mode & 0o777 == 0o644
