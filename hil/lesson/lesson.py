"""A lesson: an experiment made concrete, with its data, target and network.

Everything an experiment leaves open is decided here, and everything that can
be refused without building is refused here.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Protocol

import numpy as np

from codegen import rules
from codegen.planning.resident import Resident
from codegen.spec import Clip, Gate, Network, RuleChoice, Spec
from hil.data import datasets
from hil.data.datasets import Dataset
from hil.device import units
from hil.device.units import Unit
from hil.errors import UsageError
from hil.experiment import Experiment
from hil.lesson import rates
from hil.lesson.rehearsal import Rehearsal, Turn
from hil.lesson.tuned_file import Tuned
from hil.lesson.tuned_file import load as load_tuned
from hil.output import require_folder
from targets import Target, require_fma
from targets import load as load_target

DEFAULT_WIDTHS = {"digits": (64, 128, 64, 10)}
DEFAULT_HIDDEN = 128
"""Width of the hidden layer where neither experiment nor data name a network."""
TESTED = 1000
"""Test samples inferred unless the experiment says otherwise, or holds out its own."""
THIN, THIN_ALONE = 32, 128
"""Steps that one reply of a resident run tells of unless the experiment says
otherwise: where all are compared, and where the device goes on alone."""


class Wanted(Protocol):
    """Where an image is to run, whatever it does there."""

    @property
    def experiment(self) -> Experiment:
        """How the device is reached."""

    @property
    def target(self) -> Target:
        """What it is for."""

    @property
    def vlen(self) -> int:
        """VLEN of that machine in bits, 0 without vectors."""


@dataclass(frozen=True, eq=False)
class Lesson:
    """What will be done: `steps` steps of `spec` on `target`, sample by sample.

    `experiment` is the effective one: no key is left open that could change
    the run, and its paths are absolute.
    """

    experiment: Experiment
    target: Target
    vlen: int
    spec: Spec
    dataset: Dataset
    steps: int
    tested: int
    resident: int = 0
    tuned: Tuned | None = None

    @cached_property
    def rehearsal(self) -> Rehearsal | None:
        """What of the stream the device keeps, and learns again."""
        slots, times = self.experiment.rehearsal, self.experiment.rehearse
        if slots is None or times is None:
            return None
        return Rehearsal(self.spec.seed, slots, times)

    def turn(self, step: int) -> Turn:
        """Where the sample of learning step `step` comes from."""
        if self.rehearsal is None:
            return Turn(step, None, False)
        return self.rehearsal.turn(step)

    @property
    def board(self) -> str | None:
        """What board the bench says that the unit is; None for an emulator too."""
        return units.board_of(self.experiment.unit, self.target.name)

    @property
    def digest_every(self) -> int:
        """Within the prefix the state digest is compared after every so many
        steps, 0: never."""
        compare = self.experiment.compare
        return {"every": 1, "none": 0}[compare] if isinstance(compare, str) else compare

    @property
    def prefix(self) -> int:
        """The reference repeats the first so many steps, 0: none."""
        return (self.experiment.prefix or self.steps) if self.digest_every else 0

    def digest_after(self, step: int) -> bool:
        """Whether the state digest is compared after step `step`: after the
        last one of the prefix too, and never after that."""
        every = self.digest_every
        if not every or step >= self.prefix:
            return False
        ends = step + 1 in (self.prefix, *self.legs) or self.commits_after(step)
        return ends or (step + 1) % every == 0

    def commits_after(self, step: int) -> bool:
        """Whether a checkpoint is written after step `step`."""
        every = self.experiment.commit
        if every is None:
            return False
        return step + 1 == self.steps or (step + 1) % every == 0

    @property
    def recoverable(self) -> bool:
        """Whether a device that has lost its power is brought forward again: from
        its newest checkpoint, or from the start."""
        faults = self.experiment.line_faults
        return self.experiment.commit is not None or bool(faults and faults.cut)

    @property
    def lasting(self) -> bool:
        """Whether a run goes on when its line, or its device, was lost."""
        return self.recoverable or self.experiment.faults is not None

    @cached_property
    def legs(self) -> tuple[int, ...]:
        """Steps after which the device is tested: the end of each task that it
        reaches, and of the run."""
        return (*sorted({end for end in self.ends if end < self.steps}), self.steps)

    @cached_property
    def ends(self) -> tuple[int, ...]:
        """The step after which each task ends, with what is rehearsed in it."""
        pace = _pace(self.experiment)
        return tuple(task.end * pace for task in self.dataset.tasks)

    @cached_property
    def tests(self) -> tuple[range, ...]:
        """Test samples of each task, one range where there are no tasks; empty
        where a task has none."""
        tasks, most = self.dataset.tasks, self.tested
        if not tasks:
            return (range(most),)
        return tuple(
            range(task.test_first, min(task.test_end, task.test_first + most))
            for task in tasks
        )

    def task(self, step: int) -> int:
        """Index of the task of learning step `step`, 0 where there are none."""
        return bisect_right(self.ends, step)

    def unbroken(self, first: int, end: int) -> int:
        """The end of steps `first` .. `end` - 1, or where a leg ends or a checkpoint
        comes before: a frame ends there, so that after a cut the same frames come
        again."""
        end = min(end, *(leg for leg in self.legs if leg > first))
        every = self.experiment.commit
        return end if every is None else min(end, first - first % every + every)

    @cached_property
    def _order(self) -> Callable[[int], np.ndarray]:
        """Order of an epoch, time's own in a stream; the latest two are kept."""
        n, seed = len(self.dataset.train_x), self.spec.seed
        if self.dataset.tasks:
            return lambda epoch: np.arange(n)
        return lru_cache(maxsize=2)(lambda epoch: datasets.order(seed, epoch, n))

    def sample(self, step: int) -> tuple[np.ndarray, int]:
        """Raw sample [elements] and label of learning step `step`."""
        index = self.index(step)
        return self.dataset.train_x[index], int(self.dataset.train_y[index])

    def label(self, step: int) -> int:
        """Label of learning step `step`."""
        return int(self.dataset.train_y[self.index(step)])

    def index(self, step: int) -> int:
        """Place in the training data of the sample of learning step `step`."""
        epoch, place = divmod(self.turn(step).position, len(self.dataset.train_x))
        return int(self._order(epoch)[place])

    @cached_property
    def resident_set(self) -> Resident | None:
        """The first `resident` samples of the first epoch, in its order."""
        if not self.resident:
            return None
        thin, first = self.experiment.thin, self._order(0)[: self.resident]
        assert thin is not None
        samples = self.dataset.train_x[first].tobytes()
        labels = self.dataset.train_y[first].astype("<u2").tobytes()
        return Resident(self.resident, samples, labels, thin)

    @cached_property
    def _places(self) -> Callable[[int], np.ndarray]:
        """Of an epoch: where in the first epoch's order its samples are."""
        places = np.empty(len(self.dataset.train_x), np.uint32)
        places[self._order(0)] = np.arange(len(places), dtype=np.uint32)
        return lru_cache(maxsize=2)(lambda epoch: places[self._order(epoch)])

    def resident_places(self, step: int, most: int) -> np.ndarray:
        """Places in the resident set of the samples of step `step` and those
        after it: at most `most`, of one epoch, up to one that is not resident."""
        epoch, place = divmod(step, len(self.dataset.train_x))
        places = self._places(epoch)[place : place + most]
        away = np.flatnonzero(places >= self.resident)
        return places[: away[0]] if away.size else places

    def eta(self, step: int) -> np.float32:
        """Learning rate of step `step`, as it travels."""
        position, freeze = step // _pace(self.experiment), self.experiment.freeze
        epoch = position // len(self.dataset.train_x)
        if freeze is not None and step >= freeze:
            return np.float32(0.0)
        lr, decay = self.experiment.lr, self.experiment.lr_decay
        assert lr is not None and decay is not None
        return np.float32(lr * decay**epoch)


