"""What travels with a sample, by the goal: the firmware takes it from frames, slots and
the resident set, and learns from it what the reference does."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import targets
from codegen import protocol
from codegen.building import toolchain
from codegen.planning.planned import Plan
from codegen.planning.resident import Resident
from codegen.protocol import Cause, Goal, Status, StepFlag
from codegen.reference.learner import Learner
from codegen.rendering.render import render
from codegen.spec import Inputs, Network, RuleChoice, Spec
from tests.firmware.conftest import CHECKS, FLASH, initialised
from tests.firmware.process import (
    RESIDENT,
    THIN,
    Firmware,
    planned,
    rehearse_payload,
    resident_payload,
)

SPECS = {
    "vector": Spec(
        Network((5, 7, 3), "tanh", "identity"), RuleChoice("bp"), Inputs("i16", 8.0),
        goal="vector",
    ),
    "sample": Spec(Network((5, 4, 5)), RuleChoice("dfa"), Inputs("u8", 64.0), goal="sample"),
}  # fmt: skip
ETA = np.float32(0.1)
DICE = np.random.default_rng(7)
X = {
    "vector": DICE.integers(-99, 99, (RESIDENT, 5), np.int16),
    "sample": DICE.integers(0, 64, (RESIDENT, 5), np.uint8),
}
Y = DICE.normal(size=(RESIDENT, 3)).astype(np.float32)


def target(goal: str, place: int) -> bytes:
    """What comes before this sample."""
    return Y[place].tobytes() if goal == "vector" else b""


def resident(goal: str) -> Resident:
    """All samples and their targets."""
    told = b"".join(target(goal, place) for place in range(RESIDENT))
    return Resident(RESIDENT, X[goal].tobytes(), told, THIN)


@pytest.fixture(scope="module", params=SPECS)
def built(request: pytest.FixtureRequest, host_cc: str) -> tuple[str, Plan]:
    """Image and plan of a goal, under the checks."""
    host, made = (
        targets.load("host"),
        planned(SPECS[request.param], resident(request.param)),
    )
    image = toolchain.build(render(made), toolchain.find(host), extra=CHECKS)
    return str(image.path), made


@pytest.fixture
def firmware(built: tuple[str, Plan], tmp_path: Path) -> Iterator[Firmware]:
    with initialised(*built, tmp_path / FLASH) as one:
        yield one


def sent(
    goal: str, places: list[int], step: int, flags: int = StepFlag.DIGEST, slot: int = 0
) -> bytes:
    """A STEP of these samples."""
    tail = b"".join(target(goal, n) + X[goal][n].tobytes() for n in places)
    return struct.pack("<IBBHf", step, flags, len(places), slot, ETA) + tail


def learned(spec: Spec, places: list[int]) -> bytes:
    """What a STEP's reply tells of these samples, by the reference."""
    learner, told = Learner(spec), b""
    for place in places:
        given = Y[place] if spec.goal == "vector" else None
        result = learner.step(X[spec.goal][place], given, ETA)
        told += struct.pack("<fI", result.loss, learner.digest())
        told += result.p.astype("<f4").tobytes()
    return told


def test_hello_tells_what_a_step_learns_from(firmware: Firmware) -> None:
    goal = firmware.made.spec.goal
    assert protocol.HELLO.reply is not None
    told, _ = protocol.HELLO.reply.unpack(firmware.hello().payload)
    size = {"vector": 12, "sample": 0}[goal]
    assert (told["goal"], told["target_bytes"]) == (Goal[goal.upper()], size)


def test_what_is_sent_is_learned_as_the_reference_does(firmware: Firmware) -> None:
    spec = firmware.made.spec
    told = b"".join(
        firmware.ask(protocol.STEP, sent(spec.goal, places, places[0])).payload[8:]
        for places in ([0, 1], [2], [3, 4])
    )
    assert told == learned(spec, [0, 1, 2, 3, 4])


def test_what_is_kept_teaches_as_the_reference_does(firmware: Firmware) -> None:
    """Each slot has its own target: they are learned from in another order."""
    spec, keep = firmware.made.spec, StepFlag.DIGEST | StepFlag.KEEP
    told = b""
    for step in (0, 1):
        asked = sent(spec.goal, [step], step, keep, slot=1 - step)
        told += firmware.ask(protocol.STEP, asked).payload[8:]
    told += firmware.ask(protocol.REHEARSE, rehearse_payload(1, 0, step=2)).payload[8:]
    assert told == learned(spec, [0, 1, 0, 1])


def test_a_slot_is_empty_until_a_sample_is_kept(firmware: Firmware) -> None:
    keep = StepFlag.DIGEST | StepFlag.KEEP
    asked = sent(firmware.made.spec.goal, [0], 0, keep, slot=1)
    assert firmware.ask(protocol.STEP, asked).status == Status.OK
    for slot, status in ((0, Status.OUT_OF_BOUNDS), (1, Status.OK)):
        payload = rehearse_payload(slot, step=1)
        assert firmware.ask(protocol.REHEARSE, payload).status == status


def test_the_resident_set_teaches_as_the_reference_does(firmware: Firmware) -> None:
    spec = firmware.made.spec
    reply = firmware.ask(protocol.STEP_RESIDENT, resident_payload(3, 0, 4, 1, 5))
    assert protocol.STEP_RESIDENT.reply is not None
    fields, last = protocol.STEP_RESIDENT.reply.unpack(reply.payload)
    assert learned(spec, [4, 1, 5]).endswith(last)
    assert fields["right"] == 0  # no label is learned


@pytest.mark.parametrize("bytes_more", [-4, -1, 1, 2])
def test_a_sample_with_another_goals_target_is_refused(
    firmware: Firmware, bytes_more: int
) -> None:
    asked = sent(firmware.made.spec.goal, [0], 0)
    asked = asked[:bytes_more] if bytes_more < 0 else asked + bytes(bytes_more)
    before = firmware.state()
    assert firmware.ask(protocol.STEP, asked).status == Status.BAD_PAYLOAD
    assert firmware.state() == before


@pytest.mark.parametrize("built", ["vector"], indirect=True)
@pytest.mark.parametrize("number", ["inf", "nan"])
def test_a_target_that_is_not_finite_is_told_and_nothing_is_learned(
    firmware: Firmware, number: str
) -> None:
    before = firmware.state()
    asked = bytearray(sent("vector", [0], 0))
    struct.pack_into("<f", asked, 12 + 4, float(number))
    assert firmware.ask(protocol.STEP, bytes(asked)).status == Status.FAULTED
    (fault,) = firmware.unsolicited
    assert protocol.FAULT.reply is not None
    told, _ = protocol.FAULT.reply.unpack(fault.payload)
    assert (told["cause"], told["step"]) == (Cause.NON_FINITE, 0)
    assert told["address"] == firmware.made.tensor("e").index
    assert firmware.state() == before
