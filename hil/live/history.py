"""What the live view remembers of the steps that were learned, in bounded memory."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence

import numpy as np

from hil.continual import Sliding
from hil.live.plot import Curve
from hil.lockstep import Learned
from hil.metrics import Metrics

FIRST = 20
"""Samples that must be there before a share of them is shown."""
PAIRS = 500
"""Samples that the confusion matrix counts."""
ANGLES = 12
"""Angles of each layer that are kept."""


class History:
    """Curves and counts of one run. `classes` is the number of labels.

    `loss`, `recent` and `whole` are curves: loss, and prequential accuracy of the
    latest `WINDOW` samples and of all. `angles`: a row of the latest for each layer,
    in degrees. Of steps that a resident frame has told of together, the confusion
    knows the last, and their order is taken to be right ones first.
    """

    def __init__(self, classes: int) -> None:
        self.loss = Curve()
        self.recent = Curve()
        self.whole = Curve()
        self.angles: list[deque[float | None]] = []
        self.task = 0
        self._classes = classes
        self._steps = self._right = 0
        self._mean = 0.0
        self._sliding = Sliding()
        self._pairs: deque[tuple[int, int]] = deque(maxlen=PAIRS)

    def add(self, done: Learned) -> None:
        """Take in one step, or those that were told of together."""
        self._steps += done.steps
        self._right += done.right
        for place in range(done.steps):
            self._sliding.add(place < done.right)
        if math.isfinite(done.loss):
            share = max(Metrics.SMOOTHING, done.steps / self._steps)
            self._mean += share * (done.loss - self._mean)
        self.loss.add(self._mean)
        if self._steps >= FIRST:
            self.recent.add(self._sliding.accuracy or 0.0)
            self.whole.add(self._right / self._steps)
        self.task = done.task
        self._pairs.append((done.label, done.predicted))
        if done.health is not None:
            self._add_angles(done.health.angle)

    def _add_angles(self, angles: Sequence[float | None]) -> None:
        if not self.angles:
            self.angles = [deque(maxlen=ANGLES) for _ in angles]
        for kept, angle in zip(self.angles, angles, strict=True):
            kept.append(angle)

    def confusion(self) -> np.ndarray:
        """[classes, classes] counts of the latest samples: row label, column what
        was predicted before it was learned."""
        counts = np.zeros((self._classes, self._classes), np.int64)
        if self._pairs:
            labels, predicted = np.array(self._pairs).T
            np.add.at(counts, (labels, predicted), 1)
        return counts
