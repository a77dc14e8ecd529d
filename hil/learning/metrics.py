"""metrics.jsonl: a line a step, what is shown while learning goes on, and what
learning comes to in the end."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from hil.device.device import Device
from hil.learning.telling import Learned
from hil.records import baselines, continual
from hil.records.continual import Calibration, Fading, Recovery, Row, Sliding
from targets.storage import Growing


@dataclass(frozen=True)
class Status:
    """What a person watching wants to know. `loss` is the mean of the latest
    steps, `prequential` the share of samples predicted right before they were
    learned, `baselines` what is right without learning of the same samples, `windowed`
    the share of the latest, `instructions` those of the latest step
    when they are counted. `link` is the record's table of the line; `stack` the
    deepest that the device's stack has been, in bytes (0: not measured);
    `checkpoint` the step of the newest one."""

    step: int
    steps: int
    loss: float
    prequential: float | None
    windowed: float
    instructions: int | None
    link: Mapping[str, int]
    stack: int = 0
    checkpoint: int | None = None
    baselines: Mapping[str, float | None] | None = None


@dataclass
class Count:
    """Samples of a task or of all of them, and how many were predicted right before
    they were learned: by the device, and by each baseline."""

    samples: int = 0
    right: int = 0
    majority: int = 0
    same_as_last: int = 0

    def add(self, samples: int, right: int) -> None:
        """More samples, and what the device predicted."""
        self.samples += samples
        self.right += right

    def guess(self, majority: bool, same_as_last: bool) -> None:
        """What was guessed about one of them."""
        self.majority += majority
        self.same_as_last += same_as_last

    def share(self, name: str) -> float | None:
        """One of them as a share; None without a sample."""
        return getattr(self, name) / self.samples if self.samples else None

    @property
    def baselines(self) -> dict[str, float | None]:
        """The shares of the baselines."""
        return {name: self.share(name) for name in baselines.NAMES}


class Metrics:
    """Takes steps as they are done, writes their lines, with their outputs where
    `answers` are kept, and keeps the sums: as much of a million steps as of a hundred."""

    SMOOTHING = 0.02

    def __init__(self, path: Path, answers: bool = False) -> None:
        self._answers = answers
        self.steps = 0
        self.loss = 0.0
        self.instructions: int | None = None
        self.health: dict[str, Any] | None = None
        self._sliding, self._fading = Sliding(), Fading()
        self._calibration = Calibration()
        self._drifts: list[Recovery] = []
        self._guesses = baselines.Baselines()
        self._all = Count()
        self._tasks = [Count()]
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
        return self._all.share("right")

    @property
    def baselines(self) -> dict[str, float | None] | None:
        """Shares of the same samples that are right without learning."""
        return self._all.baselines if self._all.samples else None

    def add(self, done: Learned) -> None:
        """Write the line of one step. Raises `StorageError`."""
        self.add_all([done])

    def add_all(self, done: Iterable[Learned]) -> None:
        """Write the lines of some steps. Raises `StorageError`."""
        self._file.write("".join([self._line(each) for each in done]).encode())

    def _line(self, done: Learned) -> str:
        """The line of a step that counts from now on."""
        right = done.label is not None and done.predicted == done.label
        self.steps += done.steps
        if done.label is not None and not done.rehearsed:
            self._all.add(done.steps, done.right)
            self._keep(done, done.label, right)
        if math.isfinite(done.loss):
            share = max(self.SMOOTHING, done.steps / self.steps)
            self.loss += share * (done.loss - self.loss)
        self.instructions = done.instructions
        # by hand, since the json module takes as long as the step
        loss = _number(done.loss)
        sure = _number(done.confidence)
        label, predicted, correct = "null", "null", "null"
        if done.label is not None:
            label, predicted = repr(done.label), repr(done.predicted)
            correct = "true" if right else "false"
        prequential = "null" if done.label is None else self.prequential
        digest = "null" if done.digest is None else f'"{done.digest:08x}"'
        counted = "null" if done.instructions is None else done.instructions
        threshold = "null" if done.threshold is None else repr(done.threshold)
        rehearsed = ', "rehearsed": true' if done.rehearsed else ""
        health = ""
        if done.health is not None:
            table = done.health.table()
            self.health = {"step": done.step, **table}
            health = f', "health": {json.dumps(table)}'
        answer = ""
        if self._answers and done.outputs is not None:
            answer = f', "outputs": [{", ".join(map(_number, done.outputs.tolist()))}]'
        return (
            f'{{"step": {done.step}, "task": {done.task}, "loss": {loss}, '
            f'"label": {label}, "predicted": {predicted}, '
            f'"confidence": {sure}, "correct": {correct}, '
            f'"prequential": {prequential}, "eta": {done.eta!r}, '
            f'"digest": {digest}, "instructions": {counted}, '
            f'"threshold": {threshold}{rehearsed}{health}{answer}}}\n'
        )

    def flush(self) -> None:
        """Have every line in the file. Raises `StorageError`."""
        self._file.flush()

    def status(
        self, step: int, steps: int, link: Mapping[str, int], device: Device
    ) -> Status:
        """What to show now that the steps before `step` of `steps` are done."""
        told, commits = device.telemetry.last, device.commits
        return Status(
            step,
            steps,
            self.loss,
            self.prequential,
            self._sliding.accuracy or 0.0,
            self.instructions,
            {**link, **asdict(device.counts)},
            told.stack if told else 0,
            commits[-1].step if commits else None,
            self.baselines,
        )

    def of_task(self, task: int) -> Count | None:
        """What was counted in one task, if every step of it was told."""
        if not self._whole or task >= len(self._tasks):
            return None
        return self._tasks[task]

    def summary(self, matrix: Sequence[Row], initial: Row) -> dict[str, Any] | None:
        """What learning came to, by name (docs/record.md); None where a device went
        on alone and did not tell of every step, or of none."""
        if not self._whole or self._sliding.accuracy is None:
            return None
        return {
            "windowed": self._sliding.accuracy,
            "fading": self._fading.accuracy,
            "prequential_by_task": [task.share("right") for task in self._tasks],
            **{
                f"{name}_by_task": [task.share(name) for task in self._tasks]
                for name in baselines.NAMES
            },
            "recovery_steps": [drift.steps for drift in self._drifts],
            "average_accuracy": continual.average_accuracy(matrix),
            "forgetting": continual.forgetting(matrix),
            "backward_transfer": continual.backward_transfer(matrix),
            "forward_transfer": continual.forward_transfer(matrix, initial),
            "calibration_error": self._calibration.error,
        }

    def _keep(self, done: Learned, label: int, right: bool) -> None:
        if done.steps != 1:
            self._whole = False
            for each in done.labels:
                self._all.guess(*self._guesses.take(each))
            return
        while len(self._tasks) <= done.task:  # a resumed run may begin with a later one
            self._drifts.append(Recovery(self._sliding.right))
            self._tasks.append(Count())
        guessed = self._guesses.take(label)
        self._all.guess(*guessed)
        self._tasks[-1].guess(*guessed)
        self._tasks[-1].add(1, right)
        if self._drifts:
            self._drifts[-1].add(right)
        self._calibration.add(done.confidence or 0.0, right)
        self._sliding.add(right)
        self._fading.add(right)


def _number(value: float | None) -> str:
    """As JSON has it, which has no infinity."""
    return repr(value) if value is not None and math.isfinite(value) else "null"
