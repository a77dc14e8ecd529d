"""The firmware that understands NeuroCoreX's bytes, spoken to frame by frame: any split of
a stream, any bytes at all, what it refuses and what comes too late."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import targets
from codegen import protocol
from codegen.building import toolchain
from codegen.errors import SpecError
from codegen.planning.lif import lif_plan
from codegen.protocol import Status
from codegen.reference import neurocorex as twin
from codegen.rendering.lif import render_lif
from hil.neurocorex import READ_INPUTS, READ_RECURRENT, Homeostasis, Network
from hil.neurocorex.network import Stdp
from tests.firmware.conftest import CHECKS, FLASH, require_well
from tests.firmware.process import Process

CELLS = 16
PLAN = lif_plan(CELLS, targets.load("host"))
LONGEST = PLAN.line.max_payload - 4
ONE_DEVICE = settings(
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


class Spiking(Process):
    """It takes a stream."""

    def state(self) -> bytes:
        """All weights."""
        return self.answer([READ_INPUTS, READ_RECURRENT])

    @property
    def number(self) -> int:
        """Of the last frame."""
        return self._seq

    def reset(self, flags: int = 0, seq: int | None = None) -> Status:
        payload = struct.pack("<IIII", 1, 0, flags, 1)
        return Status(self.ask(protocol.INIT, payload, seq=seq).status)

    def give(self, data: bytes, seq: int | None = None) -> tuple[Status, int, bytes]:
        """The status, how many bytes it has taken, and what it has told."""
        reply = self.ask(protocol.INFER, struct.pack("<I", len(data)) + data, seq=seq)
        if reply.status != Status.OK:
            return Status(reply.status), 0, b""
        count, taken = struct.unpack_from("<IH", reply.payload)
        assert count == len(data)
        return Status.OK, taken, reply.payload[6:]

    def plainly(self, data: bytes, size: int) -> bytes:
        """So many bytes that answer `data`, without frames."""
        self.send(data)
        found = b""
        while len(found) < size:
            found += self._line.recv(size - len(found))
        return found

    def answer(self, pieces: list[bytes]) -> bytes:
        """What it tells of pieces, each given until it is taken; a byte that it refuses
        is left out, and those behind it are given all the same."""
        found = b""
        for piece in [*pieces, b""]:
            told = b"?"
            while piece or told:
                status, taken, told = self.give(piece[:LONGEST])
                piece = piece[taken + (status != Status.OK) :]
                found += told
        return found


@pytest.fixture(scope="module")
def image(host_cc: str) -> str:
    files = render_lif(PLAN)
    return str(toolchain.build(files, toolchain.find(PLAN.target), extra=CHECKS).path)


@pytest.fixture(scope="module")
def booted(image: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Spiking]:
    """One for all tests: INIT leaves nothing of what was before it."""
    one = Spiking(image, tmp_path_factory.mktemp("lif") / FLASH)
    assert one.hello().status == Status.OK
    assert one.give(READ_INPUTS)[0] == Status.NOT_READY
    yield one
    require_well(one)


@pytest.fixture
def device(booted: Spiking) -> Spiking:
    assert booted.reset() == Status.OK
    return booted


def stream() -> bytes:
    """A network that learns, two runs of it, and its weights."""
    net = Network(
        CELLS, leak=-0.5, gain=3, stdp=Stdp(4, 3, 6, 5, 7, 2), bias=2.25, biased=9
    )
    drawn = np.random.default_rng(5)
    net.inputs[:], net.recurrent[:] = drawn.integers(-50, 100, (2, CELLS, CELLS))
    net.thresholds[:] = drawn.integers(30, 120, CELLS)
    net.refractory[:] = drawn.integers(0, 3, CELLS)
    net.plastic_inputs[:], net.plastic_recurrent[:] = (
        drawn.random((2, CELLS, CELLS)) < 0.5
    )
    spikes = [
        (int(at), int(line)) for at, line in drawn.integers(0, (300, CELLS), (150, 2))
    ]
    first, second = (
        net.events(spikes, 400),
        net.events(dict(spikes).items(), theirs=True),
    )
    learned = net.program() + first + READ_RECURRENT + second + READ_INPUTS
    net.homeostasis, net.leak = Homeostasis(0.1, 0.75), 0
    net.inputs[3] = net.recurrent[3] = 0  # silent, however low its threshold falls
    net.plastic_inputs[3] = net.plastic_recurrent[3] = False
    return learned + net.program() + first + second + READ_RECURRENT


END = b"\xff\xff\xff"
STREAM = stream()
ANSWER = twin.answered(STREAM, CELLS).bytes


@ONE_DEVICE
@given(st.sets(st.integers(1, len(STREAM) - 1), max_size=12))
def test_any_split_of_a_stream_has_the_same_answer(
    device: Spiking, cuts: set[int]
) -> None:
    device.reset()
    places = [0, *sorted(cuts), len(STREAM)]
    pieces = [STREAM[a:b] for a, b in pairwise(places)]
    assert device.answer(pieces) == ANSWER


def test_byte_by_byte_it_has_the_same_answer(device: Spiking) -> None:
    assert device.answer([STREAM[k : k + 1] for k in range(len(STREAM))]) == ANSWER


@ONE_DEVICE
@given(
    st.lists(
        st.sampled_from([b"\x30", b"\x31", b"\x40", b"\x20", b"\xff\xff\xff"])
        | st.binary(max_size=40),
        max_size=12,
    )
)
def test_any_bytes_at_all_are_taken_or_refused(
    device: Spiking, pieces: list[bytes]
) -> None:
    """What it says of them is what the twin says, where the twin knows them; the checks
    see every access outside its memory. It goes on afterwards."""
    device.reset()
    told = device.answer(pieces)
    with suppress(SpecError):
        assert told == twin.answered(b"".join(pieces), CELLS).bytes
    device.reset()
    assert device.answer([STREAM[:600]]) == b""


@pytest.mark.parametrize(
    ("before", "byte", "status", "then"),
    [
        (b"", b"\x70", Status.BAD_PAYLOAD, b"\x30\xff\xff\xff"),
        (b"\x30\x00\xff", b"\x00", Status.OUT_OF_BOUNDS, b"\xff\xff\xff\xff"),
        (b"\x31\x00\xff", b"\xfe", Status.OUT_OF_BOUNDS, b"\xff\xff\xff\xff"),
    ],
)  # fmt: skip
def test_a_byte_that_may_not_come_is_refused_and_changes_nothing(
    device: Spiking, before: bytes, byte: bytes, status: Status, then: bytes
) -> None:
    assert device.give(before)[1] == len(before)
    number = device.number + 1
    told = [device.give(byte + b"\x30", seq=number)[0] for _ in range(2)]
    assert told == [status, status]
    assert device.give(then)[:2] == (Status.OK, len(then))


def test_an_event_of_the_line_behind_the_last_is_refused(device: Spiking) -> None:
    assert device.give(bytes([0x30, 0, CELLS - 1, 0, 0, CELLS]))[1] == 6
    assert device.give(b"\x00")[0] == Status.OUT_OF_BOUNDS


def test_bytes_before_a_refused_one_are_taken(device: Spiking) -> None:
    assert device.give(b"\x30\x00\x10\x01")[:2] == (Status.OK, 3)


def test_a_stream_is_taken_no_further_than_its_answer_has_room(device: Spiking) -> None:
    status, taken, told = device.give(b"\x30\xfe\x01\x00\xfe\x02\x00\xff\xff\xff")
    assert (status, taken) == (Status.OK, 4)
    assert len(told) == 1 + (PLAN.room - 1) // 2 * 2
    assert len(told) + len(device.answer([b"\xfe\x02\x00\xff\xff\xff"])) == 1 + 510 * 2


def test_a_run_may_begin_where_an_answer_is_full(device: Spiking) -> None:
    """A matrix of 256 bytes, two runs of 243 and one of 11: one answer ends within the
    matrix, the next where the last run is to begin."""
    runs = b"".join(b"\x30" + bytes([n, 1, 0]) + END for n in (59, 60, 4))
    assert len(device.give(READ_INPUTS)[2]) == PLAN.room
    status, taken, told = device.give(runs)
    assert (status, len(told)) == (Status.OK, PLAN.room) and taken < len(runs)
    assert len(device.answer([runs[taken:]])) == 1 + 2 * 5


def test_what_is_left_to_tell_comes_before_a_byte_is_refused(device: Spiking) -> None:
    device.give(READ_INPUTS)
    assert device.give(b"\x70") == (Status.OK, 0, bytes(256 - PLAN.room))
    assert device.give(b"\x70")[0] == Status.BAD_PAYLOAD


def test_an_event_may_be_255_steps_after_the_one_before(device: Spiking) -> None:
    data = b"\x31" + bytes([255, 1, 0]) + END
    assert device.answer([data]) == twin.answered(data, CELLS).bytes
    assert len(twin.answered(data, CELLS).runs[0]) == 256


def test_what_was_sent_before_the_last_init_is_met_with_silence(
    device: Spiking,
) -> None:
    number = device.number + 9
    assert device.reset(seq=number) == Status.OK
    read = struct.pack("<I", len(READ_INPUTS)) + READ_INPUTS
    assert device.is_silent_to(protocol.INFER, read, seq=number - 1)
    late = struct.pack("<IIII", 1, 0, 0, 1)
    assert device.is_silent_to(protocol.INIT, late, seq=number - 1)
    assert device.is_silent_to(protocol.INIT, late, seq=number + 1)


def test_what_was_taken_is_answered_again_and_not_taken_again(device: Spiking) -> None:
    number = device.number + 1
    run = b"\x30\x05\x01\x00\x05\x01\x00"
    first = device.give(run, seq=number)
    assert device.give(run, seq=number) == first
    device.give(b"\xff\xff\xff", seq=number + 1)
    late = struct.pack("<I", len(run)) + run
    assert device.is_silent_to(protocol.INFER, late, seq=number)


def test_what_no_such_image_does_is_refused(device: Spiking) -> None:
    reply = device.ask(protocol.INFER, struct.pack("<I", 2) + b"\x30")
    assert reply.status == Status.BAD_PAYLOAD
    assert device.reset(flags=1) == Status.NO_STORAGE
    assert device.ask(protocol.DIGEST).status == Status.UNKNOWN_KIND


def test_it_expects_no_step(device: Spiking) -> None:
    assert protocol.PING.reply is not None
    told, _ = protocol.PING.reply.unpack(device.ask(protocol.PING).payload)
    assert told["step"] == protocol.NEVER


def test_a_plain_line_carries_their_bytes_alone(image: str, tmp_path: Path) -> None:
    """What may not come is left out."""
    one = Spiking(image, tmp_path / FLASH)
    one.hello()
    one.reset()
    never = struct.pack("<I", protocol.NEVER)
    assert one.ask(protocol.INFER, never + b"\x00").status == Status.BAD_PAYLOAD
    assert one.ask(protocol.INFER, never).payload == never
    assert one.plainly(STREAM, len(ANSWER)) == ANSWER
    lost = bytes([0x70, 0x31, 0, CELLS, 0, 3, 1, 0]) + END + READ_INPUTS
    kept = twin.answered(
        STREAM + bytes([0x31, 3, 1, 0]) + END + READ_INPUTS, CELLS
    ).bytes
    assert one.plainly(lost, len(kept) - len(ANSWER)) == kept[len(ANSWER) :]
    assert one.close() == "flash operations: 0\n" and one.process.returncode == 0
