"""The counted steps once more, in numpy: how dense their inputs are, and what
their outputs, losses and final state must be."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from codegen.planning.bounds import Activity
from codegen.reference import Learner, NonFinite
from codegen.reference.learner import Result
from hil.errors import UsageError
from hil.lesson.lesson import Lesson


@dataclass(frozen=True)
class Twin:
    """What numpy says of the steps after the first `warm`.

    `activity` is that of each layer's inputs, `density` the share of the
    samples' elements that are not zero, `digest` that of the final state.
    """

    results: tuple[Result, ...]
    activity: tuple[Activity, ...]
    density: float
    digest: int


def twin(lesson: Lesson, warm: int) -> Twin:
    """Learn the lesson on the reference. Raises `UsageError` for a lesson that
    meets a value that is not finite."""
    learner = Learner(lesson.spec)
    depth, n_in = lesson.spec.network.depth, lesson.spec.network.n_in
    sums = np.zeros((depth, 3))
    before = [np.zeros(0, bool)] * depth
    results = []
    for step in range(lesson.steps):
        sample, given = lesson.sample(step)
        try:
            result = learner.step(sample, given, lesson.eta(step))
        except NonFinite as error:
            raise UsageError(
                f"these steps cannot be counted: {error}", "choose a smaller --lr"
            ) from None
        inputs = [learner.trace[f"h{n}" if n else "x"] != 0 for n in range(depth)]
        if step >= warm:
            results.append(result)
            for layer, (now, then) in enumerate(zip(inputs, before, strict=True)):
                sums[layer] += now.sum(), then.sum(), (now & then).sum()
        before = inputs
    means = sums / len(results)
    activity = tuple(Activity(*map(float, row)) for row in means)
    return Twin(tuple(results), activity, activity[0].active / n_in, learner.digest())
