"""A lesson: an experiment made concrete, with its data, target and network."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Protocol

import numpy as np

from codegen.planning.resident import Resident
from codegen.reference import fronts
from codegen.reference.goals import Given
from codegen.spec import Spec
from hil.data import datasets
from hil.data.datasets import Dataset
from hil.device import units
from hil.experiment import Experiment
from hil.lesson.rehearsal import Rehearsal, Turn
from hil.lesson.tuned_file import Tuned
from targets import Target

WIRE = {"label": "<u2", "vector": "<f4"}
"""What a sample is learned from, as it travels; the sample itself does not travel
twice."""

INSTRUCTIONS = "none"
"""The core that an experiment names where no core's cycles are to decide."""


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

    @property
    def core(self) -> str | None:
        """The core whose cycles decide how the step is computed, None where its
        instructions do."""
        named = self.experiment.core
        return None if named == INSTRUCTIONS else named

    @cached_property
    def rehearsal(self) -> Rehearsal | None:
        """What of the stream the device keeps, and learns again."""
        slots, times = self.experiment.rehearsal, self.experiment.rehearse
        if slots is None or times is None:
            return None
        return Rehearsal(self.spec.seed, slots, times)

    @property
    def samples_a_frame(self) -> int:
        """Samples in one STEP frame, at most."""
        settled = self.experiment.samples_per_frame
        assert settled is not None
        return settled

    @property
    def end(self) -> int:
        """The step before which everything is learned that was asked for."""
        return self.steps

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
        ends = step + 1 in (self.prefix, self.leg_end(step)) or self.commits_after(step)
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

    def leg_end(self, step: int) -> int:
        """The end of the leg that step `step` is in."""
        return min(leg for leg in self.legs if leg > step)

    @cached_property
    def ends(self) -> tuple[int, ...]:
        """The step after which each task ends, with what is rehearsed in it."""
        each = pace(self.experiment)
        return tuple(task.end * each for task in self.dataset.tasks)

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
        end = min(end, self.leg_end(first))
        every = self.experiment.commit
        return end if every is None else min(end, first - first % every + every)

    @cached_property
    def _order(self) -> Callable[[int], np.ndarray]:
        """Order of an epoch, time's own in a stream; the latest two are kept."""
        n, seed = len(self.dataset.train_x), self.spec.seed
        if self.dataset.tasks:
            as_it_comes = np.arange(n)
            return lambda epoch: as_it_comes
        return lru_cache(maxsize=2)(lambda epoch: datasets.order(seed, epoch, n))

    def sample(self, step: int) -> tuple[np.ndarray, Given]:
        """Raw sample [elements] of learning step `step`, and what it learns from."""
        return self.dataset.train_x[self.index(step)], self.given(step)

    def samples(self, steps: range) -> tuple[np.ndarray, np.ndarray | None]:
        """Raw samples [n, elements] of these learning steps, and what each learns from
        as it travels: labels [n], vectors [n, outputs], or None."""
        places = self._indices(steps)
        wire, given = WIRE.get(self.spec.goal), self.dataset.train_y
        return self.dataset.train_x[places], (
            None if wire is None else given[places].astype(wire)
        )

    def given(self, step: int) -> Given:
        """What learning step `step` learns from beside its sample: a label, a vector
        [outputs], or nothing."""
        if self.spec.goal == "sample":
            return None
        given = self.dataset.train_y[self.index(step)]
        return int(given) if self.spec.goal == "label" else given

    def label(self, step: int) -> int | None:
        """Label of learning step `step`, where it learns from one."""
        given = self.given(step)
        return given if isinstance(given, int) else None

    def labels(self, steps: Sequence[int]) -> list[int] | list[None]:
        """The labels of these learning steps, where they learn from one."""
        if self.spec.goal != "label":
            return [None] * len(steps)
        found: list[int] = self.dataset.train_y[self._indices(steps)].tolist()
        return found

    @cached_property
    def test_targets(self) -> np.ndarray:
        """What outputs should be for the test samples [n, outputs], where steps do not
        learn from labels."""
        x, inputs = self.dataset.test_x, self.dataset.inputs
        if self.spec.goal == "vector":
            return self.dataset.test_y
        front = fronts.of(inputs)
        return np.stack([front.network_input(inputs, sample) for sample in x])

    @property
    def classes(self) -> int:
        """Labels that there are, 0 where steps do not learn from labels."""
        return self.dataset.classes if self.spec.goal == "label" else 0

    def index(self, step: int) -> int:
        """Place in the training data of the sample of learning step `step`."""
        epoch, place = divmod(self.turn(step).position, len(self.dataset.train_x))
        return int(self._order(epoch)[place])

    def _indices(self, steps: Sequence[int]) -> np.ndarray:
        """The same of several steps."""
        if self.rehearsal is not None:
            return np.array([self.index(step) for step in steps])
        epochs, places = np.divmod(np.asarray(steps), len(self.dataset.train_x))
        if epochs[0] == epochs[-1]:
            return self._order(int(epochs[0]))[places]
        return np.array([self.index(step) for step in steps])

    @cached_property
    def resident_set(self) -> Resident | None:
        """The first `resident` samples of the first epoch, in its order."""
        if not self.resident:
            return None
        thin, first = self.experiment.thin, self._order(0)[: self.resident]
        assert thin is not None
        samples = self.dataset.train_x[first].tobytes()
        wire = WIRE.get(self.spec.goal)
        given = self.dataset.train_y[first].astype(wire).tobytes() if wire else b""
        return Resident(self.resident, samples, given, thin)

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
        position, freeze = step // pace(self.experiment), self.experiment.freeze
        epoch = position // len(self.dataset.train_x)
        if freeze is not None and step >= freeze:
            return np.float32(0.0)
        lr, decay = self.experiment.lr, self.experiment.lr_decay
        assert lr is not None and decay is not None
        return np.float32(lr * decay**epoch)

    def etas(self, steps: Sequence[int]) -> list[float]:
        """Learning rates of these steps, in ascending order: a schedule goes one way,
        so what is equal at both ends is so in between."""
        first, last = float(self.eta(steps[0])), float(self.eta(steps[-1]))
        if first == last:
            return [first] * len(steps)
        return [float(self.eta(step)) for step in steps]


def pace(experiment: Experiment) -> int:
    """Steps that each sample of the stream comes to, with those that are rehearsed
    after it."""
    return 1 + (experiment.rehearse or 1) if experiment.rehearsal else 1


def specialised(experiment: Experiment, vlen: int) -> int | None:
    """The VLEN in bits that the code is made for, None for any: nobody knows
    that of a board before it has answered."""
    return None if experiment.agnostic or experiment.unit else vlen or None
