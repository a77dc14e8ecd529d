"""What a demo's device meets: samples in time order, task by task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from hil.data import arrays, tasks
from hil.data.tasks import Task
from hil.errors import UsageError


@dataclass(frozen=True, eq=False)
class Part:
    """One task: samples x [n, features] with labels y [n] in the order in which they
    come, and what its accuracy is tested with (None: it is not). The last ones may have
    no samples."""

    name: str
    x: np.ndarray
    y: np.ndarray
    test: tuple[np.ndarray, np.ndarray] | None = None


@dataclass(frozen=True, eq=False)
class Stream:
    """Parts one after another, all of the same features and type. `scale` is what
    the device divides a sample by (None: what its type says); `extra` are further
    arrays of a data file (docs/data.md)."""

    parts: Sequence[Part]
    scale: float | None = None
    extra: Mapping[str, np.ndarray] = field(default_factory=dict)

    def write(self, path: Path) -> Path:
        """As a data file. Tests that are the same arrays are written once. Raises
        `UsageError` where no part has any."""
        found: list[Task] = []
        tests: list[tuple[np.ndarray, np.ndarray]] = []
        places: dict[tuple[int, int], tuple[int, int]] = {}
        end = tested = 0
        for part in self.parts:
            end, first = end + len(part.x), tested
            if part.test is not None:
                key = id(part.test[0]), id(part.test[1])
                if key not in places:
                    tested += len(part.test[0])
                    places[key] = (first, tested)
                    tests.append(part.test)
                found.append(Task(part.name, end, *places[key]))
            else:
                found.append(Task(part.name, end, first, first))
        if not tests:
            names = ", ".join(part.name for part in self.parts) or "no part at all"
            raise UsageError(
                f"a stream has no tests ({names}): expected a part with some"
            )
        scale = {} if self.scale is None else {"scale": np.float32(self.scale)}
        made = {
            "x": np.concatenate([part.x for part in self.parts]),
            "y": np.concatenate([part.y for part in self.parts]),
            "x_test": np.concatenate([x for x, _ in tests]),
            "y_test": np.concatenate([y for _, y in tests]),
            **tasks.arrays(found),
            **scale,
            **self.extra,
        }
        return arrays.write(path, made, packed=True)
