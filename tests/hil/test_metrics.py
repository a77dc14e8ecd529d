"""metrics.jsonl: lines that any JSON parser reads, whatever a step has told."""

from __future__ import annotations

import json
import math
import tracemalloc
from pathlib import Path

from hil.learning.metrics import Metrics
from hil.learning.telling import Learned


def test_lines_are_json_with_null_for_what_there_is_not(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    with Metrics(path) as metrics:
        metrics.add(Learned(0, 0, 0.1 + 0.2, 3, 3, 0.5, 1e-07, 0xBEEF, 8510, 1, 1))
        metrics.add(
            Learned(1, 1, math.nan, 3, 4, math.inf, 0.5, None, None, 1, 0, 0.25)
        )
        assert (metrics.prequential, metrics.loss) == (0.5, 0.1 + 0.2)
    first, second = map(json.loads, path.read_text().splitlines())
    assert first == {
        "step": 0, "task": 0, "loss": 0.1 + 0.2, "label": 3, "predicted": 3,
        "confidence": 0.5, "correct": True, "prequential": 1.0,
        "eta": 1e-07, "digest": "0000beef", "instructions": 8510,
        "threshold": None,
    }  # fmt: skip
    assert second == {
        "step": 1, "task": 1, "loss": None, "label": 3, "predicted": 4,
        "confidence": None, "correct": False, "prequential": 0.5,
        "eta": 0.5, "digest": None, "instructions": None,
        "threshold": 0.25,
    }  # fmt: skip


def test_a_long_run_is_remembered_in_as_much_memory_as_a_short_one(
    tmp_path: Path,
) -> None:
    """A byte for each of these steps would be 20,000."""
    with Metrics(tmp_path / "metrics.jsonl") as metrics:
        add_steps(metrics, range(5000))
        tracemalloc.start()
        add_steps(metrics, range(5000, 25000))
        kept, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert metrics.summary([], []) is not None and kept < 10000


def add_steps(metrics: Metrics, steps: range) -> None:
    for n in steps:
        sure = (n % 997) / 997
        metrics.add(
            Learned(
                n, min(n // 4000, 1), 0.5, 3, n % 5, sure, 0.1, n, None, 1, n % 5 == 3
            )
        )
