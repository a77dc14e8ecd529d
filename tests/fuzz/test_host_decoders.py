"""The host's decoders on any bytes at all, and the C decoder beside them.

`--hypothesis-profile=fuzz` looks longer (make fuzz).

More than 400 lines because whatever decodes foreign bytes is tried in it.
"""

from __future__ import annotations

import ctypes
import itertools
import os
import random
import struct
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import targets
from codegen import protocol
from codegen.protocol import CRC_BYTES, HEADER, REPLY, Field, Layout, Message, Status
from codegen.rendering.render import FIRMWARE, render_protocol
from hil.device import replies
from hil.device.device import Device
from hil.device.greeting import Greeting
from hil.device.link import frame as frames
from hil.device.link.frame import KEPT, LONGEST, Decoder, Frame, encode
from hil.device.replies import Asked
from hil.errors import FirmwareMismatch, HilError, LineClosed, LinkError

from .conftest import BRIEF, HERE, PLANS

PLAN = PLANS["dfa"]
LIMITS = targets.load("host").limits
DIGEST = "5a" * 32
PIECES = 100
"""Frames and other pieces of one long line."""
CAPACITY = 300
"""Bytes of the C decoder's buffer: header, payload and CRC."""

# -- frames --------------------------------------------------------------------

bytes_of_cobs = st.lists(st.sampled_from([0, 1, 2, 3, 254, 255]), max_size=300).map(
    bytes
)
payloads = st.one_of(
    st.binary(max_size=CAPACITY),
    st.sampled_from([0, 241, 242, 243, 285, 288, 289, 508]).map(lambda n: b"a" * n),
    st.integers(0, CAPACITY).map(lambda n: b"\0" * n),
)
whole = st.builds(
    encode,
    st.integers(0, 255), st.integers(0, 255), st.integers(0, 0xFFFF),
    st.integers(0, 0xFFFFFFFF), payloads,
)  # fmt: skip


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A frame that lost, gained or changed a byte or its end."""
    line = bytearray(draw(whole))
    place = draw(st.integers(0, len(line) - 1))
    line[place : place + draw(st.integers(0, 2))] = draw(st.binary(max_size=2))
    return bytes(line[: draw(st.integers(0, len(line)))])


lines = st.lists(
    st.one_of(whole, damaged(), bytes_of_cobs, st.binary(max_size=80)), max_size=12
).map(b"".join)


def cut(line: bytes, places: list[int]) -> list[bytes]:
    """`line` in pieces."""
    edges = [0, *sorted(place % (len(line) + 1) for place in places), len(line)]
    return [line[a:b] for a, b in itertools.pairwise(edges)]


def held(decoder: Decoder) -> int:
    """Bytes of the line that the decoder still has: what may become a frame, and the
    latest `KEPT` that became none, twice: to be shown in a failure, and to be told."""
    return sum(len(v) for v in vars(decoder).values() if isinstance(v, bytearray))


@given(lines, st.lists(st.integers(0, 10**5), max_size=12), st.integers(20, 400))
@example(b"\0" + b"x" * 60 + encode(1, 0, 2, 3, b"tail")[1:], [61], 50)
@example(b"\0" + b"x" * 60 + b"\0", [30], 50)
@example((b"\0" + b"x" * 19) * 300, [3000], 20)
def test_how_a_line_is_cut_makes_no_difference(
    line: bytes, places: list[int], longest: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(frames, "LONGEST", longest)
        once, often = Decoder(), Decoder()
        found = []
        for part in cut(line, places):
            found += often.feed(part)
            assert held(often) <= longest + 2 * KEPT
        assert (once.feed(line), once.damaged) == (found, often.damaged)


@given(st.lists(st.integers(1, 2 * LONGEST), min_size=1, max_size=4))
def test_a_line_without_delimiters_is_not_kept(sizes: list[int]) -> None:
    decoder = Decoder()
    for size in sizes:
        assert decoder.feed(b"\x55" * size) == []
        assert held(decoder) <= LONGEST + 2 * KEPT
        assert len(decoder.stray) <= KEPT


# -- against the C decoder -----------------------------------------------------


@pytest.fixture(scope="session")
def codec(tmp_path_factory: pytest.TempPathFactory, host_cc: str) -> ctypes.CDLL:
    """The firmware's codec as a library of this process."""
    folder = tmp_path_factory.mktemp("collect")
    (folder / "hil_protocol.h").write_text(render_protocol())
    library = folder / "collect.so"
    subprocess.run(
        [host_cc, "-std=c11", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC",
         f"-I{folder}", f"-I{FIRMWARE / 'include'}",
         str(FIRMWARE / "src" / "hil_frame.c"), str(HERE / "collect.c"),
         "-o", str(library)],
        check=True,
    )  # fmt: skip
    found = ctypes.CDLL(str(library))
    found.collect.restype = found.frame.restype = ctypes.c_size_t
    return found


