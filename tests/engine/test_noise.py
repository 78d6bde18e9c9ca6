from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.engine.noise import NoiseProbe, NoiseSample, between, sample
from bench.noise import Noise

if TYPE_CHECKING:
    from pathlib import Path

SECONDS = st.floats(0, 1e6)


def write_proc(proc: Path, *, steal: int, waited_us: int) -> None:
    (proc / "pressure").mkdir(parents=True, exist_ok=True)
    (proc / "loadavg").write_text("0.52 0.58 0.59 3/523 12345\n")
    (proc / "stat").write_text(f"cpu  1 2 3 4 5 6 7 {steal} 9 10\ncpu0 1 2 3 4 5 6 7 999 9 10\n")
    for name in ("cpu", "io", "memory"):
        some = f"some avg10=9.00 avg60=9.00 avg300=9.00 total={waited_us}"
        full = "full avg10=0.00 avg60=0.00 avg300=0.00 total=77"
        (proc / "pressure" / name).write_text(f"{some}\n{full}\n")


def test_the_counters_are_read_with_their_units(tmp_path: Path) -> None:
    write_proc(tmp_path, steal=250, waited_us=1_500_000)
    read = sample(tmp_path)
    assert read.load_1m == 0.52
    assert read.steal_seconds == pytest.approx(2.5)  # 100 ticks a second on Linux
    assert read.io_pressure_seconds == pytest.approx(1.5)


def test_a_kernel_that_tells_nothing_gives_none_and_no_error(tmp_path: Path) -> None:
    assert NoiseProbe(tmp_path).end(image_count=4) == Noise(image_count=4)


def test_an_old_stat_line_without_steal_gives_none(tmp_path: Path) -> None:
    write_proc(tmp_path, steal=1, waited_us=1)
    (tmp_path / "stat").write_text("cpu  1 2 3 4\n")
    assert sample(tmp_path).steal_seconds is None


def test_pressure_is_the_share_of_the_span_between_two_samples() -> None:
    begin = NoiseSample(100.0, 0.5, 1.0, 10.0, 20.0, 30.0)
    end = NoiseSample(110.0, 3.0, 1.25, 15.0, 21.0, 30.0)
    assert between(begin, end, image_count=7) == Noise(
        load_1m=0.5,
        steal_seconds=0.25,
        cpu_pressure=0.5,
        io_pressure=0.1,
        memory_pressure=0.0,
        image_count=7,
    )


@given(SECONDS, SECONDS, SECONDS, SECONDS)
def test_a_share_stays_between_0_and_1_whatever_the_counters_say(
    start: float, span: float, first: float, second: float
) -> None:
    begin = NoiseSample(start, None, None, first, None, None)
    share = between(begin, NoiseSample(start + span, None, None, second, None, None)).cpu_pressure
    assert share is None or 0 <= share <= 1


def test_this_machine_gives_a_sane_sample() -> None:
    probe = NoiseProbe()
    deadline = time.monotonic() + 0.2
    while time.monotonic() < deadline:
        pass
    noise = probe.end()
    assert noise.load_1m is not None
    assert 0 <= noise.load_1m < 1000
    assert noise.steal_seconds is not None
    assert 0 <= noise.steal_seconds < 60
    for share in (noise.cpu_pressure, noise.io_pressure, noise.memory_pressure):
        assert share is None or 0 <= share <= 1
