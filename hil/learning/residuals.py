"""How far outputs are from what they should be: RMSE, MAE and R2 (docs/record.md)."""

from __future__ import annotations

from typing import Any

import numpy as np


class Residuals:
    """Sums over samples, an output each, in float64.

    R2 is 1 - SSE / SST, SST around the mean of the targets that were tested; over all
    outputs it is the same of the sums (variance-weighted). None where SST is 0.
    """

    def __init__(self, outputs: int) -> None:
        self.samples = 0
        self._squared, self._absolute = np.zeros(outputs), np.zeros(outputs)
        self._sum, self._squares = np.zeros(outputs), np.zeros(outputs)

    def add(self, outputs: np.ndarray, targets: np.ndarray) -> None:
        """Take outputs and targets [n, outputs]."""
        t = targets.astype(np.float64)
        residuals = outputs.astype(np.float64) - t
        self.samples += len(t)
        self._squared += (residuals**2).sum(axis=0)
        self._absolute += np.abs(residuals).sum(axis=0)
        self._sum += t.sum(axis=0)
        self._squares += (t**2).sum(axis=0)

    def figures(self) -> dict[str, Any] | None:
        """All outputs together, then each; None without a sample."""
        if not self.samples:
            return None
        spread = self._squares - self._sum**2 / self.samples
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
