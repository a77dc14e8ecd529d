"""How far outputs are from what they should be: RMSE, MAE and R2 (docs/record.md)."""

from __future__ import annotations

from typing import Any

import numpy as np


class Residuals:
    """Sums over samples, an output each, in float64.

    R2 is 1 - SSE / SST, SST around the mean of the targets that were tested, merged
    block by block so that a large mean costs nothing (Chan, Golub and LeVeque 1983,
    eq. 1.5); over all outputs it is the same of the sums (variance-weighted). None
    where no target varies.
    """

    def __init__(self, outputs: int) -> None:
        self.samples = 0
        self._squared, self._absolute = np.zeros(outputs), np.zeros(outputs)
        self._mean, self._spread = np.zeros(outputs), np.zeros(outputs)
        self._least = np.full(outputs, np.inf)
        self._most = np.full(outputs, -np.inf)

    def add(self, outputs: np.ndarray, targets: np.ndarray) -> None:
        """Take outputs and targets [n, outputs]."""
        t = targets.astype(np.float64)
        residuals = outputs.astype(np.float64) - t
        self._squared += (residuals**2).sum(axis=0)
        self._absolute += np.abs(residuals).sum(axis=0)
        self._least = np.minimum(self._least, t.min(axis=0))
        self._most = np.maximum(self._most, t.max(axis=0))
        n, m = self.samples, len(t)
        mean = t.mean(axis=0)
        apart = mean - self._mean
        self._spread += ((t - mean) ** 2).sum(axis=0) + apart**2 * (n * m / (n + m))
        self._mean += apart * (m / (n + m))
        self.samples += m

    def figures(self) -> dict[str, Any] | None:
        """All outputs together, then each; None without a sample."""
        if not self.samples:
            return None
        spread = np.where(self._least == self._most, 0.0, self._spread)
        each = zip(self._squared, self._absolute, spread, strict=True)
        return {
            "tested": self.samples,
            **self._row(self._squared.sum(), self._absolute.sum(), spread.sum()),
            "outputs": [self._row(*sums, outputs=1) for sums in each],
        }

    def _row(
        self, squared: float, absolute: float, spread: float, outputs: int = 0
    ) -> dict[str, float | None]:
        count = self.samples * (outputs or self._squared.size)
        return {
            "rmse": float(np.sqrt(squared / count)),
            "mae": float(absolute / count),
            "r2": float(1 - squared / spread) if spread > 0 else None,
        }
