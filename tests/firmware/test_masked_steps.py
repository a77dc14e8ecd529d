"""A STEP with ALONE is counted alone, whatever the line brings meanwhile."""

from __future__ import annotations

import emulation
from codegen.protocol import StepFlag
from hil.device.device import Device
from hil.device.link.channel import Channel
from hil.experiment import Experiment
from hil.lesson.building import build, plan_for
from hil.lesson.lesson import Lesson
from hil.lesson.preparing import prepare

STEPS = 24


def counts(lesson: Lesson, in_flight: int) -> list[int]:
    """Instructions of each step, with so many STEP frames on the line at once."""
    built = build(plan_for(lesson))
    machine = emulation.machine_for(lesson.target, built.image.path, icount=True)
    with machine:
        machine.power_on()
        assert machine.url is not None
        with Channel(machine.url) as channel:
            machine.run()
            device = Device(channel, built.plan, lesson.target.limits)
            device.hello(built.image.digest, lesson.vlen, lesson.target.limits.boot)
            device.init(lesson.spec.seed)
            sent = done = 0
            while done < STEPS:
                while sent < STEPS and sent - done < in_flight:
                    sample, label = lesson.sample(sent)
                    flags = StepFlag.TELEMETRY | StepFlag.ALONE
                    eta = lesson.eta(sent)
                    device.post_steps(sent, eta, [(label, sample.tobytes())], flags)
                    sent += 1
                done += len(device.take_steps(lesson.target.limits.step))
            device.digest()  # the last telemetry comes before its reply
            assert device.telemetry.latest[-1].overruns == 0
            return [entry.instructions for entry in device.telemetry.latest]


def test_a_step_costs_the_same_on_a_busy_line(qemu64: str) -> None:
    lesson = prepare(
        Experiment(network=(64, 300, 10), steps=STEPS, window=4, samples_per_frame=1)
    )
    assert counts(lesson, in_flight=1) == counts(lesson, in_flight=4)