def prepare(experiment: Experiment) -> Lesson:
    """The lesson of `experiment`. Raises `UsageError`, `DescriptorError`,
    `SpecError` or `DataError`, each naming what is wrong."""
    target = load_target(experiment.target)
    require_fma(target)
    unit = None
    if experiment.unit is not None:
        unit = units.chosen(experiment.unit, target.name)
        experiment = replace(experiment, unit=unit.name)
    vlen = target.vlen(experiment.vlen)
    if experiment.icount and (target.machine != "qemu" or experiment.unit):
        raise UsageError(
            f"icount needs an emulator, and {experiment.unit or target.name!r} is none"
        )
    if experiment.icount and target.qemu is not None and not target.qemu.counts:
        raise UsageError(
            f"icount needs a counter of instructions, and target {target.name} has none"
        )
    _require_possible_faults(experiment, target, unit)
    if experiment.icount:
        target = target.counted()
    if experiment.save is not None:
        require_folder("save", experiment.save)
    rules.get(RuleChoice(experiment.rule, experiment.parameters))
    dataset = datasets.load(experiment.data, experiment.widths)
    if experiment.holdout is not None:
        dataset = datasets.hold_out(dataset, experiment.holdout)
    network = _network(experiment, dataset)
    spec = Spec(
        network,
        RuleChoice(experiment.rule, experiment.parameters),
        dataset.inputs,
        experiment.seed,
        _gate(experiment, target),
        Clip(experiment.clip_weights, experiment.clip_error),
    )
    rules.require_gates(rules.get(spec.rule), spec)
    steps = _steps(experiment, dataset)
    tested = _tested(experiment, dataset)
    lr, decay = experiment.lr, experiment.lr_decay
    resident = _resident(experiment, dataset)
    effective = replace(
        experiment,
        name=experiment.name or f"{dataset.name}-{experiment.rule}",
        vlen=vlen or None,
        network=network.layers,
        data=experiment.data
        if experiment.data in datasets.NAMES
        else _absolute(experiment.data),
        steps=steps,
        epochs=None,
        prefix=experiment.prefix and min(experiment.prefix, steps),
        lr=rates.default(spec.rule, network) if lr is None else lr,
        lr_decay=rates.default_decay(network) if decay is None else decay,
        active=spec.gate.active,
        error_gate=spec.gate.error or None,
        test=tested,
        resident=resident or None,
        thin=_thin(experiment) if resident else None,
        rehearse=_pace(experiment) - 1 or None,
        window=1 if experiment.icount else experiment.window,
        samples_per_frame=1 if experiment.icount else experiment.samples_per_frame,
        init=experiment.init and _absolute(experiment.init),
        save=experiment.save and _absolute(experiment.save),
        flash=experiment.flash and _absolute(experiment.flash),
        tuned=experiment.tuned and _absolute(experiment.tuned),
    )
    tuned = None
    if experiment.tuned is not None:
        tuned = load_tuned(experiment.tuned)
        tuned.require(spec, target, specialised(effective, vlen))
    return Lesson(
        effective, target, vlen, spec, dataset, steps, tested, resident, tuned
    )


