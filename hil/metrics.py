"""metrics.jsonl: a line a step, and what is shown while learning goes on."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from hil.lockstep import Learned


@dataclass(frozen=True)
class Status:
    """What a person watching wants to know. `loss` is the mean of the latest
    steps, `prequential` the share of samples predicted right before they were
    learned, `instructions` those of the latest step when they are counted."""

    step: int
    steps: int
    loss: float
    prequential: float
    instructions: int | None
    frames: int


class Metrics:
    """Takes steps as they are done, writes their lines, keeps the sums."""

    SMOOTHING = 0.02

    def __init__(self, path: Path) -> None:
        self.steps = 0
        self.correct = 0
        self.loss = 0.0
        self.instructions: int | None = None
        self.health: dict[str, Any] | None = None
        self._file = path.open("w", encoding="utf-8")

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
        """Share of samples predicted right before they were learned."""
        return self.correct / self.steps if self.steps else None

    def add(self, done: Learned) -> None:
        """Write the line of one step."""
        self.steps += done.steps
        self.correct += done.right
        if math.isfinite(done.loss):
            share = max(self.SMOOTHING, done.steps / self.steps)
            self.loss += share * (done.loss - self.loss)
        self.instructions = done.instructions
        loss = repr(done.loss) if math.isfinite(done.loss) else "null"
        digest = "null" if done.digest is None else f'"{done.digest:08x}"'
        counted = "null" if done.instructions is None else done.instructions
        # by hand, since the json module takes as long as the step
        threshold = "null" if done.threshold is None else repr(done.threshold)
        health = ""
        if done.health is not None:
            self.health = {"step": done.step, **asdict(done.health)}
            health = f', "health": {json.dumps(asdict(done.health))}'
        self._file.write(
            f'{{"step": {done.step}, "loss": {loss}, '
            f'"correct": {"true" if done.correct else "false"}, '
            f'"prequential": {self.prequential}, "eta": {done.eta!r}, '
            f'"digest": {digest}, "instructions": {counted}, '
            f'"threshold": {threshold}{health}}}\n'
        )

    def status(self, steps: int, frames: int) -> Status:
        """What to show now."""
        shown = self.prequential or 0.0
        return Status(self.steps, steps, self.loss, shown, self.instructions, frames)
