"""A device in the hands of a Python program: samples come when the program has them.

`hil.open` gives an `OpenDevice`. What it does goes the way of a run: the same lockstep
with the reference, the same comparison, the same record.
"""

from __future__ import annotations

import atexit
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from codegen.planning import bill
from emulation.faults import Line
from hil.data import arrays, taken
from hil.device.device import Commit
from hil.errors import HilError, NothingCompared, UsageError
from hil.learning import intake
from hil.learning.coming import Coming
from hil.learning.compare import digest_difference
from hil.learning.divergence import Found, compare_state, digest_at, read_state
from hil.learning.exam import first_difference
from hil.learning.lifeline import Lifeline
from hil.learning.progress import Progress
from hil.learning.session import Session
from hil.learning.telling import Learned
from hil.lesson import weights
from hil.lesson.open_lesson import OpenLesson
from hil.records import history
from hil.records.record import EXPERIMENT, RunRecord, as_settings

SAMPLES, INITIAL = "samples.npz", "initial.npz"
"""In the run's folder: what was learned, and the weights that were set before."""
ROWS = np.dtype([("name", "U32"), ("kind", "U9"), ("bytes", np.int64)])
"""A row of the memory bill."""


class OpenDevice:
    """A device that is learning, until `close`, or the end of its `with` block.

    Every step, every output and every state is held against the reference; the first
    bit that differs raises `Divergence`. After that, as after a fault of the device or
    of its line, no more can be asked of it. What does not fit is refused before
    anything is sent (`UsageError`, `DataError`), and it can go on.

    `record` is that of the run (`RunRecord`), complete after `close`, with its folder.
    A device that the program did not close is closed when the program ends.
    """

    def __init__(
        self,
        lesson: OpenLesson,
        out: Path,
        progress: Progress,
        through: Callable[[Line], Line] | None = None,
    ) -> None:
        """Build the image and greet the device: raises what a run raises."""
        self._lesson = lesson
        self._coming = Coming(lesson)
        self._session = Session(lesson, out, progress, through=through)
        self._ended: BaseException | None = None
        self._initial: Mapping[str, np.ndarray] | None = None
        self._stack = ExitStack()
        with ExitStack() as stack:
            stack.enter_context(self._session.recorded())
            self._life = stack.enter_context(self._session.connected())
            if self._session.found is None:
                stack.callback(self._keep)
                teaching = self._session.teaching(self._life)
                self._teaching = stack.enter_context(teaching)
                self._stack = stack.pop_all()
        if self._session.failure is not None:
            raise self._session.failure
        self._process = os.getpid()
        atexit.register(self._leave)

    def __enter__(self) -> OpenDevice:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end(self._ended or error)
        if error is None:
            self._require_passed()

    @contextmanager
    def ending_on_error(self) -> Iterator[None]:
        """An error inside ends the session too."""
        try:
            yield
        except BaseException as error:
            self._end(error)
            raise

    def close(self) -> None:
        """Compare the last state, take leave of the device, and write the record.
        Raises what kept it from passing."""
        self.__exit__(None, None, None)

    def __repr__(self) -> str:
        spec = self._lesson.spec
        return (
            f"<hil device {self._lesson.target.name}, {spec.rule.name} {spec.network}, "
            f"{self.record.learned if self._closed else self._lesson.end} steps>"
        )

    # -- learning ---------------------------------------------------------

    def partial_fit(
        self, x: Any, y: Any = None, *, lr: float | None = None
    ) -> OpenDevice:
        """Learn samples [n, ...] once, in this order, from their labels [n] or targets
        [n, outputs]; without `y` where the goal is the sample itself. `lr` is their
        learning rate, by default the experiment's."""
        rows = intake.rows(self._lesson, x)
        given, eta = (
            intake.given(self._lesson, y, len(rows)),
            intake.rate(self._lesson, lr),
        )
        stream, teaching = self._lesson.stream, self._teaching
        self._do(lambda: teaching.learn_until(stream.add(rows, given, eta)))
        return self

    def step(self, x: Any, y: Any = None, *, lr: float | None = None) -> Learned:
        """Learn one sample; returns everything that the device told of it."""
        self.partial_fit(
            intake.array("x", x)[np.newaxis], None if y is None else [y], lr=lr
        )
        assert self._teaching.latest is not None
        return self._teaching.latest

    # -- learning from a sample that comes piece by piece -----------------

    def feed(self, piece: Any, *, anew: bool = False) -> int:
        """Send now what there is of the next sample: any of its numbers, ticks of spikes
        [n, inputs], or events [n, 2]. Returns how many are left to come; `learn` learns
        from them. `anew` gives up what came before. The device needs `chunk`."""
        self._require_parts("feed()")
        if anew:
            self._coming = Coming(self._lesson)
        begun, step = self._coming.add(piece), self._lesson.end
        self._through(lambda life: life.device.begin_sample(step, begun))
        return self._coming.left

    def learn(self, y: Any = None, *, lr: float | None = None) -> Learned:
        """Learn from the sample that was fed; returns everything that the device told of
        it, its outputs before it learned included."""
        self._require_parts("learn()")
        told = self.step(self._coming.sample(), y, lr=lr)
        self._coming = Coming(self._lesson)
        return told

    # -- what it has learned ----------------------------------------------

    def infer(self, x: Any) -> np.ndarray:
        """The outputs [n, outputs] of samples [n, ...], float32 to the bit; changes
        nothing."""
        rows = intake.rows(self._lesson, x)
        told: list[np.ndarray] = []

        def stage(life: Lifeline) -> None:
            told[:] = [life.device.infer([row.tobytes() for row in rows])]
            learner = self._teaching.learner
            self._found(first_difference(learner, self._lesson.end, rows, told[0]))

        self._through(stage)
        return told[0]

    def predict(self, x: Any) -> np.ndarray:
        """The class [n] of each sample (the first of the largest outputs), by the name
        that the data gives it; without labels the outputs [n, outputs]."""
        outputs = self.infer(x)
        if self._lesson.spec.goal != "label":
            return outputs
        classes, names = outputs.argmax(axis=1), self._lesson.dataset.labels
        return np.array(names)[classes] if names else classes

    def predict_proba(self, x: Any) -> np.ndarray:
        """How sure it is of each class, [n, classes]: softmax outputs as they are,
        sigmoid outputs divided by their sum. Raises `UsageError` for others."""
        output = self._lesson.spec.network.output
        if output == "identity" or self._lesson.spec.goal != "label":
            raise UsageError(
                f"output is {output!r} and goal is {self._lesson.spec.goal!r}: expected "
                "classes with softmax or sigmoid outputs",
                "predict() gives what there is",
            )
        outputs = self.infer(x)
        if output == "softmax":
            return outputs
        sums = outputs.sum(axis=1, keepdims=True, dtype=np.float64)
        return np.divide(outputs, sums, where=sums > 0, out=np.zeros(outputs.shape))

    def score(self, x: Any, y: Any = None) -> float:
        """The share of samples whose class it infers right; without labels R2 (NaN
        where the targets do not vary). The record keeps the latest."""
        rows = intake.rows(self._lesson, x)
        given = intake.given(self._lesson, y, len(rows))
        goal = self._lesson.spec.goal
        truth = np.zeros(len(rows), np.int64) if goal == "sample" else np.array(given)
        part = replace(self._lesson.dataset, test_x=rows, test_y=truth)
        exam = replace(self._lesson, dataset=part, tested=len(rows))
        self._do(lambda: self._teaching.examine(exam))
        if goal == "label":
            return float(self.record.accuracy["test"])
        assert self.record.residuals is not None
        r2 = self.record.residuals["r2"]
        return float("nan") if r2 is None else float(r2)

    def weights(self) -> dict[str, np.ndarray]:
        """Every tensor that a step changes, by name: W1 [inputs, outputs], b1, ..."""
        state: dict[str, np.ndarray] = {}

        def stage(life: Lifeline) -> None:
            digest, learner = digest_at(life.device, self._lesson.end), self._learner
            if learner is not None:
                self._differs(life, digest, "state")
            if self._teaching.found is None:
                state.update(read_state(life.device, digest))

        self._through(stage)
        return state

    def set_weights(self, state: Mapping[str, Any]) -> None:
        """Give device and reference these tensors; those that are not named stay."""
        if self._lesson.recoverable and self._lesson.end:
            raise UsageError(
                "set_weights() comes after a step, but a device of this experiment that has "
                "lost its power learns again from before that step: expected one of them",
                "without commit, and without power cuts in faults, it may come",
            )
        now = self.weights()
        made = {name: intake.tensor(name, state[name], now) for name in state}
        weights.require_within("set_weights()", made, self._life.device.plan)
        state, step = {**now, **made}, self._lesson.end
        self._do(lambda: self._teaching.place(state, step))
        if not step:
            self._initial = state

    def commit(self) -> Commit:
        """Write a checkpoint into the device's flash."""
        self._require_flash()
        done: list[Commit] = []

        def stage(life: Lifeline) -> None:
            done[:] = [life.device.commit()]
            if self._learner is not None:
                self._differs(life, done[0].digest, "commit")

        self._through(stage)
        return done[0]

    # -- about it ---------------------------------------------------------

    @property
    def record(self) -> RunRecord:
        """What is known of the run so far."""
        if not self._closed:
            self._teaching.account()
        return self._session.record

    @property
    def history(self) -> dict[str, np.ndarray]:
        """What every step has told, as arrays [steps] (`RunRecord.history`)."""
        if not self._closed:
            self._teaching.flush()
        return history.history(self.record.folder)

    @property
    def memory(self) -> np.ndarray:
        """The memory bill, a row an item: its name, its kind (all but "const" are RAM)
        and its bytes."""
        rows = bill.rows(self._life.device.plan)
        return np.array([(row.name, row.kind, row.bytes) for row in rows], ROWS)

    # -- how it is done ---------------------------------------------------

    @property
    def _closed(self) -> bool:
        return self._session.over

    @property
    def _learner(self) -> Any:
        return self._teaching.learner

    def _do(self, work: Callable[[], object]) -> None:
        """Do something with the device. Whatever breaks it off has ended the session."""
        self._require_open()
        try:
            work()
            self._session.found = self._teaching.found
            if self._session.found is not None:
                self._session.judge()
        except BaseException as error:
            self._ended = error
            raise

    def _through(self, stage: Callable[[Lifeline], None]) -> None:
        self._do(lambda: self._life.through(stage))

    def _found(self, found: Found | None) -> None:
        self._teaching.found = self._teaching.found or found

    def _differs(self, life: Lifeline, digest: int, when: str) -> None:
        """Hold a digest that the device has told against the reference's."""
        step, learner = self._lesson.end, self._learner
        seen = digest_difference(step, digest, learner.digest(), when)
        if seen is not None:
            found = compare_state(life.device, learner, step, when)
            self._found(found or Found(seen))

    def _keep(self) -> None:
        """Write what was given into the run's folder, and the experiment that gives it
        again, which the record names."""
        record, stream = self.record, self._lesson.stream
        asked, folder = self._lesson.experiment, record.folder
        changes: dict[str, Any] = {"steps": len(stream) or None}
        if len(stream):
            data = stream.dataset(self._lesson.dataset)
            path = arrays.write(folder / SAMPLES, taken.as_arrays(data), packed=True)
            record.data = changes["data"] = str(path)
        if self._initial is not None:
            changes["init"] = str(weights.save(str(folder / INITIAL), self._initial))
        asked = replace(asked, **changes)
        record.experiment = as_settings(asked)
        asked.write(folder / EXPERIMENT)

    def _require_open(self) -> None:
        if self._closed or self._ended is not None:
            why = f": {self._ended}" if self._ended is not None else ""
            raise UsageError(f"the session with the device has ended{why}")

    def _require_parts(self, call: str) -> None:
        self._require_open()
        if self._lesson.experiment.chunk is None:
            raise UsageError(
                f"{call} is for samples that come in parts, and this device takes samples "
                "whole",
                "hil.open(..., chunk=64) has it put together parts of up to 64 bytes; "
                "step(x, y) learns a whole sample",
            )

    def _require_flash(self) -> None:
        if not self._session.keeps_checkpoints:
            raise UsageError(
                f"commit() needs flash, and target {self._lesson.target.name} has none "
                "here",
                'hil.open(..., flash="learned.bin") gives an emulator its flash',
            )

    def _leave(self) -> None:
        """At the end of the program, not of a fork of it. What has ended the session was
        raised already."""
        if os.getpid() == self._process:
            self.__exit__(None, self._ended, None)

    def _end(self, error: BaseException | None) -> None:
        """Leave every context, with the error that ends them."""
        atexit.unregister(self._leave)
        stack, self._stack = self._stack.pop_all(), ExitStack()
        if error is not None and not isinstance(error, (HilError, KeyboardInterrupt)):
            error = HilError(f"the program that taught the device ended with {error!r}")
        stack.__exit__(type(error) if error else None, error, None)

    def _require_passed(self) -> None:
        failure = self._session.failure
        if failure is not None and not isinstance(failure, NothingCompared):
            raise failure