def through_c(codec: ctypes.CDLL, line: bytes) -> tuple[list[Frame], int]:
    """Frames that the C decoder finds, and how much it calls damaged."""
    buffer = ctypes.create_string_buffer(CAPACITY)
    bodies = ctypes.create_string_buffer(4 * len(line) + 1)
    damage = ctypes.c_uint32()
    size = codec.collect(
        line, ctypes.c_size_t(len(line)), buffer, ctypes.c_size_t(CAPACITY),
        bodies, ctypes.byref(damage),
    )  # fmt: skip
    return list(_bodies(bodies.raw[:size])), damage.value


def _bodies(raw: bytes) -> Iterator[Frame]:
    at = 0
    while at < len(raw):
        (size,) = struct.unpack_from("<I", raw, at)
        body = raw[at + 4 : at + 4 + size]
        yield Frame(*HEADER.unpack_from(body), body[HEADER.size :])
        at += 4 + size


@given(lines)
def test_c_and_python_find_the_same_frames_and_the_same_damage(
    codec: ctypes.CDLL, line: bytes
) -> None:
    assert_same(codec, line)


def assert_same(codec: ctypes.CDLL, line: bytes) -> None:
    """Both decoders find the same in `line`, as far as C has room for it."""
    line = b"\0" + line + b"\0"
    decoder = Decoder()
    everything = decoder.feed(line)
    room = CAPACITY - HEADER.size - CRC_BYTES
    fitting = [frame for frame in everything if len(frame.payload) <= room]
    too_long = len(everything) - len(fitting)
    assert through_c(codec, line) == (fitting, decoder.damaged + too_long)


def some_piece(dice: random.Random) -> bytes:
    """A frame, a frame that has suffered, or bytes of no origin."""
    size = dice.choice((0, 1, 3, 4, 241, 242, 243, 288, 289, dice.randrange(320)))
    few = bytes(dice.choice((0, 1, 2, 254, 255)) for _ in range(size))
    payload = dice.choice((few, dice.randbytes(size), bytes(size), b"x" * size))
    kind, status, boot = dice.randrange(256), dice.randrange(256), dice.getrandbits(32)
    fate = dice.randrange(4)
    if fate == 0:
        return payload
    line = bytearray(encode(kind, status, dice.randrange(1 << 16), boot, payload))
    if fate == 1:
        line[dice.randrange(len(line))] = dice.randrange(256)
    elif fate == 2:
        del line[dice.randrange(len(line)) :]
    return bytes(line)


