"""A lesson whose samples come while it goes on: nobody knows beforehand how many."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace

import numpy as np

from codegen.reference.goals import Given
from hil.data.dataset import Dataset
from hil.data.tasks import Task
from hil.lesson.lesson import WIRE, Lesson

MOST = 2**31
"""Steps that there may be."""


class Stream:
    """Samples in the order in which they were given, each with what it is learned
    from and its learning rate. `ends` are the steps after which nothing was given for
    a while."""

    def __init__(self) -> None:
        self.samples: list[np.ndarray] = []
        self.given: list[Given] = []
        self.etas: list[np.float32] = []
        self.ends: list[int] = []

    def __len__(self) -> int:
        return len(self.samples)

    def add(self, x: np.ndarray, given: Sequence[Given], eta: np.float32) -> int:
        """Take samples [n, elements] with what each is learned from; returns the step
        after the last."""
        self.samples += list(x)
        self.given += given
        self.etas += [eta] * len(x)
        self.ends.append(len(self))
        return len(self)

    def dataset(self, form: Dataset) -> Dataset:
        """What was given, in its order, as data of this form: a stream of one task,
        and one test sample, which tells with the smallest class that it is a class."""
        if self.given[0] is None:
            y = np.zeros(len(self), np.int64)
        else:
            y = np.array(self.given)
        x = np.array(self.samples)
        tasks = (Task("samples", len(self), 0, 1),)
        return replace(
            form, train_x=x, train_y=y, test_x=x[:1], test_y=np.zeros_like(y[:1]),
            tasks=tasks,
        )  # fmt: skip


@dataclass(frozen=True, eq=False)
class OpenLesson(Lesson):
    """Step by step what is in the `stream`; `dataset` says only of what form samples
    are, and `steps` how many there may be."""

    stream: Stream = field(default_factory=Stream)

    @property
    def end(self) -> int:
        """The step before which all samples so far are learned."""
        return len(self.stream)

    def leg_end(self, step: int) -> int:
        """The end of the samples that were given together with that of `step`."""
        ends = self.stream.ends
        place = bisect_right(ends, step)
        return ends[place] if place < len(ends) else self.steps

    def sample(self, step: int) -> tuple[np.ndarray, Given]:
        """Raw sample [elements] of step `step`, and what it learns from."""
        return self.stream.samples[step], self.given(step)

    def samples(self, steps: range) -> tuple[np.ndarray, np.ndarray | None]:
        """Raw samples of these steps, and what they learn from as it travels."""
        part, wire = slice(steps.start, steps.stop), WIRE.get(self.spec.goal)
        given = None if wire is None else np.array(self.stream.given[part], wire)
        return np.array(self.stream.samples[part]), given

    def labels(self, steps: Sequence[int]) -> list[int] | list[None]:
        """The labels of these steps, where they learn from one."""
        if self.spec.goal != "label":
            return [None] * len(steps)
        found = [self.stream.given[step] for step in steps]
        return [label for label in found if isinstance(label, int)]

    def given(self, step: int) -> Given:
        """What step `step` learns from beside its sample."""
        return self.stream.given[step]

    def eta(self, step: int) -> np.float32:
        """Learning rate of step `step`."""
        return self.stream.etas[step]

    def etas(self, steps: Sequence[int]) -> list[float]:
        """Learning rates of these steps, each as it was given."""
        return [float(self.stream.etas[step]) for step in steps]


def opened(lesson: Lesson) -> OpenLesson:
    """The same lesson with its samples still to come."""
    parts = {part.name: getattr(lesson, part.name) for part in fields(lesson)}
    return OpenLesson(**{**parts, "steps": MOST, "tested": 0})
