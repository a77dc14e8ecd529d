"""Before a run walks: what it needs of an earlier one, its folder, its flash."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from shutil import rmtree

from codegen.errors import OverBudget
from codegen.planning.planned import Plan
from hil.data import arrays, taken
from hil.device.greeting import Greeting
from hil.errors import StorageError, UsageError
from hil.experiment import Experiment
from hil.key_values import InMemory
from hil.learning import checkpoints
from hil.learning.progress import Begun, Progress
from hil.lesson import weights
from hil.lesson.building import Built, plan_for
from hil.lesson.lesson import Lesson
from hil.lesson.preparing import data_of
from hil.records import record as records
from hil.records.record import RunRecord
from hil.records.recording import new_record
from hil.records.verdict import in_integers
from targets import storage


def require_resumable(lesson: Lesson) -> None:
    """Raise `UsageError` where a checkpoint does not hold all that a run is in."""
    budget = lesson.spec.gate.budget
    if budget is not None:
        raise UsageError(
            f"a budget of {budget} {lesson.spec.gate.counter} a step depends on counts "
            "that the earlier run has not kept: such a run cannot be resumed"
        )
    slots = lesson.experiment.rehearsal
    if slots is not None:
        raise UsageError(
            f"rehearsal is {slots}, but a checkpoint does not hold the samples that the "
            "device keeps: such a run cannot be resumed"
        )


def in_new_folder(lesson: Lesson, out: Path) -> tuple[Lesson, RunRecord]:
    """The lesson of a run that begins and its record, in a folder of its own in `out`
    with its experiment, its front, and its data if they were in memory. Raises `UsageError`
    and `StorageError`, and leaves no folder then."""
    frozen = lesson.spec.inputs.frozen
    front = {} if frozen is None else {"front": (records.FRONT, frozen.model)}
    folder, asked = new_folder(lesson.experiment, out, front)
    lesson = replace(lesson, experiment=asked)
    return lesson, new_record(lesson, folder)


def new_folder(
    asked: Experiment, out: Path, models: Mapping[str, tuple[str, bytes]]
) -> tuple[Path, Experiment]:
    """A folder of its own in `out` for a run that begins, and the experiment that lies in
    it: data that were in memory, and `models` by the keys that name them, are files there,
    so a run can be done again where a model has changed since. Raises as `in_new_folder`."""
    try:
        folder = records.make_folder(out, asked.name)
    except OSError as error:
        raise storage.scarcity(error) or UsageError(
            f"run folder in {str(out)!r} cannot be made: {error.strerror}",
            "choose another place with --out",
        ) from error
    try:
        asked = _with_data_in(folder, asked)
        for key, (name, model) in models.items():
            asked = asked.override({key: str(storage.write(folder / name, model))})
        asked.write(folder / records.EXPERIMENT)
    except StorageError:
        rmtree(folder, ignore_errors=True)
        raise
    return folder, asked


def _with_data_in(folder: Path, asked: Experiment) -> Experiment:
    """The same experiment; data in memory become a file in the folder."""
    if not isinstance(asked.data, InMemory):
        return asked
    path = arrays.write(
        folder / records.DATA, taken.as_arrays(data_of(asked)), packed=True
    )
    return replace(asked, data=str(path))


def flash(lesson: Lesson, resume: Path | bool, folder: Path) -> Path | None:
    """The file that is the emulator's flash, None where none is wanted. Of a run that
    is resumed from its folder, the flash is copied into this one's."""
    asked = lesson.experiment
    if asked.unit is not None or lesson.target.flash is None:
        return None
    if asked.flash is not None:
        return Path(asked.flash)
    path = folder / records.FLASH
    if isinstance(resume, Path):
        checkpoints.copy(resume / records.FLASH, path)
    return path if lesson.recoverable or resume else None


def planned(lesson: Lesson, resume: Path | bool) -> Plan | None:
    """The plan of a run, made before the run has a folder; None where it is over budget,
    which is told in the run's record. Raises `SpecError` and `UsageError` for what cannot
    be planned, and `DataError` where the file of weights that the run starts from, or the
    flash that it goes on from, is of another network."""
    try:
        made = plan_for(lesson)
    except OverBudget:
        return None
    if lesson.experiment.init is not None:
        weights.load_for(lesson.experiment.init, made)
    kept = _left_by_another(lesson, resume)
    if kept is not None:
        checkpoints.require_own(made, kept)
    return made


def _left_by_another(lesson: Lesson, resume: Path | bool) -> Path | None:
    """The flash that a run goes on from, where it is a file."""
    asked = lesson.experiment
    if not resume or asked.unit is not None or lesson.target.flash is None:
        return None
    if asked.flash is not None:
        return Path(asked.flash)
    return resume / records.FLASH if isinstance(resume, Path) else None


def checkpoints_held(lesson: Lesson, built: Built, flash: Path | None) -> bool:
    """Whether the device can write checkpoints."""
    held = flash is not None or lesson.experiment.unit is not None
    return bool(built.plan.slots.count and held and not lesson.experiment.rehearsal)


def show(told: Greeting, record: RunRecord, progress: Progress) -> None:
    """What a device has said in HELLO, for the record and for whoever watches."""
    record.device = {
        "isa": told.isa,
        "vlen": told.vlen,
        "harts": told.harts,
        "max_payload": told.max_payload,
        "window": told.window,
    }
    vlen = f" VLEN {told.vlen}" if told.vlen else ""
    progress.stage("hello", f"{told.target} {told.isa}{vlen}, build {told.digest[:8]}")


def begun(lesson: Lesson, built: Built, flash: Path | None) -> Begun:
    """What a view is told before the first step."""
    memory = lesson.target.memory
    return Begun(
        kind=records.from_device(lesson.board),
        classes=lesson.spec.network.n_out if lesson.spec.goal == "label" else 0,
        ram=built.image.ram,
        ram_of=memory.usable if memory else None,
        stack_bound=built.stack_bound,
        checkpoints=checkpoints_held(lesson, built, flash),
        tasks=tuple(task.name for task in lesson.dataset.tasks),
    )


def planned_as(lesson: Lesson, plan: Plan) -> str:
    """What was planned, in a line."""
    spec, target = lesson.spec, lesson.target
    said = f"{spec.rule.name} {spec.network}{in_integers(spec.format)}"
    if not target.fma and spec.format == "i16":  # which it takes by itself
        said += f" (target {target.name} computes no float32)"
    said += f", {plan.ram:,} bytes of RAM"
    if lesson.experiment.rehearsal:
        what = "samples' features" if plan.latent else "samples"
        return f"{said}, {lesson.experiment.rehearsal:,} {what} rehearsed"
    placed = f", {lesson.resident:,} samples in the image" if lesson.resident else ""
    return said + placed
