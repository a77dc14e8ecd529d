"""Measures of learning that goes on: of a stream, and of its tasks.

Pure functions of what a device predicted before it learned it (prequential: test,
then train), and of R, where R[i][j] is the accuracy in task j's tests after task i. An
entry is None where a task has no tests, or was not reached: it counts for nothing.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from itertools import groupby

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
    def right(self) -> int | None:
        """How many of `size` were right; None of fewer."""
        latest = self._latest
        return self._right if len(latest) == latest.maxlen else None

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


class Recovery:
    """How many steps a learner needs to recover from a drift, one `add` a sample after
    it. `before`: how many of the `window` samples before the drift were predicted
    right, None where there were fewer samples."""

    def __init__(self, before: int | None, window: int = WINDOW) -> None:
        self.steps: int | None = None
        """Steps from the drift to the first after which the latest `window` samples,
        all of them after the drift, are predicted with at least `RECOVERED` of the
        accuracy before it; None until then, and where nobody knows that accuracy."""
        self._before = before
        self._since = 0
        self._latest = Sliding(window)

    def add(self, right: bool) -> None:
        """One more sample, predicted right or not."""
        if self._before is None or self.steps is not None:
            return
        self._since += 1
        self._latest.add(right)
        now = self._latest.right
        if now is not None and now >= RECOVERED * self._before:
            self.steps = self._since


class Calibration:
    """ECE: |accuracy - mean confidence| in `bins` equal bins of confidence in [0, 1],
    weighted by their samples (Guo et al. 2017, eq. 3), one `add` a sample."""

    def __init__(self, bins: int = BINS) -> None:
        self._gaps = [0.0] * bins
        self._samples = 0
        self._shares = True

    def add(self, confidence: float, right: bool) -> None:
        """One more sample: its largest output, and whether that was right."""
        self._samples += 1
        if not 0 <= confidence <= 1:
            self._shares = False
            return
        place = min(int(confidence * len(self._gaps)), len(self._gaps) - 1)
        self._gaps[place] += right - confidence

    @property
    def error(self) -> float | None:
        """None without a sample, and where an output is no share, as with linear
        outputs."""
        if not self._samples or not self._shares:
            return None
        return sum(map(abs, self._gaps)) / self._samples


def separation(strange: Sequence[float], normal: Sequence[float]) -> float | None:
    """ROC AUC: the chance that a strange sample's score is above a normal one's, equal
    scores counting half (Hanley and McNeil 1982); None where there are none of one."""
    ranked = sorted(
        [(score, 1) for score in strange] + [(score, 0) for score in normal]
    )
    if not 0 < sum(kind for _, kind in ranked) < len(ranked):
        return None
    above, below = 0.0, 0
    for _, equal in groupby(ranked, key=lambda one: one[0]):
        kinds = [kind for _, kind in equal]
        here = len(kinds) - sum(kinds)
        above += sum(kinds) * (below + here / 2)
        below += here
    return above / (len(strange) * len(normal))


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


def calibration_error(
    confidence: Sequence[float], right: Sequence[bool], bins: int = BINS
) -> float | None:
    """The error of `Calibration` over all of these samples."""
    counted = Calibration(bins)
    for sure, hit in zip(confidence, right, strict=True):
        counted.add(sure, hit)
    return counted.error


def _minus(value: float | None, other: float | None) -> float | None:
    return None if value is None or other is None else value - other


def _mean(values: Sequence[float | None]) -> float | None:
    there = [value for value in values if value is not None]
    return sum(there) / len(there) if there else None