def _require_possible_faults(
    experiment: Experiment, target: Target, unit: Unit | None
) -> None:
    """Raise `UsageError` for checkpoints and faults that cannot be."""
    if experiment.commit is not None and target.flash is None and not experiment.unit:
        raise UsageError(
            f"commit is {experiment.commit}, but target {target.name} has no flash"
        )
    if experiment.flash is not None and experiment.unit is not None:
        raise UsageError(
            f"flash is {experiment.flash!r}, but unit {experiment.unit!r} has its own: "
            "expected one of them"
        )
    faults = experiment.line_faults
    if faults is None or not faults.cut:
        return
    if unit is not None and unit.power is None:
        raise UsageError(
            f"faults has a power cut, but unit {unit.name!r} has no power switch",
            "a key `power` in the bench is a command with {state} in it",
        )
    if experiment.instructions or experiment.cycles:
        raise UsageError(
            "faults has a power cut, but steps under a budget depend on counts that do "
            "not repeat after it"
        )


def specialised(experiment: Experiment, vlen: int) -> int | None:
    """The VLEN in bits that the code is made for, None for any: nobody knows
    that of a board before it has answered."""
    return None if experiment.agnostic or experiment.unit else vlen or None


ERROR_GATE = 0.1
"""Threshold of `gate = "error"` unless the experiment has one."""
ACTIVE = 0.25
"""What a gate lets through unless a threshold or a budget says otherwise."""


