"""One device of a demo, after it has met its stream."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hil.errors import UsageError, did_you_mean


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
        accuracy, column = self.record["accuracy"], self._place(task)
        row = accuracy["initial"]
        if after is not None:
            row = accuracy["matrix"][self._place(after)]
        if row[column] is None:
            raise UsageError(f"task {task!r} of arm {self.name!r} has no tests")
        return float(row[column])

    def prequential(self, task: str) -> float:
        """Share of a task's samples predicted right before they were learned."""
        return float(self.record["metrics"]["prequential_by_task"][self._place(task)])

    def recovery(self, task: str) -> int | None:
        """Steps into a task after which the device was as good again as before it
        (`hil.records.continual.recovery`)."""
        place = self._place(task)
        if not place:
            raise UsageError(f"nothing came before task {task!r} of arm {self.name!r}")
        found = self.record["metrics"]["recovery_steps"][place - 1]
        return None if found is None else int(found)

    def losses(self, task: str) -> list[float]:
        """Loss of each sample of a task, told by the device before it learned it."""
        place = self._place(task)
        path = Path(self.record["folder"]) / "metrics.jsonl"
        rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        return [float(row["loss"]) for row in rows if row["task"] == place]

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
