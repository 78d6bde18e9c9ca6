"""BuildKit's status messages."""

from __future__ import annotations

import contextlib

from hypothesis import given
from hypothesis import strategies as st

from bench.builders.status import decode_status

# A StatusResponse by hand: vertex {digest "d", input "i", name "n", cached, started 1.5 s,
# error "e"} and a log line of it.
VERTEX = b"\x0a\x01d\x12\x01i\x1a\x01n\x20\x01\x2a\x08\x08\x01\x10\x80\xca\xb5\xee\x01\x3a\x01e"
MESSAGE = b"\x0a" + bytes([len(VERTEX)]) + VERTEX + b"\x1a\x0b\x0a\x01d\x22\x06one\ntw"


def test_a_message_is_decoded_by_the_numbers_of_control_proto() -> None:
    status = decode_status(MESSAGE)

    [event] = status.vertices
    assert (event.digest, event.inputs, event.name, event.cached) == ("d", ("i",), "n", True)
    assert (event.started, event.completed, event.error) == (1.5, None, "e")
    assert status.log_lines == ("one", "tw")


@given(st.binary(max_size=200))
def test_bytes_that_are_no_message_raise_nothing_but_value_errors(data: bytes) -> None:
    with contextlib.suppress(ValueError):
        decode_status(data)


@given(st.integers(0, len(MESSAGE)))
def test_a_message_that_is_cut_off_raises_nothing_but_value_errors(length: int) -> None:
    with contextlib.suppress(ValueError):
        decode_status(MESSAGE[:length])
