"""metrics.jsonl: a line a step, what is shown while learning goes on, and what
learning comes to in the end."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import Any

from hil import continual
from hil.continual import Fading, Row, Sliding
from hil.device import Device
from hil.lockstep import Learned
from targets.storage import Growing


@dataclass(frozen=True)
class Status:
    """What a person watching wants to know. `loss` is the mean of the latest
    steps, `prequential` the share of samples predicted right before they were
    learned, `windowed` that of the latest, `instructions` those of the latest step
    when they are counted. `link` is the record's table of the line; `stack` the
    deepest that the device's stack has been, in bytes (0: not measured);
    `checkpoint` the step of the newest one."""

    step: int
    steps: int
    loss: float
    prequential: float
    windowed: float
    instructions: int | None
    link: Mapping[str, int]
    stack: int = 0
    checkpoint: int | None = None


class Metrics:
    """Takes steps as they are done, writes their lines, keeps the sums."""

    SMOOTHING = 0.02

    def __init__(self, path: Path) -> None:
        self.steps = self.predicted = 0
        self.correct = 0
        self.loss = 0.0
        self.instructions: int | None = None
        self.health: dict[str, Any] | None = None
        self._sliding, self._fading = Sliding(), Fading()
        self._right: list[bool] = []
        self._confidence: list[float] = []
        self._ends: list[int] = []
        self._task = 0
        self._whole = True
        self._file = Growing(path)

    def __enter__(self) -> Metrics:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    @property
    def prequential(self) -> float | None:
        """Share of samples predicted right before they were learned, of the stream:
        rehearsed ones were learned before."""
        return self.correct / self.predicted if self.predicted else None

    def add(self, done: Learned) -> None:
        """Write the line of one step. Raises `StorageError`."""
        right = done.predicted == done.label
        self.steps += done.steps
        if not done.rehearsed:
            self.predicted += done.steps
            self.correct += done.right
            self._keep(done, right)
        if math.isfinite(done.loss):
            share = max(self.SMOOTHING, done.steps / self.steps)
            self.loss += share * (done.loss - self.loss)
        self.instructions = done.instructions
        # by hand, since the json module takes as long as the step
        loss = repr(done.loss) if math.isfinite(done.loss) else "null"
        sure = repr(done.confidence) if math.isfinite(done.confidence) else "null"
        digest = "null" if done.digest is None else f'"{done.digest:08x}"'
        counted = "null" if done.instructions is None else done.instructions
        threshold = "null" if done.threshold is None else repr(done.threshold)
        rehearsed = ', "rehearsed": true' if done.rehearsed else ""
        health = ""
        if done.health is not None:
            self.health = {"step": done.step, **asdict(done.health)}
            health = f', "health": {json.dumps(asdict(done.health))}'
        line = (
            f'{{"step": {done.step}, "task": {done.task}, "loss": {loss}, '
            f'"label": {done.label}, "predicted": {done.predicted}, '
            f'"confidence": {sure}, "correct": {"true" if right else "false"}, '
            f'"prequential": {self.prequential}, "eta": {done.eta!r}, '
            f'"digest": {digest}, "instructions": {counted}, '
            f'"threshold": {threshold}{rehearsed}{health}}}\n'
        )
        self._file.write(line.encode())

    def status(
        self, step: int, steps: int, link: Mapping[str, int], device: Device
    ) -> Status:
        """What to show now that the steps before `step` of `steps` are done."""
        told, commits = device.telemetry.last, device.commits
        return Status(
            step,
            steps,
            self.loss,
            self.prequential or 0.0,
            self._sliding.accuracy or 0.0,
            self.instructions,
            {**link, **asdict(device.counts)},
            told.stack if told else 0,
            commits[-1].step if commits else None,
        )

    def task_accuracy(self, task: int) -> float | None:
        """Prequential accuracy of one task of which every step was told."""
        bounds = [0, *self._ends, len(self._right)]
        if not self._whole or task >= len(bounds) - 1:
            return None
        part = self._right[bounds[task] : bounds[task + 1]]
        return sum(part) / len(part) if part else None

    def summary(self, matrix: Sequence[Row], initial: Row) -> dict[str, Any] | None:
        """What learning came to, by name (docs/record.md); None where a device went
        on alone and did not tell of every step, or of none."""
        if not self._whole or not self._right:
            return None
        ends = [*self._ends, len(self._right)]
        return {
            "windowed": self._sliding.accuracy,
            "fading": self._fading.accuracy,
            "prequential_by_task": [self.task_accuracy(i) for i in range(len(ends))],
            "recovery_steps": [
                continual.recovery(self._right, drift, end)
                for drift, end in pairwise(ends)
            ],
            "average_accuracy": continual.average_accuracy(matrix),
            "forgetting": continual.forgetting(matrix),
            "backward_transfer": continual.backward_transfer(matrix),
            "forward_transfer": continual.forward_transfer(matrix, initial),
            "calibration_error": continual.calibration_error(
                self._confidence, self._right
            ),
        }

    def _keep(self, done: Learned, right: bool) -> None:
        if done.steps != 1:
            self._whole = False
            return
        while self._task < done.task:  # a resumed run may begin with a later one
            self._ends.append(len(self._right))
            self._task += 1
        self._right.append(right)
        self._confidence.append(done.confidence)
        self._sliding.add(right)
        self._fading.add(right)
