"""The counted steps once more, in numpy: how dense their inputs are, and what
their outputs, losses and final state must be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from math import prod
from typing import Any

import numpy as np

from codegen.planning.bounds import Activity
from codegen.reference import Learner, NonFinite
from codegen.reference.fronts import liquid
from codegen.reference.health import promises
from codegen.reference.learner import Result
from codegen.reservoir import Liquid
from hil.errors import UsageError
from hil.lesson.lesson import Lesson


@dataclass(frozen=True)
class Twin:
    """What numpy says of the steps after the first `warm`.

    `activity` is that of each layer's inputs, `density` the share of the
    samples' elements that are not zero, `digest` that of the final state; `macs` are the
    multiply-adds of an answer, all layers dense, `synaptic` what
    cells that spike add, an answer's mean: a weight for every spike and every cell that
    hears it (None: none do).
    """

    results: tuple[Result, ...]
    activity: tuple[Activity, ...]
    density: float
    digest: int
    macs: int
    synaptic: float | None


def twin(lesson: Lesson, warm: int) -> Twin:
    """Learn the lesson on the reference. Raises `UsageError` for a lesson that
    meets a value that is not finite."""
    learner = Learner(lesson.spec)
    depth, n_in = lesson.spec.network.depth, lesson.spec.network.n_in
    sums = np.zeros((depth, 3))
    before = [np.zeros(0, bool)] * depth
    results, added = [], []
    for step in range(lesson.steps):
        sample, given = lesson.sample(step)
        state = learner.snapshot() if step >= warm else {}
        try:
            result = learner.step(sample, given, lesson.eta(step))
        except NonFinite as error:
            raise UsageError(
                f"these steps cannot be counted: {error}", "choose a smaller --lr"
            ) from None
        inputs = [learner.trace[f"h{n}" if n else "x"] != 0 for n in range(depth)]
        if step >= warm:
            results.append(result)
            added.append(_synaptic(learner, state, sample))
            for layer, (now, then) in enumerate(zip(inputs, before, strict=True)):
                sums[layer] += now.sum(), then.sum(), (now & then).sum()
        before = inputs
    means = sums / len(results)
    activity = tuple(Activity(*map(float, row)) for row in means)
    layers = lesson.spec.network.layers
    known = [operations for operations in added if operations is not None]
    return Twin(
        tuple(results), activity, activity[0].active / n_in, learner.digest(),
        sum(map(prod, pairwise(layers))),
        sum(known) / len(known) if known else None,
    )  # fmt: skip


def _synaptic(
    learner: Learner, before: Mapping[str, Any], sample: np.ndarray
) -> float | None:
    """Of an answer with the state before a step: of a rule whose cells spike, or of a
    liquid; None of others."""
    found = promises(learner, before, sample).get("synaptic")
    if found is not None:
        return sum(found)
    front = learner.spec.inputs.front
    if isinstance(front, Liquid):
        spikes = liquid.raw_features(front, sample, before).sum()
        return float(spikes * front.sources)
    return None
