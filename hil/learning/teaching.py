"""Teaching a device: leg by leg in lockstep, with an exam after each."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import numpy as np

from codegen.reference import Learner
from hil.device.device import Device
from hil.errors import HilError
from hil.learning.compare import Difference, digest_difference
from hil.learning.divergence import (
    Finder,
    Found,
    Snapshot,
    compare_state,
    digest_at,
    read_state,
    write_state,
)
from hil.learning.exam import Exam
from hil.learning.lifeline import Lifeline
from hil.learning.lockstep import Lockstep
from hil.learning.metrics import Metrics, Status
from hil.learning.progress import Begun, Progress
from hil.learning.reference_process import ReferenceProcess
from hil.learning.telling import Learned
from hil.lesson.lesson import Lesson
from hil.records import baselines
from hil.records import record as records
from hil.records.record import RunRecord
from hil.records.recording import counts_told, take_counts
from hil.records.verdict import tested


class Teaching:
    """A lesson on the device at the end of `life`, from where it stands: `start` is its
    step, and the digest where it has learned before.

    `reference` computes the same steps, and `learner` knows the state after each leg:
    the reference's, or what the device has told of its own where it went on alone, so
    that an exam is held against that. Without one nothing is compared. `found` is the
    difference that ended it, `latest` the step that was done last.
    """

    def __init__(
        self,
        lesson: Lesson,
        life: Lifeline,
        reference: ReferenceProcess | None,
        learner: Learner | None,
        start: tuple[int, int | None],
        record: RunRecord,
        progress: Progress,
    ) -> None:
        alone = start[0] >= lesson.prefix  # the reference would not come so far
        self.learner = learner
        self.found: Found | None = None
        self.latest: Learned | None = None
        self._lesson = lesson
        self._life = life
        self._reference = None if alone else reference
        self._record = record
        self._progress = progress
        self._metrics = Metrics(
            record.folder / records.METRICS, lesson.experiment.answers
        )
        self._rested = progress.steering.resting
        self._began = 0.0
        self._first = start[0]
        self._matrix: list[list[float | None]] = []
        self._lockstep = Lockstep(
            life.device, lesson, self._reference, life.initial, self._tell, start,
            progress.steering,
        )  # fmt: skip
        self._lockstep.until = self._first
        life.lockstep = self._lockstep

    @contextmanager
    def under_way(self, begun: Begun, began: float) -> Iterator[None]:
        """Inside, each step is told when it is done: to whoever watches (`begun` comes
        first), and to the record. The run `began` at this time."""
        self._began = began
        with self._metrics:
            self._progress.begins(begun, self._status)
            try:
                yield
            finally:
                self.account()

    def run(self) -> None:
        """Learn and examine until the lesson ends, or at the first difference.

        Raises what a `Lifeline` cannot get through."""
        lesson = self._lesson
        if lesson.dataset.tasks and lesson.tested and not self._resumed:
            self._record.accuracy["initial"] = self.examine(lesson, before=True)
        for leg in lesson.legs:
            if leg > self._first and self.found is None:
                self.learn_until(leg)

    @property
    def _resumed(self) -> bool:
        return self._record.resumed_from is not None

    def _status(self) -> Status:
        return self._metrics.status(
            self._lockstep.learned,
            self._lesson.steps,
            self._record.link,
            self._life.device,
        )

    def _tell(self, done: Sequence[Learned]) -> None:
        if not self._metrics.steps:
            self._record.seconds["first_step"] = time.perf_counter() - self._began
        self.latest = done[-1]
        self._metrics.add_all(done)
        self._progress.learning(done, self._status)

    def learn_until(self, end: int) -> None:
        """Learn up to step `end`, then examine."""
        lockstep = self._lockstep
        lockstep.until = end
        try:
            with self._record.stage("learn"):
                self._life.through(lambda _: None)
        finally:
            self._progress.learned()
        if lockstep.difference is not None:
            self._progress.stage("differ", f"{lockstep.difference}; searching where")
            self.found = self._search(lockstep.difference)
            return
        self._tell_learned()
        if self.learner is not None:
            self._take_state(self.learner, end)
        if not self._lesson.tested:
            return
        if (row := self.examine(self._lesson)) is not None:
            self._matrix.append(row)

    def place(self, state: Mapping[str, np.ndarray], step: int) -> None:
        """Give both sides the state that step `step`, the next one, starts from."""
        snapshot = Snapshot(step, state)
        self._life.through(lambda life: self._place(life.device, snapshot))

    def _place(self, device: Device, to: Snapshot) -> None:
        digest = write_state(device, self._lesson.spec.seed, to)
        if self.learner is not None and self._reference is not None:
            self.learner.load(to.state, to.step)
            self._reference.load(to.state, to.step)
            seen = digest_difference(to.step, digest, self.learner.digest(), "init")
            if seen is not None:
                found = compare_state(device, self.learner, to.step, "init")
                self.found = found or Found(seen)
        self._lockstep.place(to, digest)
        self._life.initial, self._life.drawn = to, False

    def flush(self) -> None:
        """Write every line of the steps so far."""
        self._metrics.flush()

    def _take_state(self, learner: Learner, end: int) -> None:
        """Give the learner the state after the steps before `end`."""
        final = self._lockstep.final
        if final.step == end:
            learner.load(final.state, end)
            return

        def stage(life: Lifeline) -> None:
            digest = digest_at(life.device, end)
            learner.load(read_state(life.device, digest), end)

        self._life.through(stage)

    def account(self) -> None:
        """What learning has come to, for the record."""
        record, lockstep, metrics = self._record, self._lockstep, self._metrics
        accuracy, tasks = record.accuracy, record.tasks
        record.learned, record.compared = lockstep.learned, lockstep.compared
        if self._lesson.experiment.prefix and lockstep.prefix_digest is not None:
            record.prefix_digest = f"{lockstep.prefix_digest:08x}"
        accuracy["prequential"] = metrics.prequential
        accuracy["baselines"] = metrics.baselines
        record.health = metrics.health
        accuracy["matrix"] = self._matrix if tasks else None
        known = self._matrix if tasks and not self._resumed else []
        record.metrics = metrics.summary(known, accuracy["initial"] or ())
        if lockstep.compared:
            written = lockstep.written / lockstep.compared
            record.weights_written_per_step = written

    def _tell_learned(self) -> None:
        """The speed so far, for the record and for whoever watches."""
        record, lockstep = self._record, self._lockstep
        taken = record.seconds["learn"]
        if (paused := self._progress.steering.resting - self._rested) > 0:
            record.seconds["paused"] = paused
            taken -= paused
        here = lockstep.learned - self._first
        record.speed["steps_per_second"] = here / taken
        if self._reference is not None:
            speed = lockstep.compared / self._reference.seconds
            record.speed["reference_steps_per_second"] = speed
        take_counts(record, self._life.device, self._lesson.experiment.icount)
        self._progress.stage(
            "learn",
            f"{self._task()}{lockstep.learned} steps, {lockstep.compared} compared, "
            f"{self._changed()}{counts_told(record)}{taken:.1f} s",
        )

    def _changed(self) -> str:
        """Of integers, the share of weights that a step changes: rounding leaves the
        others as they are, a gate for free."""
        spec, lockstep = self._lesson.spec, self._lockstep
        if not spec.numbers.integer or not lockstep.compared:
            return ""
        depth, shape = spec.network.depth, spec.network.shape
        weights = sum(math.prod(shape(layer)) for layer in range(1, depth + 1))
        share = lockstep.written / lockstep.compared / weights
        return f"{share:.1%} of weights changed in a step, "

    def _task(self) -> str:
        """The task that was learned, for whoever watches."""
        tasks = self._lesson.dataset.tasks
        if not tasks:
            return ""
        place = self._lesson.task(self._lockstep.until - 1)
        told = self._metrics.of_task(place)
        if told is None or (share := told.share("right")) is None:
            return f"{tasks[place].name}; "
        beside = baselines.told(told.baselines)
        return f"{tasks[place].name}, {share:.1%} right before learned{beside}; "

    def examine(
        self, lesson: Lesson, before: bool = False
    ) -> list[float | None] | None:
        """Accuracy in each task's tests of `lesson`, by inference on the device; None
        when its outputs differ from the reference's. `before` anything was learned it
        is no result of the run."""
        accuracy = self._record.accuracy
        exam = Exam(lesson, self.learner, self._lockstep.until)

        def stage(life: Lifeline) -> None:
            self.found = exam.take(life.device, life.progressed)

        try:
            with self._record.stage("test"):
                self._life.through(stage)
        finally:
            self._progress.learned()  # a device that was lost has learned again
        if not before:
            accuracy["tested"] = exam.tested
        if self.found is None and self._life.difference is not None:
            self.found = Found(self._life.difference)
        if self.found is not None:
            return None
        if not exam.tested:
            return exam.row
        if lesson.spec.goal != "label":
            self._tell_residuals(exam, before)
            return exam.row
        share = exam.right / exam.tested
        if not before:
            accuracy["test"] = share
        told = f"{exam.right} of {exam.tested} right, {share:.2%}{tested(self._record)}"
        if lesson.dataset.tasks:
            told = ", ".join(
                f"{task.name} {known:.2%}"
                for task, known in zip(lesson.dataset.tasks, exam.row, strict=True)
                if known is not None
            )
        self._progress.stage(accuracy["part"], told)
        return exam.row

    def _tell_residuals(self, exam: Exam, before: bool) -> None:
        """What an exam without right and wrong comes to."""
        found = exam.residuals.figures()
        if found is None:
            return
        if not before:
            self._record.residuals = found
        told = f"{found['tested']} samples{tested(self._record)}, RMSE {found['rmse']:.4f}, MAE {found['mae']:.4f}"
        if found["r2"] is not None:
            told += f", R2 {found['r2']:.4f}"
        self._progress.stage(self._record.accuracy["part"], told)

    def _search(self, seen: Difference) -> Found:
        """Where a difference begins."""
        try:
            finder = Finder(self._life.device, self._lesson)
            return finder.find(self._lockstep.verified, seen)
        except HilError as error:
            note = f"the search for its place ended: {error}"
            return Found(seen.noted(f"{seen.note}; {note}" if seen.note else note))
