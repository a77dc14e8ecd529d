"""An exam: what a device has learned so far, by inference of test samples on it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from codegen.reference import Learner, NonFinite
from hil.device.device import Device
from hil.learning.compare import Difference, difference
from hil.learning.divergence import Found
from hil.learning.residuals import Residuals
from hil.lesson.lesson import Lesson

CHUNK = 100
"""Test samples inferred between two looks at the progress line."""


class Exam:
    """The tests of a lesson after `step` steps, each sample inferred once. The
    `learner` of that step says what every output must be, None: nobody does.

    It goes on where it was when the device was lost in its midst."""

    def __init__(self, lesson: Lesson, learner: Learner | None, step: int) -> None:
        self._lesson = lesson
        self._learner = learner
        self._step = step
        self._samples = sorted({i for part in lesson.tests for i in part})
        self._right = np.zeros(len(lesson.dataset.test_x), np.bool_)
        self.residuals = Residuals(lesson.spec.network.n_out)
        self.tested = 0

    def take(self, device: Device, progressed: Callable[[], None]) -> Found | None:
        """Infer what is left; the first output that differs from the reference's ends
        it. Raises every `LinkError`."""
        data = self._lesson.dataset
        while chunk := self._samples[self.tested : self.tested + CHUNK]:
            asked = [sample.tobytes() for sample in data.test_x[chunk]]
            for outputs in device.inferred(asked):
                told, chunk = chunk[: len(outputs)], chunk[len(outputs) :]
                found = first_difference(
                    self._learner, self._step, data.test_x[told], outputs
                )
                if found is not None:
                    return found
                self._judge(told, outputs)
                self.tested += len(told)
                progressed()
        return None

    @property
    def right(self) -> int:
        """Samples inferred right."""
        return int(self._right.sum())

    @property
    def row(self) -> list[float | None]:
        """Accuracy in each task's test part, None where it has none, or where nothing
        is right or wrong."""
        labelled = self._lesson.spec.goal == "label"
        return [
            float(self._right[part].mean()) if part and labelled else None
            for part in self._lesson.tests
        ]

    def _judge(self, told: list[int], outputs: np.ndarray) -> None:
        """Against labels, or against targets."""
        data = self._lesson.dataset
        if self._lesson.spec.goal == "label":
            self._right[told] = outputs.argmax(axis=1) == data.test_y[told]
        else:
            self.residuals.add(outputs, self._lesson.test_targets[told])


def first_difference(
    learner: Learner | None, step: int, x: np.ndarray, outputs: np.ndarray
) -> Found | None:
    """The first of the `outputs` [n, n_out] of samples `x` [n, elements] that the
    `learner` of step `step` does not infer; None without one."""
    for sample, told in zip(x, outputs, strict=True) if learner else ():
        assert learner is not None
        try:
            expected = learner.infer(sample)
        except NonFinite as error:
            note = f"the reference met a non-finite {error.tensor}"
            return Found(Difference(step, "p", when="test", note=note))
        seen = difference(step, "p", told, expected, "test")
        if seen is not None:
            return Found(seen, told, expected)
    return None
