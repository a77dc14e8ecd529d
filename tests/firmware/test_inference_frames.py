"""An imported model's firmware, spoken to frame by frame: what it refuses, what comes too
late, and that an inference is done once."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import targets
from codegen import protocol
from codegen.building import toolchain
from codegen.graph.description import Graph, Operator, Tensor
from codegen.planning.imported import graph_plan
from codegen.protocol import Message, Status
from codegen.rendering.imported import render_graph
from tests.firmware.conftest import CHECKS, FLASH, require_well
from tests.firmware.process import Process, words

ELEMENTS = 300
"""Of the input and the output: more than a frame holds."""
PART = 100
"""Elements of one frame."""
IN, OUT, NEITHER = range(3)
NONE = struct.pack("<I", 0)
"""An INFER of no samples."""


def model() -> Graph:
    """RELU of one tensor."""
    x, y = (Tensor(k, name, (1, ELEMENTS), "f32") for k, name in enumerate("xy"))
    return Graph(0, (x, y), (Operator(0, "RELU", 1, (x,), (y,)),), (x,), (y,))


class Inferring(Process):
    """It infers."""

    def state(self) -> bytes:
        """The first words of input and output."""
        return self.read(IN) + self.read(OUT)

    def read(self, tensor: int) -> bytes:
        """A tensor's first words."""
        reply = self.ask(protocol.READ, words(tensor, PART, 0))
        return reply.payload[len(words(0, 0, 0)) :]

    def init(self, flags: int = 0, seq: int | None = None) -> Status:
        payload = struct.pack("<IIII", 1, 0, flags, 1)
        return Status(self.ask(protocol.INIT, payload, seq=seq).status)

    def write(self, value: float, seq: int | None = None) -> Status:
        """Its first inputs are all this."""
        return Status(self.ask(protocol.WRITE, written(value), seq=seq).status)

    def infer(self, seq: int | None = None) -> Status:
        return Status(self.ask(protocol.INFER, NONE, seq=seq).status)

    def outputs(self) -> set[float]:
        """What its first outputs are."""
        return set(struct.unpack(f"<{PART}f", self.read(OUT)))


def written(value: float) -> bytes:
    """What a WRITE of the first inputs says."""
    return words(IN, PART, 0, struct.pack("<f", value) * PART)


@pytest.fixture(scope="module")
def image(host_cc: str) -> str:
    host = targets.load("host")
    files = render_graph(graph_plan("relu", model(), host))
    return str(toolchain.build(files, toolchain.find(host), extra=CHECKS).path)


@pytest.fixture
def boot(image: str, tmp_path: Path) -> Iterator[Callable[..., Inferring]]:
    """Starts it once, perhaps with a library loaded before others, and greets it."""
    started: list[Inferring] = []

    def start(preload: Path | None = None) -> Inferring:
        started.append(Inferring(image, tmp_path / FLASH, preload))
        assert started[-1].hello().status == Status.OK
        return started[-1]

    yield start
    for one in started:
        require_well(one)


@pytest.fixture
def device(boot: Callable[..., Inferring]) -> Inferring:
    """One that has been initialised."""
    one = boot()
    assert one.init() == Status.OK
    return one


def test_it_infers_what_was_written(device: Inferring) -> None:
    for value in (2.0, -3.0):
        assert (device.write(value), device.infer()) == (Status.OK, Status.OK)
        assert device.outputs() == {max(value, 0.0)}


def test_before_init_it_is_not_ready(boot: Callable[..., Inferring]) -> None:
    assert boot().infer() == Status.NOT_READY


def test_it_expects_no_step(device: Inferring) -> None:
    assert protocol.PING.reply is not None
    told, _ = protocol.PING.reply.unpack(device.ask(protocol.PING).payload)
    assert told["step"] == protocol.NEVER


def test_no_state_is_gone_on_with(device: Inferring) -> None:
    assert device.init(flags=1) == Status.NO_STORAGE


@pytest.mark.parametrize(
    ("message", "payload", "status"),
    [
        (protocol.READ, words(NEITHER, 1, 0), Status.OUT_OF_BOUNDS),
        (protocol.READ, words(OUT, 0, ELEMENTS + 1), Status.OUT_OF_BOUNDS),
        (protocol.READ, words(OUT, 2, ELEMENTS - 1), Status.OUT_OF_BOUNDS),
        (protocol.READ, words(OUT, ELEMENTS, 0), Status.OUT_OF_BOUNDS),
        (protocol.WRITE, words(NEITHER, 1, 0, bytes(4)), Status.OUT_OF_BOUNDS),
        (protocol.WRITE, words(OUT, 1, 0, bytes(4)), Status.OUT_OF_BOUNDS),
        (protocol.WRITE, words(IN, 1, ELEMENTS, bytes(4)), Status.OUT_OF_BOUNDS),
        (protocol.WRITE, words(IN, 2, 0, bytes(4)), Status.BAD_PAYLOAD),
        (protocol.INFER, struct.pack("<I", 1), Status.BAD_PAYLOAD),
        (protocol.INFER, NONE + bytes(4), Status.BAD_PAYLOAD),
        (protocol.DIGEST, b"", Status.UNKNOWN_KIND),
    ],
)
def test_what_it_cannot_do_is_refused_and_changes_nothing(
    device: Inferring, message: Message, payload: bytes, status: Status
) -> None:
    device.write(2.0)
    device.infer()
    assert device.ask(message, payload).status == status
    assert device.outputs() == {2.0}


@pytest.mark.parametrize(
    ("message", "payload"),
    [
        (protocol.INIT, struct.pack("<IIII", 1, 0, 0, 1)),
        (protocol.WRITE, written(5.0)),
        (protocol.INFER, NONE),
    ],
    ids=lambda one: one.name if isinstance(one, Message) else "",
)
def test_what_was_sent_before_the_last_init_or_inference_is_met_with_silence(
    device: Inferring, message: Message, payload: bytes
) -> None:
    assert device.init(seq=100) == Status.OK
    assert device.is_silent_to(message, payload, seq=99)
    assert device.write(2.0, seq=200) == Status.OK
    assert device.infer(seq=201) == Status.OK
    assert device.is_silent_to(message, payload, seq=150)


def test_an_inference_that_is_asked_for_again_is_done_once(device: Inferring) -> None:
    """Its inputs may be gone: here others have come meanwhile."""
    device.write(2.0, seq=200)
    device.infer(seq=201)
    device.write(-7.0, seq=202)
    before = device.state()
    assert device.infer(seq=201) == Status.OK
    assert device.state() == before
    assert device.infer(seq=203) == Status.OK
    assert device.outputs() == {0.0}


def test_other_arithmetic_is_told_and_nothing_is_inferred(
    boot: Callable[..., Inferring], disturbed: Callable[[str], Path]
) -> None:
    one = boot(disturbed("upward"))
    assert one.init() == Status.FAULTED
    (fault,) = one.unsolicited
    assert protocol.FAULT.reply is not None
    told, _ = protocol.FAULT.reply.unpack(fault.payload)
    assert told["cause"] == protocol.Cause.ARITHMETIC
    assert one.infer() == Status.NOT_READY
