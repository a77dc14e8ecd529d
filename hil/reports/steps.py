"""metrics.jsonl as columns, and what a curve shows of them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from hil.errors import UsageError

POINTS = 400
"""Points of a curve at most: more than a screen shows."""


@dataclass(frozen=True, eq=False)
class Steps:
    """A line a step, those of rehearsal left out.

    All [n]: `sample`, the place in the stream, which is the step where nothing is
    rehearsed; `loss`, `confidence` (NaN where not finite or not told);
    `correct`; `label`, `predicted` (-1 where not told); `task`. `health` is a list
    of (sample, table). `whole`: no step is without its line.
    """

    sample: np.ndarray
    loss: np.ndarray
    correct: np.ndarray
    label: np.ndarray
    predicted: np.ndarray
    confidence: np.ndarray
    task: np.ndarray
    health: tuple[tuple[int, Mapping[str, Any]], ...]
    whole: bool

    def __len__(self) -> int:
        return len(self.sample)

    def health_of(self, quantity: str) -> tuple[np.ndarray, np.ndarray]:
        """Samples [n] and `quantity` [n, layers], NaN where there was none."""
        told = [(sample, table.get(quantity) or []) for sample, table in self.health]
        layers = max((len(values) for _, values in told), default=0)
        rows = np.full((len(told), layers), np.nan)
        for row, (_, values) in zip(rows, told, strict=True):
            row[: len(values)] = [np.nan if v is None else v for v in values]
        return np.array([sample for sample, _ in told], np.int64), rows


def read(path: Path, pace: int = 1) -> Steps:
    """The lines of metrics.jsonl, none where there is no such file; a last line that
    was cut short is left out. Each sample of the stream comes to `pace` steps. Raises
    `UsageError`."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    told = []
    for number, line in enumerate(lines, 1):
        try:
            told.append(json.loads(line))
        except ValueError:
            if number < len(lines):
                raise UsageError(
                    f"{str(path)!r} cannot be read: line {number} is no JSON"
                ) from None
    health = tuple((t["step"] // pace, t["health"]) for t in told if t.get("health"))
    stream = [t for t in told if not t.get("rehearsed")]

    def column(name: str, dtype: type, absent: float) -> np.ndarray:
        values: Iterable[Any] = (t.get(name) for t in stream)
        return np.array([absent if v is None else v for v in values], dtype)

    return Steps(
        column("step", np.int64, 0) // pace,
        column("loss", np.float64, np.nan),
        column("correct", np.float64, np.nan),
        column("label", np.int64, -1),
        column("predicted", np.int64, -1),
        column("confidence", np.float64, np.nan),
        column("task", np.int64, 0),
        health,
        all(b["step"] - a["step"] == 1 for a, b in pairwise(told)),
    )


def windowed(values: np.ndarray, window: int) -> np.ndarray:
    """Mean of the latest `window` values [n], of fewer at the start; those that are
    NaN are left out."""
    known = np.isfinite(values)
    sums = np.cumsum(np.where(known, values, 0.0))
    counts = np.cumsum(known)
    sums[window:] = sums[window:] - sums[:-window]
    counts[window:] = counts[window:] - counts[:-window]
    return np.divide(sums, counts, out=np.full(len(values), np.nan), where=counts > 0)


def thinned(n: int) -> np.ndarray:
    """Places of at most `POINTS` of `n` values, evenly, with the first and the last."""
    return np.unique(np.linspace(0, n - 1, min(n, POINTS)).round().astype(np.int64))
