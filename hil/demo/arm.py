"""One device of a demo, after it has met its stream."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from codegen.numbers import NUMBERS
from hil.errors import UsageError, did_you_mean
from hil.lesson import weights
from hil.records.record import CYCLES, METRICS


@dataclass(frozen=True)
class Arm:
    """What a run's record says, by the names of its tasks. `record` is the document
    of run.json. What it does not say is a `UsageError`."""

    name: str
    record: Mapping[str, Any]

    @property
    def tasks(self) -> list[str]:
        """Names of its tasks, in the order in which they came."""
        return [task["name"] for task in self.record["tasks"] or ()]

    def test(self, task: str, after: str | None = None) -> float:
        """Accuracy in a task's tests, which it must have, after another task was
        learned; None for `after`: before anything was."""
        column, row = self._place(task), self._row(after)
        share = None if row is None else row[column]
        if share is None:
            raise UsageError(
                f"arm {self.name!r} has no accuracy in the tests of task {task!r}: there are "
                "none, or it learns from no labels"
            )
        return float(share)

    def _row(self, after: str | None) -> list[float | None] | None:
        """Accuracies in each task's tests at one time; None where nothing was tested."""
        accuracy = self.record["accuracy"]
        if after is None:
            return accuracy["initial"]
        place, matrix = self._place(after), accuracy["matrix"] or []
        return matrix[place] if place < len(matrix) else None

    def prequential(self, task: str) -> float:
        """Share of a task's samples predicted right before they were learned."""
        return self._share("prequential", task)

    def majority(self, task: str) -> float:
        """Share of a task's samples whose label is the most frequent one of all samples
        before: a guess that learns nothing."""
        return self._share("majority", task)

    def same_as_last(self, task: str) -> float:
        """Share of a task's samples that have the label of the sample before them."""
        return self._share("same_as_last", task)

    def recovery(self, task: str) -> int | None:
        """Steps into a task after which the device was as good again as before it
        (`hil.records.continual.recovery`)."""
        place = self._place(task)
        if not place:
            raise UsageError(f"nothing came before task {task!r} of arm {self.name!r}")
        found = self._by_task("recovery_steps")[place - 1]
        return None if found is None else int(found)

    def losses(self, task: str) -> list[float]:
        """Loss of each sample of a task, told by the device before it learned it."""
        place = self._place(task)
        return [float(row["loss"]) for row in self._rows() if row["task"] == place]

    def _rows(self) -> list[dict[str, Any]]:
        path = Path(self.record["folder"]) / METRICS
        return [json.loads(line) for line in path.read_text("utf-8").splitlines()]

    def answers(self, task: str) -> np.ndarray:
        """Outputs [samples, outputs] of each sample of a task, told by the device before
        it learned it: probabilities of classes, also where integers compute their sums.
        For arms with `answers = true`."""
        place = self._place(task)
        rows = [row for row in self._rows() if row["task"] == place]
        if not all("outputs" in row for row in rows):
            raise UsageError(
                f"arm {self.name!r} has kept no answers: expected answers = true among the "
                "keys of its experiment"
            )
        found = np.array([row["outputs"] for row in rows], np.float64)
        sums = NUMBERS[self.record["format"]].integer
        return 1 / (1 + np.exp(-found)) if sums else found

    def cycles(self, when: str) -> dict[str, np.ndarray]:
        """What each unit was in each cycle of the first sample's step, "trace1" [cycles,
        units], ..., `when` "before" learning or "after"; of stdp-wta "raster" [ticks, 1],
        the cell that has spiked in each tick; with "moved", what the step adds to the
        output layer's weights, and "target" [1, outputs]. For rules whose parameter
        `trace` is on."""
        path = Path(self.record["folder"]) / CYCLES
        if not path.is_file():
            raise UsageError(
                f"arm {self.name!r} has kept no cycles: expected a rule with "
                'trace = "on" among its parameters'
            )
        found = weights.read(str(path))
        own = {
            name.removeprefix(f"{when}_"): rows
            for name, rows in found.items()
            if name.startswith(f"{when}_")
        }
        return {**own, "target": found["target"]}

    def _share(self, name: str, task: str) -> float:
        return float(self._by_task(f"{name}_by_task")[self._place(task)])

    def _by_task(self, name: str) -> list[Any]:
        metrics = self.record["metrics"]
        if metrics is None:
            raise UsageError(
                f"arm {self.name!r} has no {name}: expected one that learns from labels "
                "and tells of every step"
            )
        return list(metrics[name])

    def _place(self, task: str) -> int:
        tasks = self.tasks
        if task not in tasks:
            raise UsageError(
                f"arm {self.name!r} has no task {task!r} behind it: it has "
                + ", ".join(tasks),
                *did_you_mean(task, tasks),
                "the figures of a demo are of its whole stream: leave out --steps",
            )
        return tasks.index(task)
