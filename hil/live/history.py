"""What the live view remembers of the steps that were learned, in bounded memory."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping, Sequence

import numpy as np

from hil.learning.telling import Learned
from hil.live.plot import Curve
from hil.records.continual import WINDOW

FIRST = 20
"""Samples that must be there before a share of them is shown."""
PAIRS = 500
"""Samples that the confusion matrix counts."""
ANGLES = 12
"""Angles of each layer that are kept."""


class History:
    """Curves and counts of one run. `classes` is the number of labels.

    `recent` and `whole` are curves of prequential accuracy, of the latest `WINDOW`
    samples and of all, `loss` that of the mean loss of the latest `WINDOW`. `angles`:
    a row of the latest for each layer, in degrees; `ticks`: of each watched cell its
    spikes "s1", potentials "u1" and traces "a1" in the latest step that told of them, and
    `rates`, spikes a tick and cell of each hidden layer. Of steps that a resident frame has
    told of together, the confusion knows the last. Rehearsed steps, whose sample was
    learned before, are in the angles alone.
    """

    def __init__(self, classes: int) -> None:
        self.loss = Curve()
        self.recent = Curve()
        self.whole = Curve()
        self.angles: list[deque[float | None]] = []
        self.ticks: dict[int, dict[str, Sequence[float]]] = {}
        self.rates: Sequence[float] = ()
        self.task = 0
        self.classes = classes
        self._sums = np.zeros((4, 1))
        self._pairs: deque[tuple[int, int]] = deque(maxlen=PAIRS)

    def add(self, done: Sequence[Learned]) -> None:
        """Take in steps: many at once, since each by itself would take a tenth of the
        time that a fast device needs for it."""
        met = [each for each in done if not each.rehearsed]
        if met:
            self._add_curves(met)
            self.task = met[-1].task
            self._pairs.extend(
                (each.label, each.predicted)
                for each in met[-PAIRS:]
                if each.label is not None and each.predicted is not None
            )
        for each in done:
            if each.health is not None:
                self._add_angles(each.health.angle)
                self._add_ticks(each.health.promises)
                self.rates = each.health.promises.get("rate", self.rates)

    def _add_curves(self, done: Sequence[Learned]) -> None:
        """Running sums of samples, right ones, finite losses and how many these are;
        what a window holds is a difference of two."""
        new = np.array(
            [
                (each.steps, each.right, each.steps * each.loss, each.steps)
                if math.isfinite(each.loss)
                else (each.steps, each.right, 0.0, 0)
                for each in done
            ]
        )
        before, known = self._sums, self._sums.shape[1]
        sums = np.hstack([before, before[:, -1:] + np.cumsum(new, axis=0).T])
        samples = sums[0, known:]
        first = np.searchsorted(sums[0], samples - WINDOW, side="right") - 1
        first = np.maximum(first, 0)
        held = sums[:, known:] - sums[:, first]
        self.loss.add(held[2] / np.maximum(held[3], 1))
        shown = samples >= FIRST
        self.recent.add((held[1] / held[0])[shown])
        self.whole.add((sums[1, known:] / samples)[shown])
        self._sums = sums[:, first[-1] :]

    def _add_angles(self, angles: Sequence[float | None]) -> None:
        if not self.angles:
            self.angles = [deque(maxlen=ANGLES) for _ in angles]
        for kept, angle in zip(self.angles, angles, strict=True):
            kept.append(angle)

    def _add_ticks(self, told: Mapping[str, Sequence[float]]) -> None:
        for name, values in told.items():
            if name.endswith("]"):
                what, _, cell = name[:-1].partition("[")
                self.ticks.setdefault(int(cell), {})[what] = values

    def confusion(self) -> np.ndarray:
        """[classes, classes] counts of the latest samples: row label, column what
        was predicted before it was learned."""
        counts = np.zeros((self.classes, self.classes), np.int64)
        if self._pairs:
            labels, predicted = np.array(self._pairs).T
            np.add.at(counts, (labels, predicted), 1)
        return counts
