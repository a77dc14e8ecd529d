"""One step of a recorded run done again by itself, and all of it compared.

The device is put into the state that the reference has before the step; so what
went wrong in an earlier one is not seen here, and this one's own fault is.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from codegen.building import toolchain
from codegen.planning.planned import Plan
from codegen.protocol import StepFlag
from codegen.reference import Learner, NonFinite, Result
from hil.device.device import NO_FLAGS, Device
from hil.device.replies import StepResult
from hil.errors import DeviceFault, LinkError, UsageError
from hil.experiment import Experiment, load
from hil.learning.compare import Difference, Row, digest_difference, row_of
from hil.learning.divergence import Snapshot, both, one_step, write_state
from hil.lesson import weights
from hil.lesson.building import Built, build, plan_for
from hil.lesson.lesson import Lesson
from hil.lesson.preparing import prepare
from hil.records import record as records
from hil.records import run_files

TOLD = ("outputs", "loss", "digest")
"""Rows that hold what the device tells of a step; all others are read back."""
MACHINE = ("target", "unit", "vlen")
"""Keys that choose another machine than the recorded one."""


@dataclass(frozen=True)
class Recorded:
    """A run's folder, its record and its experiment."""

    folder: Path
    document: Mapping[str, Any]
    experiment: Experiment

    @property
    def step(self) -> int:
        """The step to look at: where it differs, else the one it ended in, else
        the last."""
        document = self.document
        found, error = document["divergence"], document["error"] or {}
        reached = found["step"] if found else error.get("step")
        if reached is None:
            reached = document["learned"]
        return min(int(reached), int(document["steps"]) - 1)

    def digest_before(self, step: int) -> int | None:
        """The state digest that was compared right before this step, if one was."""
        for told in run_files.steps(self.folder):
            if told["step"] == step - 1 and told["digest"] is not None:
                return int(told["digest"], 16)
        return None


def recorded(folder: Path) -> Recorded:
    """What lies in a run's folder. Raises `UsageError`."""
    document = run_files.document(folder / records.FILE)
    return Recorded(folder, document, load(folder / records.EXPERIMENT))


def lesson_of(run: Recorded, changes: Mapping[str, Any]) -> Lesson:
    """The run's lesson, on another machine where `changes` name one: a target
    that is named is an emulator, unless a unit is named too. Raises what
    `prepare` raises."""
    made = {"save": None, "flash": None, "faults": None, **changes}
    if "target" in changes:
        made = {**dict.fromkeys(("unit", "vlen", "toolchain", "commit")), **made}
    lesson = prepare(run.experiment.override(made))
    if lesson.spec.gate.budget is not None:
        raise UsageError(
            "this run held a budget, whose controller followed the device's counter: "
            "the record does not hold what that has told of each step"
        )
    return lesson


def image_of(run: Recorded, lesson: Lesson) -> tuple[Built, str]:
    """The image to run, and whether it is "recorded" or "built" anew.

    A run's folder may come from anywhere, so its image is never run as it lies
    there: what runs is what the recorded plan builds here, and the recorded image
    has to be that, byte for byte. Raises `UsageError` when it is not; where another
    machine was chosen, nothing was recorded for it.
    """
    planned = plan_for(lesson)
    digest = run.document["image"]["build_digest"]
    if digest is None:
        raise UsageError(f"the run in {str(run.folder)!r} ended before it had an image")
    built = build(planned, lesson.experiment.toolchain)
    before, now = run.experiment, lesson.experiment
    if any(getattr(before, key) != getattr(now, key) for key in MACHINE):
        return built, "built"
    if built.image.digest != digest:
        differs = built.files.differs_from(run.folder)
        why = f"{differs} is another" if differs else built.image.toolchain
        raise UsageError(
            f"the run's image is build {digest[:8]}, but its experiment now gives build "
            f"{built.image.digest[:8]} ({why})",
            f"the run was made with hil {run.document['versions']['hil']} and "
            f"{run.document['versions'].get('toolchain')}",
        )
    path = run.folder / records.IMAGE
    if not os.path.lexists(path):
        return built, "built"
    if not _same(path, built.image.path):
        raise UsageError(
            f"image {str(path)!r} is not what the run's experiment builds, and is not "
            f"run: expected the bytes of build {digest[:8]}",
            "it was changed after the run; without it, the replay builds the image anew",
        )
    return built, "recorded"


def _same(recorded: Path, built: Path) -> bool:
    """Whether both hold the same bytes; what is no plain file holds none."""
    if recorded.is_symlink() or not recorded.is_file():
        return False
    if recorded.stat().st_size != built.stat().st_size:
        return False
    return recorded.read_bytes() == built.read_bytes()


def with_symbols(run: Recorded, built: Built, lesson: Lesson) -> Path:
    """An ELF with the same code, and its lines where this compiler made it."""
    asked = lesson.experiment
    plan = built.plan
    found = toolchain.find(plan.target, asked.toolchain, plan.vlen, plan.debug)
    if built.files.digest(*found.context()) != built.image.digest:
        return built.image.path
    return toolchain.build(built.files, found, extra=toolchain.KEPT).path


