"""Learned state, wherever it lies: an .npz, a run's flash, or a board."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from codegen.planning.planned import Plan
from codegen.reference import Learner
from hil.desk.attach import attach, greet
from hil.device.device import Device
from hil.errors import DataError, UsageError
from hil.experiment import Experiment, load
from hil.learning import checkpoints
from hil.learning.compare import Row, row_of
from hil.learning.divergence import Snapshot, read_state, require_digest, write_state
from hil.lesson import weights
from hil.lesson.building import build, plan_for
from hil.lesson.lesson import Lesson
from hil.lesson.preparing import prepare
from hil.records.record import EXPERIMENT, FLASH

State = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Held:
    """A state, and the next step of what learned it (None: not told)."""

    state: State
    step: int | None = None


class RunFolder:
    """A run's folder, for what it was a run of. Raises `UsageError`."""

    def __init__(self, folder: Path) -> None:
        if not (folder / EXPERIMENT).is_file():
            raise UsageError(
                f"{str(folder)!r} is no run's folder: it has no {EXPERIMENT}",
                "`hil run` prints the folder of its record",
            )
        self.folder = folder
        self.experiment: Experiment = load(folder / EXPERIMENT)

    @property
    def flash(self) -> Path:
        """Its emulator's flash."""
        asked = self.experiment.flash
        return Path(asked) if asked else self.folder / FLASH

    def prepared(self, unit: str | None = None) -> tuple[Lesson, Plan]:
        """What the run was of, on a board instead if one is named."""
        lesson = prepare(self.experiment.override({"unit": unit} if unit else {}))
        return lesson, plan_for(lesson)


def saved(source: str, step: int | None = None) -> Held:
    """The state in an .npz, or in the newest checkpoint of a run's folder (of step
    `step` if that is given). Raises `UsageError` or `DataError`."""
    path = Path(source)
    if path.suffix == ".npz":
        return Held(weights.read(source))
    run = RunFolder(path)
    _, plan = run.prepared()
    found = checkpoints.newest(plan, run.flash, step)
    return Held(checkpoints.tensors(plan, found.state), found.step)


def store(run: RunFolder, file: str, step: int) -> checkpoints.Checkpoint:
    """Write an .npz as the newest checkpoint of a run's flash."""
    lesson, plan = run.prepared()
    state = weights.load_for(file, plan)
    learner = Learner(lesson.spec)
    learner.load(state)
    return checkpoints.add(
        plan, run.flash, state,
        step=step, seed=lesson.spec.seed, digest=learner.digest(),
    )  # fmt: skip


@contextmanager
def _board(run: RunFolder, unit: str) -> Iterator[tuple[Lesson, Device]]:
    """The board on a port, which must run this run's image."""
    lesson, plan = run.prepared(unit)
    built = build(plan, lesson.experiment.toolchain)
    path = built.image.path
    with attach(lesson, path) as attached:
        device = Device(attached.channel, plan, lesson.target.limits, path)
        greet(device, lesson, built)
        yield lesson, device


def read_board(run: RunFolder, unit: str) -> Held:
    """The state of a board's newest checkpoint, which the board goes on from."""
    with _board(run, unit) as (lesson, device):
        step, digest = device.resume(lesson.spec.seed)
        return Held(read_state(device, digest), step)


def write_board(run: RunFolder, unit: str, file: str, step: int) -> int:
    """Have a board go on from an .npz, and commit it; returns the digest."""
    with _board(run, unit) as (lesson, device):
        state = weights.load_for(file, device.plan)
        told = write_state(device, lesson.spec.seed, Snapshot(step, state))
        require_digest(device.plan.spec, state, told)
        return device.commit().digest


def parted(one: State, other: State) -> list[Row]:
    """Tensor by tensor, how two states differ. Raises `DataError` when they are not
    of the same tensors."""
    shapes = [{n: t.shape for n, t in state.items()} for state in (one, other)]
    if shapes[0] != shapes[1]:
        names = sorted(
            n for n in {**one, **other} if _shape(one, n) != _shape(other, n)
        )
        raise DataError(
            f"the states are of different networks: tensor {names[0]} is "
            f"{_shape(one, names[0])} in the first and {_shape(other, names[0])} in the "
            "second"
        )
    return [row_of(name, one[name], other[name], 0, "state") for name in one]


def _shape(state: State, name: str) -> str:
    return str(list(state[name].shape)) if name in state else "missing"
