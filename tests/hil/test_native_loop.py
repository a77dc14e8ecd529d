"""net_step in a loop of its own ends where the reference ends."""

from __future__ import annotations

import numpy as np
import pytest

from codegen.building import toolchain
from codegen.reference import Learner
from hil import Experiment
from hil.errors import Divergence
from hil.lesson.building import build, plan_for
from hil.lesson.lesson import Lesson
from hil.lesson.preparing import prepare
from hil.measuring import link_cost
from hil.measuring.native_loop import loop


@pytest.fixture(scope="module")
def lesson(host_cc: str) -> Lesson:
    return prepare(Experiment(target="host", network=(64, 5, 10), steps=30))


def test_the_loop_learns_the_lesson_from_the_seed_in_each_round(lesson: Lesson) -> None:
    learner = Learner(lesson.spec)
    for step in range(lesson.steps):
        result = learner.step(*lesson.sample(step), lesson.eta(step))
    files = build(plan_for(lesson)).files
    found = loop(lesson, files, toolchain.find(lesson.target), rounds=2)
    assert found.digest == learner.digest()
    assert found.loss.tobytes() == result.loss.tobytes()
    words = [np.ravel(tensor) for tensor in learner.state.values()]
    assert found.state.tobytes() == np.concatenate(words).tobytes()
    assert len(found.seconds) == len(found.processor) == 2


def test_a_loop_of_other_steps_is_not_what_a_device_is_held_against(
    lesson: Lesson, monkeypatch: pytest.MonkeyPatch
) -> None:
    placed = prepare(lesson.experiment.override({"resident": 30}))
    other = prepare(placed.experiment.override({"seed": 2}))
    real = link_cost._bare
    monkeypatch.setattr(link_cost, "_bare", lambda _, built: real(other, built))
    with pytest.raises(Divergence, match="net_step in a loop ends with digest"):
        link_cost._resident_rates(placed)
