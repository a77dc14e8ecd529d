"""Lockstep: the device learns while the reference computes the same.

Both are kept busy: STEP frames go out while the window has room, the reference
computes a step whenever it may, and what both have done is compared at once.
Neither runs more than `LEAD` steps ahead of what has been compared, or more than
two frames where those are longer.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from codegen.protocol import Cause, StepFlag
from codegen.reference import Learner, NonFinite
from hil import feed
from hil.compare import Difference, Expected, compare
from hil.device import Device
from hil.divergence import Snapshot
from hil.errors import DeviceFault, LinkError
from hil.lesson import Lesson
from hil.replies import StepResult

LEAD = 128
SNAPSHOT_EVERY = 64
"""Steps between the states that a search for a difference may start from."""
TELEMETRY_EVERY = 16
"""Frames between two that ask for telemetry when instructions are not counted."""


@dataclass(frozen=True)
class Learned:
    """One step that is done (and, with a reference, was found equal).

    Where a resident frame was not compared, it is its last step, and stands for
    all `steps` of them, of which `right` were predicted right."""

    step: int
    loss: float
    correct: bool
    eta: float
    digest: int | None
    instructions: int | None
    steps: int
    right: int


def _as_told(expected: Expected) -> StepResult:
    """A step that a device folded into an equal fold: so it told just this."""
    result = expected.result
    return StepResult(expected.step, result.loss, result.p, expected.digest)


class Lockstep:
    """One lesson on one device. `learner` is None when nothing is compared;
    `initial` is the state that both start from.

    `compared` counts steps; `difference` is what ended `run` early; `verified`
    the last state that both shared.
    """

    def __init__(
        self,
        device: Device,
        lesson: Lesson,
        learner: Learner | None,
        initial: Snapshot,
        tell: Callable[[Learned], None],
    ) -> None:
        self.learned = 0
        self.compared = 0
        self.difference: Difference | None = None
        self.reference_seconds = 0.0
        self.verified = initial
        self._device = device
        self._lesson = lesson
        self._learner = learner
        self._tell = tell
        self._sent = 0
        self._frames = 0
        self._told: deque[StepResult] = deque()
        self._unreported: deque[StepResult] = deque()
        self._expected: deque[Expected] = deque()
        self._candidates: deque[Snapshot] = deque()
        self._next_snapshot = SNAPSHOT_EVERY
        self._lead = max(LEAD, 2 * (lesson.experiment.thin or 0))
        self._non_finite: str | None = None

    def run(self) -> None:
        """Learn every step, or up to the first difference.

        Raises `DeviceFault` when the device faults (after the reference was
        asked whether it does too) and every `LinkError`.
        """
        try:
            self._run()
            if self._unreported and self.difference is None:
                self._device.digest()  # the last telemetry comes before its reply
        finally:
            while self._unreported:
                self._report(self._unreported.popleft())

    def _run(self) -> None:
        while self.learned < self._lesson.steps and self.difference is None:
            self._send()
            busy = self._may_compute()
            try:
                self._take(0.0 if busy else self._device.limits.step)
            except DeviceFault as fault:
                self._explain(fault)
                return
            if busy:
                self._compute()
            self._match()

    # -- device -----------------------------------------------------------

    def _send(self) -> None:
        lesson = self._lesson
        while self._device.credit and self._sent < lesson.steps:
            if self._sent - self.learned >= self._lead:
                return
            steps = feed.portion(lesson, self._sent, lesson.steps)
            feed.post(self._device, lesson, steps, self._flags(steps.end))
            self._sent = steps.end
            self._frames += 1

    def _flags(self, end: int) -> StepFlag:
        last = end == self._lesson.steps
        wanted = last or self._counting or self._frames % TELEMETRY_EVERY == 0
        flags = StepFlag.TELEMETRY if wanted else StepFlag(0)
        return flags | StepFlag.ALONE if self._counting else flags

    def _take(self, limit: float) -> None:
        self._told += self._device.take_steps(limit)

    # -- reference --------------------------------------------------------

    def _may_compute(self) -> bool:
        if self._learner is None or self._non_finite is not None:
            return False
        done = self._learner.step_number
        return done < self._lesson.steps and done - self.learned < self._lead

    def _compute(self) -> None:
        learner = self._learner
        assert learner is not None
        started = time.perf_counter()
        step = learner.step_number
        sample, label = self._lesson.sample(step)
        try:
            result = learner.step(sample, label, self._lesson.eta(step))
        except NonFinite as error:
            self._non_finite = error.tensor
        else:
            digested = self._lesson.digest_after(step)
            digest = learner.digest() if digested else None
            self._expected.append(Expected(step, result, digest))
            if digested and step + 1 >= self._next_snapshot:
                self._candidates.append(Snapshot(step + 1, learner.snapshot()))
                self._next_snapshot = step + 1 + SNAPSHOT_EVERY
        self.reference_seconds += time.perf_counter() - started

    # -- both -------------------------------------------------------------

    def _match(self) -> None:
        while self._told and self.difference is None:
            told = self._told[0]
            proved = [told]
            if self._learner is not None:
                if len(self._expected) < told.steps:
                    if self._non_finite is not None:
                        self.difference = self._only_reference_stops(told)
                    return
                expected = [self._expected.popleft() for _ in range(told.steps)]
                self.difference = compare(told, expected)
                if self.difference is not None:
                    return
                self.compared += told.steps
                self._verify(told)
                proved = [_as_told(each) for each in expected[:-1]]
                proved.append(replace(told, steps=1, right=None))
            self._told.popleft()
            self._unreported += proved
            self.learned += told.steps
            self._report_known()

    def _verify(self, told: StepResult) -> None:
        """Every candidate has its state's digest among what was compared."""
        while self._candidates and self._candidates[0].step <= told.step + 1:
            self.verified = self._candidates.popleft()

    def _report_known(self) -> None:
        """Tell of steps of which nothing more will come. Telemetry follows its
        STEP's reply, so with counting a step waits for it, or for the next."""
        while self._unreported:
            step = self._unreported[0].step
            known = not self._counting or self._instructions(step) is not None
            if not known and len(self._unreported) == 1:
                return
            self._report(self._unreported.popleft())

    def _report(self, told: StepResult) -> None:
        _, label = self._lesson.sample(told.step)
        loss, eta = float(told.loss), float(self._lesson.eta(told.step))
        correct = int(np.argmax(told.outputs)) == label
        right = int(correct) if told.right is None else told.right
        counted = self._instructions(told.step) if self._counting else None
        self._tell(
            Learned(
                told.step, loss, correct, eta, told.digest, counted, told.steps, right
            )
        )

    @property
    def _counting(self) -> bool:
        """Whether instructions are counted: only icount counts exactly."""
        return self._lesson.experiment.icount

    def _instructions(self, step: int) -> int | None:
        """Instructions of a step, once its telemetry is here."""
        for entry in reversed(self._device.telemetry):
            if entry.step == step + 1:
                return entry.instructions
            if entry.step <= step:
                break
        return None

    def _only_reference_stops(self, told: StepResult) -> Difference:
        note = f"the reference met a non-finite {self._non_finite}, the device did not"
        return Difference(told.step, str(self._non_finite), note=note)

    def _explain(self, fault: DeviceFault) -> None:
        """After a FAULT: compare what was told before it, then see whether the
        reference stops at the same step; re-raises unless that differs."""
        try:
            while True:
                told = self._device.take_steps(0.0)
                if not told:
                    break
                self._told += told
        except (DeviceFault, LinkError):
            pass  # nothing more came before the fault, which is what is told
        while self._told and self._expected_soon() and self.difference is None:
            self._match()
        if self.difference is not None:
            return
        if fault.cause != Cause.NON_FINITE or self._learner is None:
            raise fault
        while (
            self._learner.step_number <= (fault.step or 0) and self._non_finite is None
        ):
            self._compute()
        if self._non_finite is None:
            note = f"{fault}; the reference went on"
            self.difference = Difference(fault.step or 0, "fault", note=note)
            return
        fault.hints = ("the reference stops at the same step", *fault.hints)
        raise fault

    def _expected_soon(self) -> bool:
        """Compute until the reference has what is to be compared next, or ends."""
        wanted = self._told[0].steps
        while (
            self._learner is not None
            and len(self._expected) < wanted
            and self._non_finite is None
        ):
            self._compute()
        return self._learner is None or len(self._expected) >= wanted
