"""A sample that comes in parts: the firmware puts it together in order, learns from it
what it would from the whole, and never from bytes that are not there."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import targets
from codegen import protocol
from codegen.building import toolchain
from codegen.planning.plan import plan
from codegen.planning.planned import Plan
from codegen.protocol import NEVER, Status, StepFlag
from codegen.raster import UNUSED, Events
from codegen.reference.learner import Learner
from codegen.rendering.render import render
from codegen.spec import Inputs, Network, RuleChoice, Spec
from hil.device.link.frame import Frame, encode
from tests.firmware.conftest import CHECKS, FLASH, initialised
from tests.firmware.process import BOOT, OTHER_BOOT, Firmware

CHUNK = 7
"""Bytes of a part, unless said."""
MOST = 18
"""The longest: a whole sample of the first kind."""
SPECS = {
    "u8": Spec(Network((18, 7, 3)), inputs=Inputs("u8", 64.0)),
    "events": Spec(
        Network((5, 7, 3), "identity"),
        RuleChoice("ottt", {"encoding": "events", "ticks": 4}),
        Inputs("u16", 1.0, front=Events(4, 5, 5)), format="i8",
    ),
}  # fmt: skip
LISTED = np.uint16([(0, 1), (0, 4), (2, 0), (3, 3), (UNUSED, UNUSED)]).reshape(-1)
X = {
    "u8": np.random.default_rng(3).integers(0, 64, (24, 18), np.uint8),
    "events": np.stack([LISTED, LISTED, LISTED]),
}
ETA = np.float32(0.25)
LABEL = struct.pack("<H", 1)


@pytest.fixture(scope="module")
def built(host_cc: str) -> dict[str, tuple[str, Plan]]:
    """Image and plan of each, under the checks."""
    host, found = targets.load("host"), {}
    for name, spec in SPECS.items():
        made = plan(spec, host, window=1, samples=1, chunk=MOST)
        image = toolchain.build(render(made), toolchain.find(host), extra=CHECKS)
        found[name] = str(image.path), made
    return found


@pytest.fixture
def firmware(built: dict[str, tuple[str, Plan]], tmp_path: Path) -> Iterator[Firmware]:
    """Of samples of 18 bytes."""
    with initialised(*built["u8"], tmp_path / FLASH) as one:
        yield one


def part(
    firmware: Firmware, step: int, offset: int, data: bytes, seq: int | None = None
) -> Frame:
    """Ask to put these bytes into the sample."""
    return firmware.ask(protocol.PART, struct.pack("<II", step, offset) + data, seq=seq)


def send(firmware: Firmware, step: int, data: bytes, each: int = CHUNK) -> None:
    """A whole sample, part by part."""
    for at in range(0, len(data), each):
        told = part(firmware, step, at, data[at : at + each])
        assert (told.status, told.payload) == (Status.OK, struct.pack("<II", step, at))


def step_payload(step: int, tail: bytes = LABEL, count: int = 1) -> bytes:
    return struct.pack("<IBBHf", step, StepFlag.DIGEST, count, 0, ETA) + tail


def learn(firmware: Firmware, step: int) -> Frame:
    """Ask to learn from the sample that came."""
    return firmware.ask(protocol.STEP, step_payload(step))


def expected(name: str, steps: int) -> list[bytes]:
    """What the replies to these steps tell, by the reference."""
    learner, told = Learner(SPECS[name]), []
    for step in range(steps):
        result = learner.step(X[name][step], 1, ETA)
        head = struct.pack("<fI", result.loss, learner.digest())
        told.append(head + result.p.astype("<f4").tobytes())
    return told


def is_out_of_step(told: Frame, step: int = 0) -> bool:
    return (told.status, told.payload) == (Status.OUT_OF_STEP, struct.pack("<I", step))


@pytest.mark.parametrize("name", SPECS)
def test_what_came_in_parts_teaches_as_the_whole_does(
    built: dict[str, tuple[str, Plan]], tmp_path: Path, name: str
) -> None:
    with initialised(*built[name], tmp_path / FLASH) as firmware:
        told = []
        for step, each in enumerate((1, 5, CHUNK)):
            send(firmware, step, X[name][step].tobytes(), each)
            told.append(learn(firmware, step).payload[8:])
        assert told == expected(name, 3)


def test_however_a_sample_is_split_it_teaches_the_same(firmware: Firmware) -> None:
    """Whole, all but a byte, byte by byte, and twenty splits that are drawn."""
    dice, told = np.random.default_rng(9), []
    splits = [[], [17], [1], list(range(1, 18))]
    splits += [
        sorted(dice.choice(np.arange(1, 18), dice.integers(1, 9), replace=False))
        for _ in range(20)
    ]
    for step, split in enumerate(splits):
        data, ends = X["u8"][step].tobytes(), [*split, 18]
        for at, end in zip([0, *split], ends, strict=True):
            assert part(firmware, step, at, data[at:end]).status == Status.OK
        told.append(learn(firmware, step).payload[8:])
    assert told == expected("u8", len(splits))


def test_a_part_that_comes_again_changes_nothing(firmware: Firmware) -> None:
    """The first one too, although it is what begins a sample."""
    data = X["u8"][0].tobytes()
    for seq, at in ((10, 0), (11, 7), (10, 0), (11, 7), (12, 14), (10, 0), (12, 14)):
        assert part(firmware, 0, at, data[at : at + 7], seq).status == Status.OK
    assert learn(firmware, 0).payload[8:] == expected("u8", 1)[0]


def test_a_first_part_of_its_own_begins_anew(firmware: Firmware) -> None:
    send(firmware, 0, bytes(18))
    data = X["u8"][0].tobytes()
    assert part(firmware, 0, 0, data[:7]).status == Status.OK
    assert is_out_of_step(learn(firmware, 0))
    assert is_out_of_step(part(firmware, 0, 14, data[14:]))
    assert part(firmware, 0, 7, data[7:14]).status == Status.OK
    assert part(firmware, 0, 14, data[14:]).status == Status.OK
    assert learn(firmware, 0).payload[8:] == expected("u8", 1)[0]


def test_nothing_is_learned_while_a_part_is_missing(firmware: Firmware) -> None:
    before = firmware.state()
    assert is_out_of_step(learn(firmware, 0))
    assert is_out_of_step(part(firmware, 0, 7, bytes(7)))
    assert part(firmware, 0, 0, bytes(7)).status == Status.OK
    assert is_out_of_step(part(firmware, 0, 8, bytes(7)))
    assert is_out_of_step(learn(firmware, 0))
    assert firmware.state() == before


def test_parts_of_another_step_are_not_taken(firmware: Firmware) -> None:
    """Nor are those of a sample to be inferred learned from, and the other way round."""
    data = X["u8"][0].tobytes()
    assert is_out_of_step(part(firmware, 1, 0, bytes(7)))
    assert part(firmware, 0, 0, data[:7]).status == Status.OK
    assert is_out_of_step(part(firmware, 1, 7, bytes(7)))
    assert is_out_of_step(part(firmware, NEVER, 7, bytes(7)))
    assert part(firmware, 0, 7, data[7:14]).status == Status.OK
    assert part(firmware, 0, 14, data[14:]).status == Status.OK
    assert is_out_of_step(infer(firmware))
    assert learn(firmware, 0).payload[8:] == expected("u8", 1)[0]
    send(firmware, NEVER, data)
    assert is_out_of_step(learn(firmware, 1), 1)


def infer(firmware: Firmware, count: int = 1, tail: bytes = b"") -> Frame:
    """Ask what the sample that came gives."""
    return firmware.ask(protocol.INFER, struct.pack("<I", count) + tail)


def test_a_sample_in_parts_is_inferred_as_often_as_it_is_asked_for(
    firmware: Firmware,
) -> None:
    assert is_out_of_step(infer(firmware))
    send(firmware, NEVER, X["u8"][0].tobytes())
    first = infer(firmware)
    p = Learner(SPECS["u8"]).infer(X["u8"][0]).astype("<f4").tobytes()
    assert (first.status, first.payload) == (Status.OK, struct.pack("<I", 1) + p)
    assert infer(firmware).payload == first.payload
    for count, tail in ((0, b""), (2, b""), (1, b"\0")):
        assert infer(firmware, count, tail).status == Status.BAD_PAYLOAD


def test_a_kept_reply_is_given_before_any_part_is_looked_at(firmware: Firmware) -> None:
    send(firmware, 0, X["u8"][0].tobytes())
    first = learn(firmware, 0)
    assert part(firmware, 1, 0, bytes(7)).status == Status.OK
    again = learn(firmware, 0)
    assert (again.status, again.payload) == (Status.REPLAYED, first.payload)
    assert part(firmware, 1, 7, bytes(7)).status == Status.OK


def test_no_part_outlives_an_init_or_the_session(firmware: Firmware) -> None:
    send(firmware, 0, bytes(18))
    assert firmware.init().status == Status.OK
    assert is_out_of_step(learn(firmware, 0))
    send(firmware, NEVER, bytes(18))
    firmware.ask(protocol.HELLO, bytes((1, 1)), OTHER_BOOT)
    assert firmware.hello().status == Status.OK
    assert is_out_of_step(infer(firmware))


@pytest.mark.parametrize("step", [0, NEVER], ids=["a step", "an inference"])
def test_a_copy_of_the_init_before_takes_no_part_away(
    firmware: Firmware, step: int
) -> None:
    """The line may bring it late: its reply was there before the first part was sent."""
    init = struct.pack("<IIII", 1, 0, 0, 1)
    assert firmware.ask(protocol.INIT, init, seq=30).status == Status.OK
    send(firmware, step, X["u8"][0].tobytes())
    assert firmware.is_silent_to(protocol.INIT, init, seq=30)
    told = learn(firmware, 0) if step == 0 else infer(firmware)
    assert told.status == Status.OK


def test_a_part_of_the_sample_before_comes_late(firmware: Firmware) -> None:
    """And so does one that was sent before an INIT, whatever the numbers after it."""
    data = X["u8"][0].tobytes()
    assert part(firmware, 0, 0, bytes(7), 20).status == Status.OK
    assert part(firmware, 0, 0, data[:7], 21).status == Status.OK
    late = struct.pack("<II", 0, 0) + bytes(7)
    assert firmware.is_silent_to(protocol.PART, late, seq=20)
    assert part(firmware, 0, 7, data[7:14], 40).status == Status.OK
    assert part(firmware, 0, 14, data[14:], 41).status == Status.OK
    assert learn(firmware, 0).payload[8:] == expected("u8", 1)[0]
    for seq in range(0x3000, 0x10000, 0x3000):
        assert firmware.ask(protocol.PING, seq=seq).status == Status.OK
    assert part(firmware, 1, 0, bytes(7), 0xF001).status == Status.OK


@pytest.mark.parametrize(
    "offset, size, status",
    [
        (0, 0, Status.BAD_PAYLOAD), (0, MOST + 1, Status.BAD_PAYLOAD),
        (18, 1, Status.OUT_OF_BOUNDS), (19, 1, Status.OUT_OF_BOUNDS),
        (14, 5, Status.OUT_OF_BOUNDS), (NEVER, 1, Status.OUT_OF_BOUNDS),
        (NEVER - CHUNK, CHUNK, Status.OUT_OF_BOUNDS), (0, 240, Status.BAD_PAYLOAD),
    ],
)  # fmt: skip
def test_a_part_that_has_no_place_in_a_sample_is_refused(
    firmware: Firmware, offset: int, size: int, status: Status
) -> None:
    """What is there stays: the whole sample, in the first place."""
    send(firmware, 0, X["u8"][0].tobytes())
    assert part(firmware, 0, offset, bytes(size)).status == status
    assert learn(firmware, 0).payload[8:] == expected("u8", 1)[0]


def test_a_step_brings_a_target_and_nothing_else(firmware: Firmware) -> None:
    send(firmware, 0, X["u8"][0].tobytes())
    for payload in (
        step_payload(0, LABEL + X["u8"][0].tobytes()), step_payload(0, b""),
        step_payload(0, LABEL * 2, count=2), step_payload(0, struct.pack("<H", 3)),
    ):  # fmt: skip
        assert firmware.ask(protocol.STEP, payload).status == Status.BAD_PAYLOAD
    assert learn(firmware, 0).payload[8:] == expected("u8", 1)[0]


def test_before_an_init_no_part_is_taken(
    built: dict[str, tuple[str, Plan]], tmp_path: Path
) -> None:
    one = Firmware(*built["u8"], tmp_path / "flash")
    assert one.hello().status == Status.OK
    assert part(one, 0, 0, bytes(7)).status == Status.NOT_READY
    assert not one.close().startswith("==")


def test_a_list_of_events_is_judged_when_it_is_whole(
    built: dict[str, tuple[str, Plan]], tmp_path: Path
) -> None:
    wrong = np.uint16([(2, 0), (0, 1), *[(UNUSED, UNUSED)] * 3]).tobytes()
    with initialised(*built["events"], tmp_path / FLASH) as firmware:
        send(firmware, 0, wrong)
        assert learn(firmware, 0).status == Status.BAD_PAYLOAD
        send(firmware, NEVER, wrong)
        assert infer(firmware).status == Status.BAD_PAYLOAD
        send(firmware, 0, LISTED.tobytes())
        assert learn(firmware, 0).payload[8:] == expected("events", 1)[0]


def test_noise_among_parts_leaves_nothing_wrong(firmware: Firmware) -> None:
    """A thousand frames of any step, place and size: what is then sent is learned."""
    dice = np.random.default_rng(5)
    for k in range(1000):
        step, offset = dice.choice([0, 1, NEVER]), dice.choice([0, 3, 7, 14, 18, NEVER])
        payload = struct.pack("<II", step, offset) + bytes(dice.integers(0, 16))
        firmware.send(encode(protocol.PART.kind, 0, 100 + k, BOOT, payload))
        firmware.answers(protocol.PART.kind, 100 + k)
    firmware.ask(protocol.PING, seq=2000)
    send(firmware, 0, X["u8"][0].tobytes())
    assert learn(firmware, 0).payload[8:] == expected("u8", 1)[0]
