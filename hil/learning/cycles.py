"""The cycles of one step, from several states: what a device that keeps them has left, held
against the reference."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from codegen.planning.planned import Plan
from codegen.reference import Learner, goals
from codegen.traces import rows
from hil.data import arrays
from hil.device.device import Device
from hil.learning.compare import digest_difference
from hil.learning.divergence import Finder, Found, Snapshot, write_state
from hil.learning.lifeline import Lifeline
from hil.lesson.lesson import Lesson
from hil.records.record import CYCLES

TIMES = "before", "after"
"""Before learning, and after it."""
MOVED, TARGET = "moved", "target"
"""Beside the cycles: what the step has added to the output layer's weights, and the
outcome, [1, outputs]."""


def kept(lesson: Lesson, plan: Plan) -> bool:
    """Whether the device keeps the cycles of a step, and can be asked: one that loses its
    power on purpose may never come to the end of an answer as long as this."""
    faults = lesson.experiment.line_faults
    asked = lesson.end > 0 and not (faults and faults.cut)
    return asked and bool(rows(plan.readable))


def show(
    life: Lifeline, lesson: Lesson, learner: Learner, folder: Path
) -> Found | None:
    """Write the cycles of the lesson's first step into `folder`, as they are from the
    state that it began with and from that of `learner`, with which it has ended: then the
    device has that again. Returns the first bit that differs. Raises `StorageError`."""
    device, last = life.device, Snapshot(lesson.end, learner.snapshot())
    states = dict(zip(TIMES, (life.initial.state, last.state), strict=True))
    found, told = _done(device, lesson, states)
    if found is not None:
        return found
    arrays.write(folder / CYCLES, told, packed=True)
    digest = write_state(device, lesson.spec.seed, last)
    seen = digest_difference(last.step, digest, learner.digest(), "final")
    return Found(seen) if seen else None


def _done(
    device: Device, lesson: Lesson, states: Mapping[str, Mapping[str, np.ndarray]]
) -> tuple[Found | None, dict[str, np.ndarray]]:
    """The lesson's first step, done once from each of the `states`: "NAME_trace1"
    [cycles, units], ... or "NAME_raster" [ticks, 1], and "NAME_moved", by the name of the
    state, and "target"; a step that the error gate has ended leaves none. Or the first
    bit that differs from the reference."""
    finder, told = Finder(device, lesson), dict[str, np.ndarray]()
    last = f"W{lesson.spec.network.depth}"
    _, given = lesson.sample(0)
    for when, state in states.items():
        found = finder.once_more(Snapshot(0, state))
        if found is not None:
            return found, {}
        trace = finder.learner.trace
        names = [t.name for t in rows(device.plan.readable) if t.name in trace]
        told |= {f"{when}_{name}": trace[name] for name in names}
        if names:
            told[f"{when}_{MOVED}"] = finder.learner.state[last] - state[last]
            told[TARGET] = goals.target(lesson.spec, trace["x"], given)[np.newaxis]
    return None, told
