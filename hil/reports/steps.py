"""metrics.jsonl as columns, and what a curve shows of them."""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hil.records import run_files

POINTS = 400
"""Points of a curve at most: more than a screen shows."""

COLUMNS: dict[str, tuple[type, float]] = {
    "step": (np.int64, 0), "loss": (np.float64, np.nan), "correct": (np.float64, np.nan),
    "label": (np.int64, -1), "predicted": (np.int64, -1),
    "confidence": (np.float64, np.nan), "task": (np.int64, 0),
}  # fmt: skip
"""Of a line: the type of each, and what it is where it was not told."""


@dataclass(frozen=True, eq=False)
class Steps:
    """A line a step, those of rehearsal left out.

    All [n]: `sample`, the place in the stream, which is the step where nothing is
    rehearsed; `loss`, `confidence` (NaN where not finite or not told);
    `correct`; `label`, `predicted` (-1 where not told); `task`. `health` is a list
    of (sample, table). `outputs` [n, outputs], None unless every line has them. `whole`:
    no step is without its line.
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
    outputs: np.ndarray | None = None

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


def read(folder: Path, pace: int = 1) -> Steps:
    """What the steps of the run in `folder` have told. Each sample of the stream comes
    to `pace` steps. Raises `UsageError`."""
    health, whole, last = [], True, None
    columns: dict[str, array[float]] = {name: array("d") for name in COLUMNS}
    answers = array("d")
    for told in run_files.steps(folder):
        whole &= last is None or told["step"] == last + 1
        last = told["step"]
        if told.get("health"):
            health.append((last // pace, told["health"]))
        if not told.get("rehearsed"):
            for name, (_, absent) in COLUMNS.items():
                value = told.get(name)
                columns[name].append(absent if value is None else value)
            answers.extend(np.nan if v is None else v for v in told.get("outputs", ()))
    made: dict[str, np.ndarray] = {
        name: np.array(columns[name]).astype(kind)
        for name, (kind, _) in COLUMNS.items()
    }
    sample = made.pop("step") // pace
    kept = np.array(answers).reshape(len(sample), -1) if answers else None
    return Steps(sample=sample, health=tuple(health), whole=whole, outputs=kept, **made)


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
