"""What a step leaves to be read is what the reference has: every intermediate that the
link can name, of every rule, to the bit."""

from __future__ import annotations

import numpy as np
import pytest

from codegen import rules
from codegen.reference import Learner
from hil.device.device import Device
from hil.learning.divergence import one_step
from hil.lesson.lesson import Lesson

SEEN = {
    "pc": {"energy", "eps1", "eps2", "z1"},
    "generec": {"plus1"},
    "kinase": {"plus1", "cam1", "cap1", "cad1", "cad2"},
    "eqprop": {"plus1", "plus2", "away1", "away2"},
    "bp": {"h1", "e", "d1"},
}
"""Of some rules what must be among it, for these are what people look at."""


@pytest.mark.parametrize(
    "rule",
    [
        pytest.param(name, marks=pytest.mark.hil(rule=name, network=(64, 17, 10)))
        for name in rules.names()
    ],
)
@pytest.mark.parametrize("hil_target", ["host"], indirect=True)
def test_every_intermediate_is_the_references(
    hil_device: Device, hil_lesson: Lesson, rule: str
) -> None:
    learner = Learner(hil_lesson.spec)
    hil_device.init(hil_lesson.spec.seed)
    for step in range(2):
        one_step(hil_device, hil_lesson, step)
        learner.step(*hil_lesson.sample(step), hil_lesson.eta(step))
    held = set()
    for tensor in hil_device.plan.readable:
        if tensor.name in learner.trace and not tensor.state:
            told, right = hil_device.read(tensor), learner.trace[tensor.name]
            wrong = told.ravel().view(np.uint32) != right.ravel().view(np.uint32)
            assert not wrong.any(), tensor.name
            held.add(tensor.name)
    assert held >= SEEN.get(rule, {"p"}), held
