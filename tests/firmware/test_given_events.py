"""A sample that is a list of events: the device learns from one as the reference does, and
refuses what is none before anything is learned."""

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
from codegen.protocol import Status, StepFlag
from codegen.raster import UNUSED, Events
from codegen.reference.learner import Learner
from codegen.rendering.render import render
from codegen.spec import Inputs, Network, RuleChoice, Spec
from tests.firmware.conftest import FLASH, initialised
from tests.firmware.process import SAMPLES, WINDOW, Firmware

TICKS, WIDTH, ROOM = 4, 5, 6
NONE = (UNUSED, UNUSED)
SPEC = Spec(
    Network((WIDTH, 7, 3), "identity"),
    RuleChoice("ottt", {"encoding": "events", "ticks": TICKS}),
    Inputs("u16", 1.0, front=Events(TICKS, WIDTH, ROOM)),
    format="i8",
)
GOOD = [(0, 1), (0, 4), (2, 0), (3, 3)]
BAD = {
    "an address that is none": [(0, 1), (1, WIDTH)],
    "a far address": [(0, 0xFFF0)],
    "a tick that is none": [(0, 1), (TICKS, 0)],
    "a tick behind a later one": [(2, 0), (1, 0)],
    "an event behind an unused place": [(0, 1), NONE, (1, 2)],
    "half of an unused place": [(0, 1), (UNUSED, 2)],
}


@pytest.fixture(scope="module")
def built(host_cc: str) -> tuple[str, Plan]:
    """Image and plan; tests/fuzz has such a one under the checks."""
    made = plan(SPEC, targets.load("host"), window=WINDOW, samples=SAMPLES)
    return str(toolchain.build(render(made), toolchain.find(made.target)).path), made


@pytest.fixture
def firmware(built: tuple[str, Plan], tmp_path: Path) -> Iterator[Firmware]:
    with initialised(*built, tmp_path / FLASH) as one:
        yield one


def listed(events: list[tuple[int, int]]) -> np.ndarray:
    return np.uint16([*events, *[NONE] * (ROOM - len(events))]).reshape(-1)


def step(samples: list[np.ndarray]) -> bytes:
    """A STEP of these samples, whose labels are 1."""
    tail = b"".join(struct.pack("<H", 1) + x.tobytes() for x in samples)
    return struct.pack("<IBBHf", 0, StepFlag.DIGEST, len(samples), 0, 0.25) + tail


def test_a_list_is_learned_as_the_reference_does(firmware: Firmware) -> None:
    full = [(t, a) for t in (0, 3) for a in (0, 2, 4)]
    learner, told = Learner(SPEC), b""
    for events in (GOOD, full):
        result = learner.step(listed(events), 1, np.float32(0.25))
        told += struct.pack("<fI", result.loss, learner.digest()) + result.p.tobytes()
    asked = step([listed(GOOD), listed(full)])
    assert firmware.ask(protocol.STEP, asked).payload[8:] == told
    reply = firmware.ask(protocol.INFER, struct.pack("<I", 1) + listed([]).tobytes())
    assert reply.payload[4:] == learner.infer(listed([])).tobytes()


@pytest.mark.parametrize("events", BAD.values(), ids=BAD)
def test_what_is_no_list_is_refused_and_nothing_of_its_frame_learned(
    firmware: Firmware, events: list[tuple[int, int]]
) -> None:
    before = firmware.state()
    asked = step([listed(GOOD), listed(events)])
    assert firmware.ask(protocol.STEP, asked).status == Status.BAD_PAYLOAD
    asked = struct.pack("<I", 2) + listed(GOOD).tobytes() + listed(events).tobytes()
    assert firmware.ask(protocol.INFER, asked).status == Status.BAD_PAYLOAD
    assert firmware.state() == before