def test_c_and_python_agree_on_a_long_line(codec: ctypes.CDLL) -> None:
    dice = random.Random(1)
    total = int(os.environ.get("HIL_FUZZ_RUNS", BRIEF)) // 20
    for _ in range(total // PIECES):
        line = b"".join(some_piece(dice) for _ in range(PIECES))
        assert_same(codec, line)


@given(whole)
def test_c_sends_the_bytes_that_python_sends(codec: ctypes.CDLL, line: bytes) -> None:
    (sent,) = Decoder().feed(line)
    body = HEADER.pack(*sent[:4]) + sent.payload
    copy = ctypes.create_string_buffer(body, len(body) + CRC_BYTES)
    made = ctypes.create_string_buffer(len(line) + 8)
    size = codec.frame(copy, ctypes.c_size_t(len(body)), made)
    assert made.raw[:size] == line


# -- payloads ------------------------------------------------------------------


def _values(field: Field) -> st.SearchStrategy[object]:
    """A field's values, those that often mean something among them."""
    if field.code == "s":
        return st.binary(min_size=field.count, max_size=field.count)
    if field.code == "f":
        return st.floats(width=32)
    most = 256**field.size - 1
    return st.one_of(st.integers(0, min(4, most)), st.integers(0, most))


def payload_of(layout: Layout) -> st.SearchStrategy[bytes]:
    """Payloads of that layout, or almost, or not at all."""
    tails = st.one_of(
        st.integers(0, 40).map(lambda words: bytes(4 * words)), st.binary(max_size=64)
    )
    fields = st.tuples(*map(_values, layout.fields))
    good = st.builds(lambda v, tail: layout.pack(*v, tail=tail), fields, tails)
    bare = fields.map(lambda v: layout.pack(*v))
    return st.one_of(good, bare, st.binary(max_size=150))


def one(message: Message) -> Asked:
    """A request of step 0."""
    return Asked(message, {"step": 0, "count": 1, "flags": 0})


TAKEN: list[tuple[Message, Callable[[bytes], object]]] = [
    (protocol.HELLO, Greeting.of),
    (protocol.STEP, lambda p: replies.step_results(one(protocol.STEP), p, PLAN)),
    (
        protocol.STEP_RESIDENT,
        lambda p: replies.resident_result(one(protocol.STEP_RESIDENT), p, PLAN),
    ),
    (protocol.TELEMETRY, replies.telemetry),
    (protocol.FAULT, lambda p: replies.fault(p, PLAN)),
]


@pytest.mark.parametrize(("message", "take"), TAKEN, ids=[m.name for m, _ in TAKEN])
@given(data=st.data())
def test_a_payload_is_understood_or_refused_with_a_sentence(
    data: st.DataObject, message: Message, take: Callable[[bytes], object]
) -> None:
    assert message.reply is not None
    payload = data.draw(payload_of(message.reply))
    try:
        take(payload)
    except ValueError as error:
        assert str(error)


LAYOUTS = [
    (f"{message.name} {what}", layout)
    for message in protocol.MESSAGES
    for what, layout in (("request", message.request), ("reply", message.reply))
    if layout is not None
]


@pytest.mark.parametrize("layout", [v for _, v in LAYOUTS], ids=[n for n, _ in LAYOUTS])
@given(data=st.data())
def test_a_layout_takes_what_it_packs_and_only_that(
    data: st.DataObject, layout: Layout
) -> None:
    payload = data.draw(payload_of(layout))
    fits = len(payload) == layout.size or (layout.tail and len(payload) > layout.size)
    try:
        values, tail = layout.unpack(payload)
    except ValueError:
        assert not fits
    else:
        assert fits
        assert len(layout.pack(*values.values(), tail=tail)) == len(payload)


# -- a device that says what it likes ------------------------------------------


class FalseDevice:
    """A channel whose far end answers by a script: (status, payload) for each
    request in turn, or bytes as they are. At its end the line is closed."""

    url = "false://"
    received = 0

    def __init__(self) -> None:
        self.script: list[tuple[int, bytes] | bytes] = []
        self._decoder = Decoder()
        self._inbox = b""

    def send(self, data: bytes) -> None:
        for asked in self._decoder.feed(data):
            if self.script:
                said = self.script.pop(0)
                self._inbox += said if isinstance(said, bytes) else encode(
                    asked.kind | REPLY, said[0], asked.seq, asked.boot, said[1]
                )  # fmt: skip

    def pump(self, limit: float) -> bytes:
        data, self._inbox = self._inbox, b""
        if not data:
            raise LineClosed("the line false:// is closed")
        return data

    def require_alive(self) -> None:
        pass


def greeting(**other: object) -> bytes:
    """A HELLO reply that is the right one but for `other`."""
    assert protocol.HELLO.reply is not None
    line, target = PLAN.line, PLAN.target
    values: dict[str, Any] = {
        "protocol_min": protocol.VERSION, "protocol_max": protocol.VERSION, "reset_cause": 0, "harts": 1, "vlen": 0,
        "max_payload": line.max_payload, "window": line.window,
        "step": protocol.NEVER, "committed_step": protocol.NEVER,
        "digest": bytes.fromhex(DIGEST)[:16], "target": target.name.encode(),
        "isa": target.isa.encode(), "goal": protocol.Goal.LABEL, "target_bytes": 2,
    } | other  # fmt: skip
    names = [field.name for field in protocol.HELLO.reply.fields]
    return protocol.HELLO.reply.pack(*(values[name] for name in names))


def ready(channel: FalseDevice) -> Device:
    """A device in READY, on a channel whose script is empty."""
    assert protocol.INIT.reply is not None
    device = Device(channel, PLAN, LIMITS)  # type: ignore[arg-type]
    channel.script = [(0, greeting()), (0, protocol.INIT.reply.pack(0, 0, device._run))]
    device.hello(DIGEST, 0, 1.0)
    device.init(1)
    return device


SAMPLE = bytes(PLAN.spec.network.n_in)


def _learn(device: Device) -> None:
    device.post_steps(0, np.float32(0.1), [(0, SAMPLE)])
    device.take_steps(1.0)


def _learn_resident(device: Device) -> None:
    device.post_resident(0, np.float32(0.1), np.arange(2))
    device.take_steps(1.0)


def _rehearse(device: Device) -> None:
    device.post_rehearsal(0, np.float32(0.1), [0])
    device.take_steps(1.0)


def _read(device: Device) -> None:
    for tensor in PLAN.state:
        assert device.read(tensor).shape == tensor.shape


def _infer(device: Device) -> None:
    told = device.infer([SAMPLE] * 3)
    assert told.shape == (3, PLAN.spec.network.n_out)


ASKED: list[tuple[Message, Callable[[Device], object]]] = [
    (protocol.INIT, lambda device: device.init(1)),
    (protocol.STEP, _learn),
    (protocol.STEP_RESIDENT, _learn_resident),
    (protocol.REHEARSE, _rehearse),
    (protocol.READ, _read),
    (protocol.WRITE, lambda d: d.write(PLAN.state[0], np.zeros(PLAN.state[0].shape))),
    (protocol.INFER, _infer),
    (protocol.DIGEST, lambda device: device.digest()),
    (protocol.ECHO, lambda device: list(device.echo([b"a", b"b"]))),
    (protocol.LEAVE, lambda device: device.leave()),
]


def said_to(message: Message) -> st.SearchStrategy[tuple[int, bytes] | bytes]:
    """What a false device may say when it is asked `message`."""
    assert message.reply is not None
    reply = st.tuples(
        st.one_of(st.sampled_from([0, 0, 1, *Status]), st.integers(0, 255)),
        payload_of(message.reply),
    )
    unsolicited = st.one_of(
        st.builds(
            lambda m, p: encode(m.kind, 0, 0, 0, p),
            st.sampled_from([protocol.TELEMETRY, protocol.FAULT]),
            st.binary(max_size=40),
        ),
        lines,
    )
    return st.one_of(reply, reply, reply, unsolicited)


@pytest.mark.parametrize(("message", "ask"), ASKED, ids=[m.name for m, _ in ASKED])
@given(data=st.data())
def test_whatever_a_device_says_ends_in_a_result_or_a_known_error(
    data: st.DataObject, message: Message, ask: Callable[[Device], object]
) -> None:
    channel = FalseDevice()
    device = ready(channel)
    channel.script = data.draw(st.lists(said_to(message), max_size=6))
    try:
        ask(device)
    except HilError as error:
        assert str(error)


def _reply(message: Message, *values: object, tail: bytes = b"") -> bytes:
    assert message.reply is not None
    return message.reply.pack(*values, tail=tail)


MALFORMED: dict[str, tuple[Message, tuple[int, bytes]]] = {
    "half a word": (protocol.READ, (0, _reply(protocol.READ, 0, 1, 0, tail=b"ab"))),
    "no words": (protocol.READ, (0, _reply(protocol.READ, 0, 0, 0))),
    "outputs of fewer samples": (protocol.INFER, (0, _reply(protocol.INFER, 0))),
    "another count than outputs": (
        protocol.INFER, (0, _reply(protocol.INFER, 3, tail=bytes(4)))),
    "results of no step": (protocol.STEP, (0, _reply(protocol.STEP, 0, 0, 1, 0))),
    "no step in OUT_OF_STEP": (protocol.STEP, (Status.OUT_OF_STEP, b"")),
    "too much in OUT_OF_STEP": (protocol.WRITE, (Status.OUT_OF_STEP, bytes(5))),
}  # fmt: skip


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_reply_is_called_malformed(name: str) -> None:
    message, said = MALFORMED[name]
    channel = FalseDevice()
    device = ready(channel)
    channel.script = [said]
    ask = next(ask for asked, ask in ASKED if asked is message)
    with pytest.raises(LinkError, match="malformed"):
        ask(device)


@pytest.mark.parametrize(
    "other",
    [{"max_payload": 8}, {"window": 0}, {"goal": 2}, {"target_bytes": 0}],
    ids=str,
)
def test_sizes_that_are_not_the_builds_are_refused(other: dict[str, object]) -> None:
    channel = FalseDevice()
    channel.script = [(0, greeting(**other))]
    with pytest.raises(FirmwareMismatch, match="but its build"):
        Device(channel, PLAN, LIMITS).hello(DIGEST, 0, 1.0)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "other", [{"target": b"other"}, {"isa": b"other"}, {"harts": 2}], ids=str
)
def test_another_target_is_refused(other: dict[str, object]) -> None:
    channel = FalseDevice()
    channel.script = [(0, greeting(**other))]
    with pytest.raises(FirmwareMismatch, match=r"the device says (that )?it is"):
        Device(channel, PLAN, LIMITS).hello(DIGEST, 0, 1.0)  # type: ignore[arg-type]


@given(
    st.one_of(
        said_to(protocol.HELLO),
        st.fixed_dictionaries(
            {}, optional={"max_payload": st.integers(0, 65535), "window": st.integers(0, 9)}
        ).map(lambda other: (0, greeting(**other))),
    )
)  # fmt: skip
def test_whatever_a_device_says_of_itself_it_can_be_worked_with_or_is_refused(
    said: tuple[int, bytes] | bytes,
) -> None:
    channel = FalseDevice()
    device = Device(channel, PLAN, LIMITS)  # type: ignore[arg-type]
    channel.script = [said]
    try:
        device.hello(DIGEST, 0, 1.0)
        assert protocol.INIT.reply is not None
        channel.script = [(0, protocol.INIT.reply.pack(0, 0, device._run))]
        device.init(1)
        _read(device)
    except HilError as error:
        assert str(error)
