"""`hil bench link`: what frames cost, and what lockstep costs.

Comparisons, each within one run on one machine: ECHO through the whole
stack against a raw echo through the same port; lockstep against the slowest
of its three parts alone, link, device and reference, and against the device; and a
process that learns from a resident set, with hardly a line, against its own net_step in
a loop. The rates are host time of an emulator, so only their ratios mean something. And
one wait: from the start of a command to the first step that was compared.
"""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from codegen.building import toolchain
from codegen.protocol import STEP
from codegen.reference import Learner
from hil.desk.attach import greet
from hil.device.device import Device
from hil.errors import Divergence
from hil.learning.divergence import Snapshot
from hil.learning.lockstep import Lockstep
from hil.learning.metrics import Metrics
from hil.learning.reference_process import ReferenceProcess
from hil.lesson.building import Built, build, plan_for
from hil.lesson.lesson import Lesson
from hil.lesson.preparing import prepare
from hil.measuring.echo import (
    ROUNDS,
    attached,
    best_echo_rate,
    echo_rate,
    echo_rates,
    require_transparent,
)
from hil.measuring.first_step import FirstStep, first_step
from hil.measuring.native_loop import Loop, loop
from hil.records.record import METRICS

GOAL, DEVICE_GOAL, BARE_GOAL = 0.8, 0.9, 0.7
"""Shares asked for: of the raw echo and of the slowest part; of an emulated device in
lockstep; and of the bare loop of steps where samples are resident."""


@dataclass(frozen=True)
class LinkBench:
    """Rates; `echo` and `raw` in payload bytes per second there and back, the
    others in learning steps per second, the host's own work included. `bare` is
    net_step in a loop. A unit is given no image but its own, so some are None there;
    without comparison there is no `reference`, and no `lockstep`."""

    raw: float | None
    echo: float
    link: float
    device: float
    reference: float | None
    lockstep: float | None
    resident: float | None = None
    bare: float | None = None
    first_step: FirstStep | None = None

    @property
    def echo_share(self) -> float | None:
        """Of what the line carries, how much is left through the stack."""
        return None if self.raw is None else self.echo / self.raw

    @property
    def lockstep_share(self) -> float | None:
        """Lockstep against the slowest of its parts."""
        if self.lockstep is None or self.reference is None:
            return None
        return self.lockstep / min(self.link, self.device, self.reference)

    @property
    def device_share(self) -> float | None:
        """Lockstep against the device alone, over the same line."""
        return None if self.lockstep is None else self.lockstep / self.device

    @property
    def bare_share(self) -> float | None:
        """A resident set's steps against the same in a loop."""
        if self.resident is None or self.bare is None:
            return None
        return self.resident / self.bare

    def to_json(self) -> dict[str, Any]:
        """Every figure by name; of the first step all seconds, and its parts."""
        first = self.first_step
        return {
            **asdict(self),
            "first_step": first and first.seconds,
            "first_step_parts": first and asdict(first),
            "echo_share": self.echo_share,
            "lockstep_share": self.lockstep_share,
            "device_share": self.device_share,
            "bare_share": self.bare_share,
        }


