"""What a step leaves to be read is what the reference has: every intermediate that the
link can name, of every rule, to the bit."""

from __future__ import annotations

import numpy as np
import pytest

from codegen.reference import Learner
from hil.device.device import Device
from hil.learning.divergence import one_step
from hil.lesson.lesson import Lesson
from tests.kinds import OF_LAYERS

SEEN = {
    "pc": {"energy", "eps1", "eps2", "z1"},
    "generec": {"plus1"},
    "kinase": {"plus1", "cam1", "cap1", "cad1", "cad2"},
    "eqprop": {"plus1", "plus2", "away1", "away2"},
    "ottt": {"u1", "ax", "ah1", "d1"},
    "bp": {"h1", "e", "d1"},
}
"""Of some rules what must be among it, for these are what people look at."""
TRACED = (
    ("host", None, "generec", 11),
    ("host", None, "kinase", 60),
    ("qemu-rv64gcv", 128, "kinase", 60),
    ("qemu-rv32imafc-zve32f", 512, "chl", 11),
    ("netduinoplus2", None, "midpoint", 11),
    ("qemu-rv64gc", None, "eqprop", 18),
    ("host", None, "ottt", 8),
)
"""Machines, and rules whose cycles are kept: a row each, so many a step."""
MORE: dict[str, dict[str, str]] = {
    "ottt": {"encoding": "bernoulli", "trace": "membranes"}
}
"""Parameters of a traced rule, besides."""
LAST = {"eqprop": "away1", "ottt": "h1"}
"""Where a traced step ends, if not in the plus phase."""


@pytest.mark.parametrize(
    "rule",
    [
        pytest.param(name, marks=pytest.mark.hil(rule=name, network=(64, 17, 10)))
        for name in OF_LAYERS
    ],
)
@pytest.mark.parametrize("hil_target", ["host"], indirect=True)
def test_every_intermediate_is_the_references(
    hil_device: Device, hil_lesson: Lesson, rule: str
) -> None:
    held = held_against_the_reference(hil_device, hil_lesson)
    assert set(held) >= SEEN.get(rule, {"p"}), held


@pytest.mark.parametrize(
    ("hil_target", "rule", "cycles"),
    [
        pytest.param(
            target, rule, cycles,
            marks=pytest.mark.hil(
                rule=rule, network=(64, 17, 10), vlen=vlen,
                parameters={"trace": "on", **MORE.get(rule, {})}, debug=target == "host",
            ),
        )
        for target, vlen, rule, cycles in TRACED
    ],
    indirect=["hil_target"],
)  # fmt: skip
def test_every_cycle_of_a_traced_step_is_the_references(
    hil_device: Device, hil_lesson: Lesson, rule: str, cycles: int
) -> None:
    held = held_against_the_reference(hil_device, hil_lesson)
    assert held["trace1"].shape == (cycles, 17)
    assert held["trace2"].shape == (cycles, 10)
    if rule == "kinase":
        assert np.array_equal(held["trace_cad1"][-1], held["cad1"])
        assert held["trace_cam2"].shape == (40, 10)
    if rule == "ottt":
        assert np.array_equal(held["trace_u1"][-1], held["u1"])
        assert np.array_equal(held["trace_a1"][-1], held["ah1"])
    assert np.array_equal(held["trace1"][-1], held[LAST.get(rule, "plus1")])


def held_against_the_reference(device: Device, lesson: Lesson) -> dict[str, np.ndarray]:
    """What the device has left after two steps, by name: all that the reference has of it,
    which must be equal."""
    learner = Learner(lesson.spec)
    device.init(lesson.spec.seed)
    for step in range(2):
        one_step(device, lesson, step)
        learner.step(*lesson.sample(step), lesson.eta(step))
    held = {}
    for tensor in device.plan.readable:
        if tensor.name in learner.trace and not tensor.state:
            told, right = device.read(tensor), learner.trace[tensor.name]
            wrong = told.ravel().view(np.uint32) != right.ravel().view(np.uint32)
            assert not wrong.any(), tensor.name
            held[tensor.name] = told
    return held
