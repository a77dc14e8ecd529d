"""On a line that lets frames pass each other, what comes late is not done again."""

from __future__ import annotations

import struct
from collections.abc import Callable

import pytest

from codegen import protocol
from codegen.protocol import Message, Status
from tests.firmware.process import (
    Firmware,
    rehearse_payload,
    resident_payload,
    step_payload,
    words,
)

Asked = tuple[Message, Callable[[Firmware], bytes]]
INIT: Asked = protocol.INIT, lambda f: struct.pack("<IIII", 1, 0, 0, 1)
WRITE: Asked = protocol.WRITE, lambda f: words(0, 1, 0, bytes(4))
STEP: Asked = protocol.STEP, lambda f: step_payload(f, 1, 0, 0.1)
RESIDENT: Asked = protocol.STEP_RESIDENT, lambda f: resident_payload(1, 0)
REHEARSE: Asked = protocol.REHEARSE, lambda f: rehearse_payload(0)
COMMIT: Asked = protocol.COMMIT, lambda f: struct.pack("<I", 0)
UNDOES = [
    (INIT, INIT), (INIT, WRITE), (INIT, STEP), (INIT, RESIDENT), (INIT, COMMIT),
    (WRITE, INIT), (WRITE, STEP),
    (STEP, INIT), (RESIDENT, INIT), (REHEARSE, INIT), (COMMIT, INIT),
]  # fmt: skip
"""What must not come after what."""


@pytest.mark.parametrize(
    ("late", "done"), UNDOES, ids=lambda asked: asked[0].name
)  # fmt: skip
def test_a_frame_that_was_sent_before_what_it_would_undo_is_met_with_silence(
    firmware: Firmware, late: Asked, done: Asked
) -> None:
    message, payload = done
    assert firmware.ask(message, payload(firmware), seq=100).status == Status.OK
    message, payload = late
    assert firmware.is_silent_to(message, payload(firmware), seq=99)


def test_a_write_that_comes_after_another_is_done(firmware: Firmware) -> None:
    """It undoes nothing: a host asks for one at a time and waits."""
    message, payload = WRITE
    for seq in (100, 99):
        assert firmware.ask(message, payload(firmware), seq=seq).status == Status.OK


def test_after_half_of_all_numbers_a_new_frame_is_still_new(firmware: Firmware) -> None:
    """What was done last stays a quarter of the numbers behind, at most."""
    for seq in range(0x3000, 0x10000, 0x3000):
        assert firmware.ask(protocol.PING, seq=seq).status == Status.OK
    message, payload = INIT
    assert firmware.ask(message, payload(firmware), seq=0xF001).status == Status.OK


def test_a_late_frame_does_not_make_older_ones_new(firmware: Firmware) -> None:
    message, payload = INIT
    assert firmware.ask(message, payload(firmware), seq=0x6000).status == Status.OK
    assert firmware.ask(protocol.PING, seq=0x5000).status == Status.OK
    assert firmware.is_silent_to(message, payload(firmware), seq=0x5001)
