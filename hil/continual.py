"""Measures of learning that goes on: of a stream, and of its tasks.

Pure functions of what a device predicted before it learned it (prequential: test,
then train), and of R, where R[i][j] is the accuracy in task j's tests after task i. An
entry is None where a task has no tests, or was not reached: it counts for nothing.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import numpy as np

WINDOW = 100
"""Samples of the sliding window."""
FADING = 0.99
"""Weight that a sample loses with every later one."""
RECOVERED = 0.95
"""Share of its accuracy before a drift at which a device has recovered."""
BINS = 15
"""Bins of confidence of the calibration error."""

Row = Sequence[float | None]


class Sliding:
    """Prequential accuracy of the latest `size` samples (Gama, Sebastiao and
    Rodrigues 2013, section 3.2), one `add` a sample."""

    def __init__(self, size: int = WINDOW) -> None:
        self._latest: deque[bool] = deque(maxlen=size)
        self._right = 0

    def add(self, right: bool) -> None:
        """One more sample, predicted right or not."""
        latest = self._latest
        if len(latest) == latest.maxlen:
            self._right -= latest[0]
        latest.append(right)
        self._right += right

    @property
    def accuracy(self) -> float | None:
        """None before the first sample; of fewer than `size` while there are no more."""
        return self._right / len(self._latest) if self._latest else None


class Fading:
    """Prequential accuracy with fading factor `factor` (Gama, Sebastiao and Rodrigues
    2013, section 3.3): S = right + factor * S, B = 1 + factor * B, S / B."""

    def __init__(self, factor: float = FADING) -> None:
        self._factor = factor
        self._sum = self._weight = 0.0

    def add(self, right: bool) -> None:
        """One more sample, predicted right or not."""
        self._sum = right + self._factor * self._sum
        self._weight = 1.0 + self._factor * self._weight

    @property
    def accuracy(self) -> float | None:
        """None before the first sample."""
        return self._sum / self._weight if self._weight else None


def average_accuracy(matrix: Sequence[Row]) -> float | None:
    """ACC: mean over the tests of the last row (Lopez-Paz and Ranzato 2017, eq. 2)."""
    return _mean(list(matrix[-1])) if matrix else None


def backward_transfer(matrix: Sequence[Row]) -> float | None:
    """BWT: mean over earlier tasks j of R[T-1][j] - R[j][j] (Lopez-Paz and Ranzato
    2017, eq. 3): what came later did to what was learned. Negative: forgotten."""
    last = len(matrix) - 1
    return _mean([_minus(matrix[last][j], matrix[j][j]) for j in range(max(last, 0))])


def forward_transfer(matrix: Sequence[Row], initial: Row) -> float | None:
    """FWT: mean over later tasks j of R[j-1][j] - b[j], b being the accuracy before
    anything was learned (Lopez-Paz and Ranzato 2017, eq. 4)."""
    later = range(1, len(matrix))
    return _mean([_minus(matrix[j - 1][j], initial[j]) for j in later])


def forgetting(matrix: Sequence[Row]) -> float | None:
    """F: mean over earlier tasks j of the best R[l][j] of l < T - 1, less R[T-1][j]
    (Chaudhry et al. 2018, section 3)."""
    last = len(matrix) - 1
    lost = []
    for j in range(max(last, 0)):
        known = [row[j] for row in matrix[:last]]
        best = max((value for value in known if value is not None), default=None)
        lost.append(_minus(best, matrix[last][j]))
    return _mean(lost)


def recovery(
    right: Sequence[bool], drift: int, end: int, window: int = WINDOW
) -> int | None:
    """Steps from a drift at step `drift` to the first after which the latest
    `window` samples, all of them after the drift, are predicted with at least
    `RECOVERED` of the accuracy of the `window` samples before it. None when that does
    not happen before step `end`, or fewer samples came before the drift."""
    if drift < window or end - drift < window:
        return None
    hits = np.asarray(right[drift - window : end], np.int64)
    sums = np.convolve(hits, np.ones(window, np.int64), "valid")
    good = np.flatnonzero(sums[window:] >= RECOVERED * sums[0])
    return int(good[0]) + window if good.size else None


def calibration_error(
    confidence: Sequence[float], right: Sequence[bool], bins: int = BINS
) -> float | None:
    """ECE: |accuracy - mean confidence| in `bins` equal bins of confidence in [0, 1],
    weighted by their samples (Guo et al. 2017, eq. 3). None without a sample, and where
    an output is no share, as with linear outputs."""
    sure, hits = np.asarray(confidence, np.float64), np.asarray(right, np.float64)
    if not sure.size or not ((sure >= 0) & (sure <= 1)).all():
        return None
    place = np.minimum((sure * bins).astype(np.int64), bins - 1)
    gaps = np.bincount(place, hits - sure, bins)
    return float(np.abs(gaps).sum() / sure.size)


def _minus(value: float | None, other: float | None) -> float | None:
    return None if value is None or other is None else value - other


def _mean(values: Sequence[float | None]) -> float | None:
    there = [value for value in values if value is not None]
    return sum(there) / len(there) if there else None
