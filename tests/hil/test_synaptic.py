"""Synaptic operations of the steps that hil bench step counts."""

from __future__ import annotations

import numpy as np
import pytest

from codegen.reference import Learner
from codegen.reference.health import health
from hil.experiment import Experiment
from hil.measuring.steps.bench import lesson_for
from hil.measuring.steps.reference import twin


def test_synaptic_operations_are_those_that_telemetry_tells() -> None:
    """Mean over the counted steps, both layers; of a liquid those of its cells, and none
    of a network whose cells do not spike."""
    ticks = {"rule": "stdp-wta", "network": "64-8-10", "parameters": {"ticks": 12}}
    lesson = lesson_for(Experiment(target="microbit", steps=3, **ticks), 1)
    learner, told = Learner(lesson.spec), []
    for step in range(lesson.steps):
        before = learner.snapshot()
        learner.step(*lesson.sample(step), lesson.eta(step))
        found = health(learner, before, *lesson.sample(step)).promises
        told.append(sum(found["synaptic"]))
    assert twin(lesson, 1).synaptic == pytest.approx(np.mean(told[1:]))
    assert min(told) > 1000
    liquid = Experiment(front="liquid,cells=12,segments=1", rule="bp", steps=2)
    spikes = twin(lesson_for(liquid, 1), 1).synaptic
    assert spikes is not None and spikes % 6 == 0 < spikes
    assert twin(lesson_for(Experiment(steps=2), 1), 1).synaptic is None
