"""The whole firmware as a process under address and undefined-behaviour checks,
and a line that sends it whatever there is to send.

More than 400 lines because one image, built once, is asked all of it.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Callable

import pytest

from codegen import protocol
from codegen.protocol import Status, StepFlag
from hil.device.link.frame import Decoder, encode
from tests.firmware.process import (
    BOOT,
    OTHER_BOOT,
    RESIDENT,
    SLOTS,
    THIN,
    Firmware,
    kept_payload,
    rehearse_payload,
    resident_payload,
    step_payload,
    words,
)

ROUNDS = 60
"""Pieces of noise, or frames, between two looks at the state."""


def some_payload(dice: random.Random, longest: int) -> bytes:
    """Bytes of a random length, often a special one; often zeros or 0xff."""
    size = dice.choice((0, 1, 8, 253, 254, 255, longest, dice.randrange(longest + 9)))
    return dice.choice((dice.randbytes(size), bytes(size), b"\xff" * size))


def some_request(dice: random.Random, longest: int, boot: int) -> bytes:
    """A request with fields that may mean something, whole and with a good CRC."""
    message = dice.choice(protocol.MESSAGES)
    size = message.request.size if message.request else 0
    words = [dice.choice((0, 1, 2, 4, 0xFFFF, 2**31, 2**32 - 1)) for _ in range(8)]
    fields = dice.choice((dice.randbytes(size), struct.pack("<8I", *words)[:size]))
    payload = fields + dice.choice((b"", some_payload(dice, longest)))
    if message is protocol.LEAVE and len(payload) == size:
        payload += b"?"
    seq = 0x8000 | dice.randrange(0x8000)
    return encode(message.kind, dice.randrange(256), seq, boot, payload)


def damaged(dice: random.Random, frame: bytes) -> bytes:
    """`frame` as no frame: cut, or bytes of it changed, dropped or doubled."""
    line = bytearray(frame.strip(b"\0"))
    if dice.random() < 0.3:
        return b"\0" + bytes(line[: dice.randrange(len(line))])
    for _ in range(dice.randint(1, 3)):
        place = dice.randrange(len(line))
        line[place : place + dice.randrange(2)] = dice.randbytes(dice.randint(1, 2))
    return b"\0" + bytes(line) + b"\0" * dice.randrange(3)


def garbage(dice: random.Random, longest: int) -> bytes:
    """Bytes of no origin; 0, 1 and 255 mean most to COBS."""
    size = dice.randrange(3 * longest)
    few = bytes(dice.choice((0, 1, 2, 254, 255)) for _ in range(size))
    return dice.choice((few, dice.randbytes(size), b"\xff" * size, b"x" * size))


@pytest.mark.parametrize("seed", range(4))
def test_noise_changes_nothing(firmware: Firmware, seed: int) -> None:
    dice = random.Random(seed)
    longest = firmware.made.line.max_payload
    assert firmware.step(0).status == Status.OK
    before = firmware.state()
    for _ in range(10):
        for _ in range(ROUNDS):
            request = some_request(dice, longest, BOOT)
            firmware.send(
                garbage(dice, longest)
                if dice.random() < 0.3
                else damaged(dice, request)
            )
        assert firmware.hello().status == Status.OK
        assert firmware.state() == before
    assert firmware.step(1).status == Status.OK


@pytest.mark.parametrize("seed", range(4))
def test_good_frames_of_another_session_change_nothing(
    firmware: Firmware, seed: int
) -> None:
    dice = random.Random(seed)
    before = firmware.state()
    for _ in range(4 * ROUNDS):
        line = some_request(dice, firmware.made.line.max_payload, OTHER_BOOT)
        if Decoder().feed(line)[0].kind == protocol.HELLO.kind:
            continue  # this would be its session then
        firmware.send(line)
        assert firmware.state() == before


STALE: dict[str, tuple[protocol.Message, Callable[[Firmware], bytes]]] = {
    "step": (protocol.STEP, lambda f: step_payload(f, 1, 0, 0.1)),
    "init": (protocol.INIT, lambda f: struct.pack("<IIII", 2, 0, 0, 1)),
    "write": (protocol.WRITE, lambda f: words(0, 1, 0, bytes(4))),
    "read": (protocol.READ, lambda f: words(0, 1, 0)),
    "digest": (protocol.DIGEST, lambda f: b""),
}
"""What would be obeyed if its session were this one."""


@pytest.mark.parametrize("name", STALE)
def test_another_sessions_frame_is_refused_as_such(
    firmware: Firmware, name: str
) -> None:
    message, payload = STALE[name]
    before = firmware.state()
    reply = firmware.ask(message, payload(firmware), OTHER_BOOT)
    assert (reply.status, reply.payload) == (Status.STALE_BOOT, b"")
    assert firmware.state() == before


@pytest.mark.parametrize("seed", range(4))
def test_any_good_frame_is_survived(firmware: Firmware, seed: int) -> None:
    dice = random.Random(seed)
    for _ in range(10):
        for _ in range(ROUNDS):
            firmware.send(some_request(dice, firmware.made.line.max_payload, BOOT))
        assert firmware.hello().status == Status.OK
    assert firmware.init().status == Status.OK
    assert firmware.step(0).status == Status.OK


REFUSED: dict[str, tuple[protocol.Message, Callable[[Firmware], bytes], Status]] = {
    "no samples": (
        protocol.STEP, lambda f: step_payload(f, 0, 0, 0.1), Status.BAD_PAYLOAD),
    "a sample too many": (
        protocol.STEP, lambda f: step_payload(f, 1, 0, 0.1) + f.sample, Status.BAD_PAYLOAD),
    "a byte too few": (
        protocol.STEP, lambda f: step_payload(f, 2, 0, 0.1)[:-1], Status.BAD_PAYLOAD),
    "no such label": (
        protocol.STEP, lambda f: step_payload(f, 1, f.made.spec.network.n_out, 0.1),
        Status.BAD_PAYLOAD),
    "infinite rate": (
        protocol.STEP, lambda f: step_payload(f, 1, 0, float("inf")), Status.BAD_PAYLOAD),
    "a rate that is no number": (
        protocol.STEP, lambda f: step_payload(f, 1, 0, float("nan")), Status.BAD_PAYLOAD),
    "no resident samples": (
        protocol.STEP_RESIDENT, lambda f: resident_payload(0, 0), Status.BAD_PAYLOAD),
    "a resident sample too many": (
        protocol.STEP_RESIDENT, lambda f: resident_payload(THIN + 1, 0), Status.BAD_PAYLOAD),
    "a place too many": (
        protocol.STEP_RESIDENT, lambda f: resident_payload(2, 0, 1, 2, 3), Status.BAD_PAYLOAD),
    "half a place": (
        protocol.STEP_RESIDENT, lambda f: resident_payload(2, 0, 1, 2)[:-2],
        Status.BAD_PAYLOAD),
    "resident samples at an infinite rate": (
        protocol.STEP_RESIDENT, lambda f: resident_payload(1, 0, eta=float("inf")),
        Status.BAD_PAYLOAD),
    "half a STEP_RESIDENT": (
        protocol.STEP_RESIDENT, lambda f: resident_payload(1, 0)[:-4], Status.BAD_PAYLOAD),
    "a range that begins behind the resident set": (
        protocol.STEP_RESIDENT, lambda f: resident_payload(1, RESIDENT), Status.OUT_OF_BOUNDS),
    "a range that ends behind the resident set": (
        protocol.STEP_RESIDENT, lambda f: resident_payload(2, RESIDENT - 1),
        Status.OUT_OF_BOUNDS),
    "a range that overflows 32 bits": (
        protocol.STEP_RESIDENT, lambda f: resident_payload(2, 2**32 - 1), Status.OUT_OF_BOUNDS),
    "a place behind the resident set": (
        protocol.STEP_RESIDENT, lambda f: resident_payload(2, 0, 0, RESIDENT),
        Status.OUT_OF_BOUNDS),
    "keeping in a slot behind the buffer": (
        protocol.STEP, lambda f: kept_payload(SLOTS, 0, f.sample), Status.OUT_OF_BOUNDS),
    "keeping two samples": (
        protocol.STEP, lambda f: kept_payload(0, 0, f.sample, count=2), Status.BAD_PAYLOAD),
    "keeping no such label": (
        protocol.STEP, lambda f: kept_payload(0, f.made.spec.network.n_out, f.sample),
        Status.BAD_PAYLOAD),
    "rehearsing nothing": (
        protocol.REHEARSE, lambda f: rehearse_payload(), Status.BAD_PAYLOAD),
    "rehearsing too many": (
        protocol.REHEARSE, lambda f: rehearse_payload(0, 0, 0), Status.BAD_PAYLOAD),
    "a slot too many": (
        protocol.REHEARSE, lambda f: rehearse_payload(0, 0, count=1), Status.BAD_PAYLOAD),
    "half a slot": (
        protocol.REHEARSE, lambda f: rehearse_payload(0, 0)[:-1], Status.BAD_PAYLOAD),
    "half a REHEARSE": (
        protocol.REHEARSE, lambda f: rehearse_payload()[:-4], Status.BAD_PAYLOAD),
    "rehearsing at an infinite rate": (
        protocol.REHEARSE, lambda f: rehearse_payload(0, eta=float("inf")),
        Status.BAD_PAYLOAD),
    "keeping what is rehearsed": (
        protocol.REHEARSE, lambda f: rehearse_payload(0, flags=StepFlag.KEEP),
        Status.BAD_PAYLOAD),
    "an empty slot": (
        protocol.REHEARSE, lambda f: rehearse_payload(0), Status.OUT_OF_BOUNDS),
    "a slot behind the buffer, for later": (
        protocol.REHEARSE, lambda f: rehearse_payload(SLOTS, step=1), Status.OUT_OF_BOUNDS),
    "a count that overflows 32 bits": (
        protocol.INFER, lambda f: struct.pack("<I", 0x4000_0000), Status.BAD_PAYLOAD),
    "no such tensor": (
        protocol.READ, lambda f: words(len(f.made.tensors), 1, 0),
        Status.OUT_OF_BOUNDS),
    "a word behind the tensor": (
        protocol.READ, lambda f: words(0, 1, f.made.tensors[0].words),
        Status.OUT_OF_BOUNDS),
    "an offset that overflows with its count": (
        protocol.READ, lambda f: words(0, 2, 2**32 - 1), Status.OUT_OF_BOUNDS),
    "more than there is": (
        protocol.READ, lambda f: words(0, 0xFFFF, 0), Status.OUT_OF_BOUNDS),
    "all of a tensor that no frame holds": (
        protocol.READ, lambda f: words(f.largest.index, f.largest.words, 0),
        Status.OUT_OF_BOUNDS),
    "writing scratch": (
        protocol.WRITE, lambda f: words(len(f.made.state), 1, 0, bytes(4)),
        Status.OUT_OF_BOUNDS),
    "writing behind the tensor": (
        protocol.WRITE, lambda f: words(1, 1, f.made.tensors[1].words, bytes(4)),
        Status.OUT_OF_BOUNDS),
    "a word missing": (
        protocol.WRITE, lambda f: words(0, 2, 0, bytes(4)), Status.BAD_PAYLOAD),
    "half an INIT": (
        protocol.INIT, lambda f: bytes(8), Status.BAD_PAYLOAD),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_changes_nothing(firmware: Firmware, name: str) -> None:
    message, payload, status = REFUSED[name]
    before = firmware.state()
    assert firmware.ask(message, payload(firmware)).status == status
    assert firmware.state() == before


def test_a_step_asked_for_twice_is_learned_once_also_where_numbers_wrap(
    firmware: Firmware,
) -> None:
    first = protocol.NEVER - 1
    firmware.init(first)
    numbers = [first, protocol.NEVER, 0]
    learned = [firmware.step(number) for number in numbers]
    assert [frame.status for frame in learned] == [Status.OK] * 3
    state = firmware.state()
    again = [firmware.step(number) for number in numbers]
    assert [frame.status for frame in again] == [Status.REPLAYED] * 3
    assert [frame.payload for frame in again] == [frame.payload for frame in learned]
    assert firmware.state() == state


def test_resident_steps_asked_for_twice_are_learned_once(firmware: Firmware) -> None:
    learned = [firmware.step_resident(0, THIN), firmware.step_resident(THIN, 2, 4)]
    assert [frame.status for frame in learned] == [Status.OK] * 2
    state = firmware.state()
    again = [firmware.step_resident(0, THIN), firmware.step_resident(THIN, 2, 4)]
    assert [frame.status for frame in again] == [Status.REPLAYED] * 2
    assert [frame.payload for frame in again] == [frame.payload for frame in learned]
    assert firmware.state() == state


def test_a_kept_reply_answers_its_own_kind_of_request_only(firmware: Firmware) -> None:
    assert firmware.step(0).status == Status.OK
    assert firmware.step_resident(0).status == Status.OUT_OF_STEP
    assert firmware.step_resident(1).status == Status.OK
    assert firmware.step(1).status == Status.OUT_OF_STEP


LEARNED: dict[str, tuple[protocol.Message, Callable[[Firmware], bytes]]] = {
    "step": (protocol.STEP, lambda f: step_payload(f, 1, 0, 0.1, step=1)),
    "resident": (protocol.STEP_RESIDENT, lambda f: resident_payload(2, 0, step=1)),
    "kept": (protocol.STEP, lambda f: kept_payload(1, 0, f.sample, step=1)),
    "rehearsed": (protocol.REHEARSE, lambda f: rehearse_payload(0, step=1)),
    "committed": (protocol.COMMIT, lambda f: struct.pack("<I", 1)),
}
"""What asks for step 1 and has a kept reply from then on."""


@pytest.mark.parametrize("name", LEARNED)
def test_no_reply_outlives_its_session(firmware: Firmware, name: str) -> None:
    """A HELLO that is sent again keeps the session and its replies; another nonce ends
    them, though state and step stay."""
    message, payload = LEARNED[name]
    assert firmware.keep(0, 0).status == Status.OK
    asked = payload(firmware)
    assert firmware.ask(message, asked).status == Status.OK
    if message is protocol.COMMIT:  # asks for the step that comes next
        assert firmware.step(1).status == Status.OK
    state = firmware.state()
    assert firmware.ask(message, asked).status == Status.REPLAYED
    assert firmware.hello().status == Status.OK
    assert firmware.ask(message, asked).status == Status.REPLAYED
    assert firmware.hello(OTHER_BOOT).status == Status.OK
    assert firmware.ask(message, asked, OTHER_BOOT).status == Status.OUT_OF_STEP
    assert firmware.ask(protocol.DIGEST, boot=OTHER_BOOT).payload == state


def test_a_kept_reply_answers_for_its_own_steps_only(firmware: Firmware) -> None:
    assert firmware.step(0, count=2).status == Status.OK
    assert firmware.step(0).status == Status.OUT_OF_STEP
    assert firmware.step(1).status == Status.OUT_OF_STEP
    assert firmware.step(0, count=2).status == Status.REPLAYED


def test_a_resident_sample_teaches_as_one_that_is_sent(firmware: Firmware) -> None:
    for step in range(THIN):
        sent = firmware.step(step, label=step % 2)
    state = firmware.state()
    firmware.init()
    resident = firmware.step_resident(0, THIN)
    assert firmware.state() == state
    assert sent.payload[8:] == resident.payload[16:]


def test_what_is_kept_teaches_as_it_did_when_it_was_sent(firmware: Firmware) -> None:
    """Two samples that differ, each learned again from its own slot."""
    one, two = (bytes(n % 64 for n in range(at, at + len(firmware.sample)))
                for at in (0, 9))  # fmt: skip
    for step, (label, sample) in enumerate([(0, one), (1, two), (0, one), (1, two)]):
        sent = firmware.keep(step, label, label, sample)
    state = firmware.state()
    firmware.init()
    firmware.keep(0, 1, 0, one)
    firmware.keep(1, 0, 1, two)
    assert (
        firmware.rehearse(2, 1, 0).payload[-len(sent.payload) + 8 :] == sent.payload[8:]
    )
    assert firmware.state() == state


def test_what_is_rehearsed_twice_is_learned_once(firmware: Firmware) -> None:
    """Also when its slot has another sample by now, which a repeated STEP, as its
    reply is kept, does not take back."""
    one, two = firmware.sample, bytes(len(firmware.sample) - 1) + b"\1"
    kept = [firmware.keep(0, 0, 0, one), firmware.rehearse(1, 0)]
    kept.append(firmware.keep(2, 0, 1, two))
    assert [frame.status for frame in kept] == [Status.OK] * 3
    state = firmware.state()
    again = [firmware.keep(0, 0, 0, one), firmware.rehearse(1, 0)]
    assert [frame.status for frame in again] == [Status.REPLAYED] * 2
    assert [frame.payload for frame in again] == [frame.payload for frame in kept[:2]]
    assert firmware.state() == state
    rehearsed = firmware.rehearse(3, 0)
    firmware.init()
    for step, (label, sample) in enumerate([(0, one), (0, one), (1, two), (1, two)]):
        sent = firmware.keep(step, 0, label, sample)
    assert rehearsed.payload[8:] == sent.payload[8:]


def test_what_waits_for_a_lost_step_is_out_of_step_and_not_empty(
    firmware: Firmware,
) -> None:
    assert firmware.rehearse(1, 0).status == Status.OUT_OF_STEP
    assert firmware.keep(0, 0).status == Status.OK
    assert firmware.rehearse(1, 0).status == Status.OK
    assert firmware.rehearse(2, 1).status == Status.OUT_OF_BOUNDS


def test_no_sample_outlives_an_init(firmware: Firmware) -> None:
    assert firmware.keep(0, 0).status == Status.OK
    firmware.init(step=1, flags=protocol.InitFlag.KEEP_STATE)
    assert firmware.rehearse(1, 0).status == Status.OUT_OF_BOUNDS


@pytest.mark.parametrize("label", [0, 1])
def test_of_equal_outputs_the_first_is_the_prediction(
    firmware: Firmware, label: int
) -> None:
    """A fresh network makes the same of every output where all inputs are zero."""
    reply = firmware.step_resident(0, first=label)
    assert protocol.STEP_RESIDENT.reply
    fields, tail = protocol.STEP_RESIDENT.reply.unpack(reply.payload)
    outputs = struct.unpack_from(f"<{firmware.made.spec.network.n_out}f", tail, 8)
    assert len(set(outputs)) == 1
    assert fields["right"] == (label == 0)


def test_no_reply_outlives_an_init(firmware: Firmware) -> None:
    """Steps 0 and 1 have kept replies; the network that begins anew at step 2 has not
    learned them."""
    for number in (0, 1):
        assert firmware.step(number).status == Status.OK
    firmware.init(step=2)
    for number in (0, 1):
        reply = firmware.step(number)
        assert (reply.status, reply.payload) == (
            Status.OUT_OF_STEP,
            struct.pack("<I", 2),
        )


def test_no_reply_outlives_a_session(firmware: Firmware) -> None:
    """The same steps, asked for by whoever opens the next one."""
    for number in (0, 1):
        assert firmware.step(number).status == Status.OK
    firmware.hello(OTHER_BOOT)
    firmware.hello()
    asked = (firmware.step(number).status for number in (0, 1))
    assert list(asked) == [Status.OUT_OF_STEP] * 2


def test_a_reply_that_comes_back_is_not_answered(firmware: Firmware) -> None:
    for message in protocol.MESSAGES:
        firmware.send(encode(message.kind | protocol.REPLY, 0, 0x8000, BOOT, b""))
    firmware.state()
    assert not firmware.unsolicited


@pytest.mark.parametrize("ask", ["infer", "step", "step_resident", "rehearse"])
def test_after_a_fault_nothing_is_learned_until_init(
    firmware: Firmware, ask: str
) -> None:
    bias = firmware.made.tensor("b1").index

    def write(value: bytes) -> None:
        payload = words(bias, 1, 0, value)
        assert firmware.ask(protocol.WRITE, payload).status == Status.OK

    assert firmware.keep(0, 0).status == Status.OK
    before = firmware.state()
    value = firmware.ask(protocol.READ, words(bias, 1, 0)).payload[8:]
    write(struct.pack("<f", float("inf")))
    one = struct.pack("<I", 1) + firmware.sample
    reply = {
        "infer": lambda: firmware.ask(protocol.INFER, one),
        "step": lambda: firmware.step(1),
        "step_resident": lambda: firmware.step_resident(1),
        "rehearse": lambda: firmware.rehearse(1, 0),
    }[ask]()
    assert reply.status == Status.FAULTED
    (fault,) = firmware.unsolicited
    assert protocol.FAULT.reply
    assert protocol.FAULT.reply.unpack(fault.payload)[0] == {
        "cause": protocol.Cause.NON_FINITE,
        "step": protocol.NEVER if ask == "infer" else 1,
        "pc": 0,
        "address": firmware.made.tensor("h1").index,
    }
    write(value)
    assert firmware.state() == before
    assert firmware.step(1).status == Status.FAULTED
    assert firmware.state() == before
    assert firmware.init().status == Status.OK
    assert firmware.step(0).status == Status.OK
