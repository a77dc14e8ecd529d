"""Steps that are done, told in order to whoever keeps or shows them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np

from codegen.reference.health import Health
from hil.device.device import Device
from hil.device.replies import StepResult
from hil.lesson.lesson import Lesson


class Learned(NamedTuple):
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
    """Gives steps to `tell`, some at a time, once nothing more will be known of them.

    Telemetry follows its STEP's reply, so where instructions are counted a step waits
    for it, or for the next.
    """

    def __init__(
        self, device: Device, lesson: Lesson, tell: Callable[[Sequence[Learned]], None]
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
        self._tell_of(self._known() if self._counting else self._all())

    def end(self) -> None:
        """Tell what waits, as it is."""
        self._tell_of(self._all())

    def _all(self) -> list[StepResult]:
        found = list(self._waiting)
        self._waiting.clear()
        return found

    def _known(self) -> list[StepResult]:
        """Those that wait for nothing any more."""
        found: list[StepResult] = []
        while self._waiting:
            step = self._waiting[0].step
            if not self._device.telemetry.after(step) and len(self._waiting) == 1:
                break
            found.append(self._waiting.popleft())
        return found

    def _tell_of(self, told: Sequence[StepResult]) -> None:
        """Steps that came one after another; what they have in common is looked up
        for all of them at once."""
        if not told:
            return
        lesson, steps = self._lesson, [each.step for each in told]
        labels = lesson.labels(steps)
        predicted, sure = _predicted(told, labels)
        rows = zip(told, labels, predicted, sure, lesson.etas(steps), strict=True)
        self._tell([self._learned(*row) for row in rows])

    def _learned(
        self,
        told: StepResult,
        label: int | None,
        predicted: int | None,
        sure: float | None,
        eta: float,
    ) -> Learned:
        lesson, step = self._lesson, told.step
        right, counted, threshold = told.right, None, None
        if right is None:
            right = int(label is not None and predicted == label)
        watched = self._counting or lesson.spec.gate.rows
        if watched and (telemetry := self._device.telemetry.after(step)):
            counted = telemetry.instructions if self._counting else None
            threshold = telemetry.threshold if lesson.spec.gate.rows else None
        return Learned(
            step, lesson.task(step), float(told.loss), label, predicted, sure, eta,
            told.digest, counted, told.steps, right, threshold,
            self._health.pop(step, None) if self._health else None,
            lesson.turn(step).rehearsed if lesson.rehearsal else False,
            told.outputs,
            () if told.steps == 1 else self._labels(told),
        )  # fmt: skip

    def _labels(self, told: StepResult) -> tuple[int, ...]:
        """Labels of the steps that one stands for."""
        found = self._lesson.labels(range(told.first, told.step + 1))
        return tuple(label for label in found if label is not None)


def _predicted(
    told: Sequence[StepResult], labels: Sequence[int | None]
) -> tuple[list[int], list[float]] | tuple[list[None], list[None]]:
    """Of each step the place of its largest output, the first of equal ones, and that
    output; None where nothing is predicted."""
    if labels[0] is None:
        return [None] * len(told), [None] * len(told)
    outputs = np.array([each.outputs for each in told])
    places = outputs.argmax(axis=1)
    return places.tolist(), outputs[np.arange(len(told)), places].tolist()
