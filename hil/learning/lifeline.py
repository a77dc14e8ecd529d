"""A run that goes on when its line, or its device, was lost.

An unplugged line is opened again, and what was in flight is sent again. A device
that has forgotten the session goes back to its newest checkpoint that the run has
been told of, or to the start, and is brought forward from there.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from hil.desk.attach import Attached, greet
from hil.device.device import Device
from hil.device.greeting import Greeting
from hil.errors import DeviceReset, HilError, LineClosed, LinkError, NoCheckpoint
from hil.learning.compare import Difference
from hil.learning.divergence import Snapshot, write_state
from hil.learning.lockstep import Lockstep
from hil.lesson.building import Built
from hil.lesson.lesson import Lesson

LOST = (DeviceReset, LineClosed)
"""What a device or a line may recover from."""
IDLE_RECOVERIES = 20
"""Recoveries without progress between them, after which the last loss is final."""


class Lifeline:
    """What takes one run, and its `device`, through losses, if the lesson is to last.

    `counts` is told of each (`replugged`, `recovered`). `initial` is the state that
    the run starts from, `drawn` whether it is the seed's, `resumes` whether it comes
    from a checkpoint; `lockstep` is there once learning has begun.
    """

    def __init__(
        self,
        lesson: Lesson,
        built: Built,
        attached: Attached,
        device: Device,
        counts: dict[str, int],
        resumes: bool,
    ) -> None:
        self.initial = Snapshot(0, {})
        self.drawn = lesson.experiment.init is None
        self.lockstep: Lockstep | None = None
        self._lesson = lesson
        self._built = built
        self._attached = attached
        self.device = device
        self._counts = counts
        self._resumes = resumes
        self._idle = 0
        self._parts = 0

    @property
    def difference(self) -> Difference | None:
        """What learning has ended with."""
        return self.lockstep.difference if self.lockstep else None

    def progressed(self) -> None:
        """Something was done that need not be done again."""
        self._idle = 0

    def through(self, stage: Callable[[Lifeline], None]) -> None:
        """Go through a stage, anew whenever the device was lost on the way; what it
        had learned before, it learns again first. A difference found in that ends
        it. Raises what is no loss, and the last of too many losses."""
        while True:
            try:
                if self.lockstep is not None:
                    self._get_on(self.lockstep)
                if self.difference is None:
                    stage(self)
                return
            except LOST as lost:
                self._recover(lost)
                if self.lockstep is None or self.lockstep.done:
                    self.device.forget()

    def start(self, told: Greeting) -> tuple[int, int]:
        """Put a device that was greeted where it can go on: (next step, digest)."""
        lesson, device = self._lesson, self.device
        seed = lesson.spec.seed
        if self.lockstep is not None and told.committed_step is not None:
            # what a checkpoint holds beyond that, nobody has been told
            with suppress(NoCheckpoint):
                return device.resume(seed, self.lockstep.heard)
        elif self._resumes:
            return device.resume(seed)
        if self.drawn:
            return 0, device.init(seed)
        return 0, write_state(device, seed, self.initial)

    def _get_on(self, lockstep: Lockstep) -> None:
        heard = lockstep.heard
        try:
            lockstep.run()
        finally:
            if lockstep.heard > heard:
                self.progressed()

    def _recover(self, lost: HilError) -> None:
        """Bring the device back to where it can go on. Raises `lost` where that may
        not be."""
        forgot = isinstance(lost, DeviceReset)
        while True:
            self._idle += 1
            if not self._lesson.lasting:
                raise lost
            if self._idle > IDLE_RECOVERIES:
                tries = f"brought back {IDLE_RECOVERIES} times without a step between"
                lost.hints = (f"the device was {tries}: it is given up", *lost.hints)
                raise lost
            if forgot and self._lesson.spec.gate.budget is not None:
                raise lost  # its counts, and so its steps, would be others
            try:
                if isinstance(lost, LineClosed):
                    self._counts["replugged"] += 1
                    forgot |= self._attached.revive(self._lesson.target.limits.boot)
                if not forgot:
                    if self.device.parts > self._parts:  # of a frame not yet whole
                        self.progressed()
                    self._parts = self.device.parts
                    self.device.repeat()
                    return
                self._counts["recovered"] += 1
                self._come_back()
                return
            except LOST as again:
                lost = again

    def _come_back(self) -> None:
        """A device that has forgotten the session: to its newest checkpoint, or to
        the start."""
        told = greet(self.device, self._lesson, self._built, anew=True)
        if self.lockstep is None:
            return
        step, digest = self.start(told)
        if step < self.lockstep.committed:
            raise LinkError(
                f"the device came back at step {step}, but it had told of a checkpoint "
                f"of step {self.lockstep.committed}",
                "its flash does not keep what it was given",
            )
        known = self.lockstep.digest_at(step)
        if known is not None and known != digest:
            raise LinkError(
                f"the device came back at step {step} with digest {digest:08x}, but it "
                f"had {known:08x} there",
                "its flash has changed what it was given",
            )
        self.lockstep.rewind(step)
