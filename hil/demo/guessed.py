"""Records that devices which guess would leave: a demo's figures are tried on them,
before any device learns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from codegen import traces
from hil.data import arrays
from hil.demo.arm import Arm
from hil.learning import cycles
from hil.learning.metrics import Metrics
from hil.learning.residuals import Residuals
from hil.learning.telling import Learned
from hil.lesson.building import plan_for
from hil.lesson.lesson import Lesson
from hil.records import record as records
from hil.records.record import RunRecord
from hil.records.recording import new_record

KNOWN, LATER, UNKNOWN = 0.9, 0.85, 0.3
"""Accuracies of a guessing device: in the task that it learned first, in later tasks if
it recovers, and in any task that it has not learned."""
SOME = 4
"""Targets that made-up residuals are computed of."""
SECONDS = (
    "plan",
    "build",
    "power_on",
    "hello",
    "init",
    "first_step",
    "learn",
    "test",
    "leave",
    "total",
)
"""Stages that every run goes through."""


def made_up(lessons: Mapping[str, Lesson]) -> Iterator[dict[str, Arm]]:
    """The arms by name, twice: devices that recover whenever the world has changed, and
    devices that never do. Their folders are there until the next."""
    for later in (LATER, UNKNOWN):
        with TemporaryDirectory(prefix="hil-demo-") as folder:
            yield {
                name: Arm(
                    name, _Guessing(lesson, later, place).record(Path(folder, name))
                )
                for place, (name, lesson) in enumerate(lessons.items())
            }


class _Guessing:
    """A device that is right by chance, no two arms of a demo alike."""

    def __init__(self, lesson: Lesson, later: float, place: int) -> None:
        self._lesson, self._later = lesson, later
        self._random = Random(place)

    def record(self, folder: Path) -> Mapping[str, Any]:
        """The document of its run.json, in a folder with its metrics.jsonl."""
        lesson = self._lesson
        folder.mkdir()
        record = new_record(lesson, folder)
        record.result, record.exit_code = "pass", 0
        record.learned = record.compared = lesson.steps
        record.digest = f"{lesson.spec.seed:08x}"
        self._examine(record)
        self._learn(record)
        self._cost(record)
        self._cycle(folder)
        record.provenance = records.provenance(record.board)
        return record.to_json()

    def _learn(self, record: RunRecord) -> None:
        lesson, accuracy = self._lesson, record.accuracy
        kept = lesson.experiment.answers
        with Metrics(record.folder / records.METRICS, kept) as metrics:
            for step in range(lesson.steps):
                metrics.add(self._step(step))
        accuracy["prequential"] = metrics.prequential
        accuracy["baselines"] = metrics.baselines
        if not lesson.resident or lesson.prefix == lesson.steps:  # each step is told
            record.metrics = metrics.summary(
                accuracy["matrix"] or (), accuracy["initial"] or ()
            )

    def _step(self, step: int) -> Learned:
        lesson, random = self._lesson, self._random
        label, task = lesson.label(step), lesson.task(step)
        predicted, sure = None, None
        if label is not None:
            wrong = random.random() >= (self._later if task else KNOWN)
            predicted = (label + wrong) % lesson.spec.network.n_out
            sure = random.random()
        return Learned(
            step, task, random.uniform(0.1, 2.0), label, predicted, sure,
            float(lesson.eta(step)), None, None, 1,
            int(label is not None and predicted == label),
            rehearsed=lesson.turn(step).rehearsed,
            outputs=np.array([random.random() for _ in range(lesson.spec.network.n_out)]),
        )  # fmt: skip

    def _examine(self, record: RunRecord) -> None:
        """The exams: before anything is learned, and after each leg."""
        lesson, accuracy = self._lesson, record.accuracy
        tested = len({sample for tests in lesson.tests for sample in tests})
        accuracy["tested"] = tested
        if not tested:
            return
        accuracy["initial"] = self._row(-1)
        matrix = [self._row(place) for place in range(len(lesson.legs))]
        accuracy["matrix"] = matrix
        if lesson.spec.goal == "label":
            accuracy["test"] = self._share(tested, self._later)
        else:
            record.residuals = self._residuals(tested)

    def _row(self, after: int) -> list[float | None]:
        """Accuracy in each task's tests after task `after`."""
        labelled = self._lesson.spec.goal == "label"
        return [
            self._share(len(tests), self._chance(task, after))
            if tests and labelled
            else None
            for task, tests in enumerate(self._lesson.tests)
        ]

    def _chance(self, task: int, after: int) -> float:
        if task > after:
            return UNKNOWN
        return self._later if task else KNOWN

    def _share(self, tested: int, chance: float) -> float:
        """The share that is right of some samples, each by chance."""
        return sum(self._random.random() < chance for _ in range(tested)) / tested

    def _residuals(self, tested: int) -> dict[str, Any] | None:
        outputs = self._lesson.spec.network.n_out
        found = Residuals(outputs)
        some = np.array([self._random.random() for _ in range(2 * SOME * outputs)])
        found.add(*some.reshape(2, SOME, outputs))
        figures = found.figures()
        return figures and {**figures, "tested": tested}

    def _cycle(self, folder: Path) -> None:
        """The cycles of a step, where the device would keep them."""
        planned = plan_for(self._lesson)
        kept = traces.rows(planned.readable)
        if not kept:
            return
        network = self._lesson.spec.network
        told = {
            f"{when}_{tensor.name}": self._matrix(tensor.shape).astype(
                tensor.format.dtype
            )
            for when in cycles.TIMES
            for tensor in kept
        }
        for when in cycles.TIMES:
            moved = self._matrix(network.shape(network.depth))
            told[f"{when}_{cycles.MOVED}"] = moved
        told[cycles.TARGET] = self._matrix((1, network.n_out))
        arrays.write(folder / records.CYCLES, told)

    def _matrix(self, shape: tuple[int, ...]) -> np.ndarray:
        """Numbers from 0 to 1."""
        size = int(np.prod(shape))
        some = [self._random.random() for _ in range(size)]
        return np.array(some, np.float32).reshape(shape)

    def _cost(self, record: RunRecord) -> None:
        """What a run took, as far as the plan tells."""
        planned, lesson = plan_for(self._lesson), self._lesson
        record.image = {
            "build_digest": f"{lesson.spec.seed:064x}", "text": planned.ram,
            "ram": planned.ram,
        }  # fmt: skip
        record.weights_written_per_step = float(sum(t.size for t in planned.state))
        record.speed = {"steps_per_second": 1e3, "reference_steps_per_second": 2e3}
        record.seconds = dict.fromkeys(SECONDS, 1.0)
        if lesson.experiment.icount:
            record.instructions_per_step = 1e4