def bench_link(lesson: Lesson) -> LinkBench:
    """Measure on the target of `lesson`, with its network and its steps. A unit that
    has a loader is flashed first.

    Raises `Divergence` when lockstep finds one, and what building, flashing and the
    link raise.
    """
    fed, resident = _fed_and_resident(lesson)
    on_board = lesson.experiment.unit is not None
    with ExitStack() as stack:
        process = None
        if fed.prefix:
            process = stack.enter_context(ReferenceProcess(fed.spec))
        device, built = _greeted(stack, fed)
        require_transparent(device)
        raw, echo = (
            (None, best_echo_rate(device, built))
            if on_board
            else echo_rates(stack, device, fed, built)
        )
        link = _link_rate(device, fed)
        alone = _lockstep_rate(device, fed, None)
        reference = lockstep = None
        if process is not None:
            reference = _reference_rate(fed)
            lockstep = _lockstep_rate(device, fed, process)
        device.leave()
    if on_board:
        return LinkBench(raw, echo, link, alone, reference, lockstep)
    nearby, bare = _resident_rates(resident)
    if process is None:
        return LinkBench(raw, echo, link, alone, None, None, nearby, bare)
    firsts = sorted(
        (first_step(fed.experiment) for _ in range(ROUNDS)), key=lambda f: f.seconds
    )
    median = firsts[len(firsts) // 2]
    return LinkBench(raw, echo, link, alone, reference, lockstep, nearby, bare, median)


def _fed_and_resident(lesson: Lesson) -> tuple[Lesson, Lesson]:
    """The same lesson with every sample on the line, and with those of its
    steps in the image."""
    asked = lesson.experiment
    placed = asked.override({"resident": lesson.resident or lesson.steps})
    return prepare(asked.override({"resident": None, "thin": None})), prepare(placed)


def _resident_rates(lesson: Lesson) -> tuple[float, float | None]:
    """Steps per second from a resident set, and of the bare loop where there is one;
    the best of rounds that take turns. Raises `Divergence` when the two do not end in
    the same state."""
    resident, bare = [], []
    with ExitStack() as stack:
        device, built = _greeted(stack, lesson)
        for _ in range(ROUNDS):
            resident.append(_lockstep_rate(device, lesson, None))
            if looped := _bare(lesson, built):
                bare.append(looped.rate)
                if device.digest()[1] != looped.digest:
                    raise Divergence(
                        f"net_step in a loop ends with digest {looped.digest:08x}, the "
                        f"device with {device.digest()[1]:08x}"
                    )
        device.leave()
    return max(resident), max(bare, default=None)


def _bare(lesson: Lesson, built: Built) -> Loop | None:
    """A round of the same steps in a loop: of a process of this computer that learns
    from labels, at one rate."""
    if lesson.target.machine != "native" or not lesson.classes:
        return None
    if lesson.eta(0) != lesson.eta(lesson.steps - 1):
        return None
    compiler = toolchain.find(
        lesson.target, lesson.experiment.toolchain, built.plan.vlen, built.plan.debug
    )
    return loop(lesson, built.files, compiler, rounds=1)


def _greeted(stack: ExitStack, lesson: Lesson) -> tuple[Device, Built]:
    """A device of the lesson's own that has answered HELLO, and its image."""
    built = build(plan_for(lesson), lesson.experiment.toolchain)
    channel = attached(stack, lesson, built)
    device = Device(channel, built.plan, lesson.target.limits, built.image.path)
    greet(device, lesson, built)
    return device, built


def _link_rate(device: Device, lesson: Lesson) -> float:
    """Steps per second that the link alone would carry: ECHO with payloads of
    a full STEP frame."""
    assert STEP.request is not None
    sample = 2 + lesson.spec.sample_bytes
    each = lesson.samples_a_frame
    size = STEP.request.size + each * sample
    return echo_rate(device, bytes(size)) / size * each


def _lockstep_rate(
    device: Device, lesson: Lesson, process: ReferenceProcess | None
) -> float:
    """Steps per second with a reference, or of the device alone, which takes
    the same digests: a part alone must do the work it does in lockstep."""
    device.init(lesson.spec.seed)

    with TemporaryDirectory(prefix="hil-bench-") as folder:
        started = time.perf_counter()
        with Metrics(Path(folder, METRICS)) as metrics:
            lockstep = Lockstep(
                device, lesson, process, Snapshot(0, {}), metrics.add_all
            )
            lockstep.run()
        taken = time.perf_counter() - started
    if lockstep.difference is not None:
        raise Divergence(f"device and reference differ at {lockstep.difference}")
    return lesson.steps / taken


def _reference_rate(lesson: Lesson) -> float:
    """Steps per second of numpy alone, with the digests that are compared."""
    learner = Learner(lesson.spec)
    started = time.perf_counter()
    for step in range(lesson.steps):
        sample, given = lesson.sample(step)
        learner.step(sample, given, lesson.eta(step))
        if lesson.digest_after(step):
            learner.digest()
    return lesson.steps / (time.perf_counter() - started)