def _gate(experiment: Experiment, target: Target) -> Gate:
    """The gate as the plan knows it."""
    kind = "none" if experiment.gate == "error" else experiment.gate
    budget = experiment.instructions or experiment.cycles
    active, tau = experiment.active, experiment.tau
    if kind == "none" and (active or tau or budget):
        what = "active" if active else "tau" if tau else "a budget of a step"
        raise UsageError(
            f"{what} is given, but no gate could hold it: expected gate element, row "
            "or block",
            "--gate row leaves whole rows of an update out",
        )
    if budget is not None:
        _require_counter(experiment, target)
    if kind != "none" and active is None and tau is None and budget is None:
        active = ACTIVE
    error = experiment.error_gate or (ERROR_GATE if experiment.gate == "error" else 0.0)
    return Gate(
        kind, Gate().threshold if tau is None else tau, active, error,
        "cycles" if experiment.cycles else "instructions", budget,
    )  # fmt: skip


def _require_counter(experiment: Experiment, target: Target) -> None:
    """A budget wants a counter that means something."""
    on_board = target.machine == "user" and experiment.unit
    uncounted = target.qemu is not None and not target.qemu.counts
    missing = uncounted and not experiment.unit
    if missing or not (target.emulated or on_board):
        raise UsageError(
            f"a budget of a step needs a counter, and target {target.name} has none"
        )
    if target.emulated and not (experiment.icount or experiment.unit):
        raise UsageError(
            "a budget of a step in an emulator means something only where instructions "
            "are counted exactly",
            "--icount counts them",
        )


def _absolute(path: str) -> str:
    return str(Path(path).resolve())


def _network(experiment: Experiment, dataset: Dataset) -> Network:
    default = (dataset.features, DEFAULT_HIDDEN, dataset.classes)
    widths = experiment.widths
    if widths is None:
        widths = DEFAULT_WIDTHS.get(dataset.name, default)
    network = Network(widths, experiment.activation, experiment.output)
    if network.n_in != dataset.features:
        raise UsageError(
            f"network {network} takes {network.n_in} inputs, but data "
            f"{dataset.name!r} has {dataset.features} features"
        )
    if network.n_out < dataset.classes:
        raise UsageError(
            f"network {network} has {network.n_out} outputs, but data "
            f"{dataset.name!r} has labels up to {dataset.classes - 1}"
        )
    return network


def _pace(experiment: Experiment) -> int:
    """Steps that each sample of the stream comes to, with those that are rehearsed
    after it."""
    return 1 + (experiment.rehearse or 1) if experiment.rehearsal else 1


def _steps(experiment: Experiment, dataset: Dataset) -> int:
    there, pace = len(dataset.train_x), _pace(experiment)
    steps = experiment.steps or (experiment.epochs or 1) * there * pace
    if dataset.tasks and steps > there * pace:
        each = f" and {pace} steps a sample" if pace > 1 else ""
        raise UsageError(
            f"{steps} steps are asked for, but data {dataset.name!r} is a stream of "
            f"{there} samples{each}, and time does not come twice"
        )
    return steps


def _resident(experiment: Experiment, dataset: Dataset) -> int:
    wanted, there = experiment.resident or 0, len(dataset.train_x)
    return there if wanted == "all" else min(int(wanted), there)


def _thin(experiment: Experiment) -> int:
    """Counting gives a figure a frame, so each frame is one step then."""
    if experiment.icount:
        return 1
    return experiment.thin or (THIN if experiment.prefix is None else THIN_ALONE)


def _tested(experiment: Experiment, dataset: Dataset) -> int:
    there, all_held = (
        len(dataset.test_x),
        experiment.holdout and experiment.test is None,
    )
    if experiment.test == "all" or all_held:
        return there
    wanted = TESTED if experiment.test is None else experiment.test
    assert isinstance(wanted, int)
    return min(wanted, there)