def reference_before(run: Recorded, lesson: Lesson, step: int) -> Learner:
    """The reference before this step. Raises `UsageError` when it cannot get
    there, or gets to another state than the run's."""
    learner = Learner(lesson.spec)
    init = lesson.experiment.init
    if init is not None:
        shapes = {name: tensor.shape for name, tensor in learner.state.items()}
        dtypes = {name: tensor.dtype.str for name, tensor in learner.state.items()}
        learner.load(weights.initial(init, lesson.spec, shapes, dtypes))
    for earlier in range(step):
        sample, given = lesson.sample(earlier)
        try:
            learner.step(sample, given, lesson.eta(earlier))
        except NonFinite as error:
            raise UsageError(
                f"the reference meets a non-finite {error.tensor} in step {earlier} "
                f"already, so there is no step {step}"
            ) from None
    known = run.digest_before(step)
    if known is not None and known != learner.digest():
        raise UsageError(
            f"before step {step} the run had digest {known:08x}, but its experiment now "
            f"leads to {learner.digest():08x}",
            "its data, its initial weights or the reference have changed since",
        )
    return learner


@dataclass(frozen=True)
class Replayed:
    """A step as both have done it; `note` tells when one of them stopped in it."""

    step: int
    rows: tuple[Row, ...]
    note: str = ""
    stopped_alike: bool = True

    @property
    def equal(self) -> bool:
        """Whether they did the same, to the last bit."""
        return self.stopped_alike and not any(row.differing for row in self.rows)

    @property
    def first(self) -> Difference | None:
        """Where they part: the first tensor that differs, in the order in which a
        step computes them; what was told differs because of it."""
        parted = [row for row in self.rows if row.differing]
        parted.sort(key=lambda row: row.tensor in TOLD)
        return parted[0].first if parted else None


def lead_in(lesson: Lesson, plan: Plan, step: int) -> int:
    """The step to begin with: where updates wait for the next step's pass, the one
    before it, unless the run took a digest in between, which makes them done."""
    fused = plan.pending and step > 0 and not lesson.digest_after(step - 1)
    return step - 1 if fused else step


def replay(
    device: Device,
    lesson: Lesson,
    learner: Learner,
    step: int,
    ready: Callable[[], None] = lambda: None,
    meanwhile: Callable[[], None] = lambda: None,
) -> Replayed:
    """Put the device into the learner's state, and do the steps up to `step`
    (all but that one as a `lead_in`). `ready` is called before that step is sent,
    and `meanwhile` when it is on its way."""
    first = learner.step_number
    snapshot = Snapshot(first, learner.snapshot())
    digest = write_state(device, lesson.spec.seed, snapshot)
    if digest_difference(first, digest, learner.digest()) is not None:
        rows = _tensors(learner.state, device, first, "init")
        return Replayed(step, rows, "they differ before the step already")
    for earlier in range(first, step):
        done = _both_do(device, lesson, learner, earlier, NO_FLAGS)
        if not done.equal or done.note:
            return replace(done, note=f"this step leads in to {step}; {done.note}")
    ready()
    done = _both_do(device, lesson, learner, step, StepFlag.DIGEST, meanwhile)
    values = {**learner.trace, **learner.state}
    return replace(done, rows=done.rows + _tensors(values, device, step, "step"))


def _both_do(
    device: Device,
    lesson: Lesson,
    learner: Learner,
    step: int,
    flags: StepFlag,
    meanwhile: Callable[[], None] = lambda: None,
) -> Replayed:
    """What both tell of a step."""
    told: StepResult | None = None
    result: Result | None = None
    notes = []
    try:
        told = one_step(device, lesson, step, flags, meanwhile)
    except DeviceFault as error:
        try:
            device.settle()  # the step's own reply is still to come
        except LinkError:
            raise error from None  # a trap was the emulator's end
        notes.append(str(error))
    sample, given = lesson.sample(step)
    try:
        result = learner.step(sample, given, lesson.eta(step))
    except NonFinite as error:
        notes.append(f"the reference met a non-finite {error.tensor}")
    rows: tuple[Row, ...] = ()
    if told is not None and result is not None:
        rows = (
            row_of(TOLD[0], told.outputs, result.p, step),
            row_of(TOLD[1], told.loss, result.loss, step),
        )
        if told.digest is not None:
            seen = digest_difference(step, told.digest, learner.digest())
            rows += (Row(TOLD[2], 1, int(seen is not None), seen),)
    alike = (told is None) == (result is None)
    return Replayed(step, rows, "; ".join(notes), alike)


def _tensors(
    values: Mapping[str, np.ndarray], device: Device, step: int, when: str
) -> tuple[Row, ...]:
    """Every tensor that can be read back, in the order a step computes them."""
    return tuple(row_of(*found, step, when) for found in both(values, device))
