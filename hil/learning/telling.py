"""Steps that are done, told in order to whoever keeps or shows them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from codegen.reference.health import Health
from hil.device.device import Device
from hil.device.replies import StepResult
from hil.lesson.lesson import Lesson


@dataclass(frozen=True)
class Learned:
    """One step that is done (and, with a reference, was found equal).

    `outputs` [n_out] are those before it was learned, `predicted` the largest one's place, and
    `confidence` that output; both None, as the `label`, where steps learn otherwise.
    Where a resident frame was not compared, it is its last
    step, and stands for all `steps` of them, of which `right` were predicted right; they
    have these `labels` then.
    A `rehearsed` one was learned before, so its prediction counts for nothing."""

    step: int
    task: int
    loss: float
    label: int | None
    predicted: int | None
    confidence: float | None
    eta: float
    digest: int | None
    instructions: int | None
    steps: int
    right: int
    threshold: float | None = None
    health: Health | None = None
    rehearsed: bool = False
    outputs: np.ndarray | None = None
    labels: tuple[int, ...] = ()


class Telling:
    """Gives each step to `tell` once nothing more will be known of it.

    Telemetry follows its STEP's reply, so where instructions are counted a step waits
    for it, or for the next.
    """

    def __init__(
        self, device: Device, lesson: Lesson, tell: Callable[[Learned], None]
    ) -> None:
        self._device = device
        self._lesson = lesson
        self._tell = tell
        self._counting = lesson.experiment.icount
        self._waiting: deque[StepResult] = deque()
        self._health: dict[int, Health] = {}

    def __len__(self) -> int:
        """Steps that wait."""
        return len(self._waiting)

    def note(self, step: int, health: Health) -> None:
        """How the learner is after a step that will be told."""
        self._health[step] = health

    def add(self, done: Iterable[StepResult]) -> None:
        """Take steps, and tell those that are known."""
        self._waiting += done
        while self._waiting:
            step = self._waiting[0].step
            known = not self._counting or self._device.telemetry.after(step)
            if not known and len(self._waiting) == 1:
                return
            self._tell_of(self._waiting.popleft())

    def end(self) -> None:
        """Tell what waits, as it is."""
        while self._waiting:
            self._tell_of(self._waiting.popleft())

    def _tell_of(self, told: StepResult) -> None:
        lesson, step = self._lesson, told.step
        label = lesson.label(step)
        predicted = None if label is None else int(told.outputs.argmax())
        right = (
            int(label is not None and predicted == label)
            if told.right is None
            else told.right
        )
        telemetry = self._device.telemetry.after(step)
        counted = telemetry.instructions if telemetry and self._counting else None
        gated = telemetry is not None and lesson.spec.gate.rows
        self._tell(
            Learned(
                step,
                lesson.task(step),
                float(told.loss),
                label,
                predicted,
                None if predicted is None else float(told.outputs[predicted]),
                float(lesson.eta(step)),
                told.digest,
                counted,
                told.steps,
                right,
                telemetry.threshold if telemetry and gated else None,
                self._health.pop(step, None),
                lesson.turn(step).rehearsed,
                told.outputs,
                self._labels(told),
            )
        )

    def _labels(self, told: StepResult) -> tuple[int, ...]:
        """Labels of the steps that one stands for, where these are several."""
        if told.steps == 1:
            return ()
        steps = range(told.step - told.steps + 1, told.step + 1)
        found = map(self._lesson.label, steps)
        return tuple(label for label in found if label is not None)
