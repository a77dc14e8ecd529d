"""LOG_SOFTMAX over the last axis: x_i - max - log(sum_j exp(x_j - max))."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from codegen.graph.description import Operator
from codegen.reference import functions
from codegen.reference.graph import node
from codegen.reference.graph.node import Array


def compute(operator: Operator, given: Sequence[Array | None]) -> Array:
    """The output of what is given."""
    (x,) = given
    assert x is not None
    below = x - x.max(axis=-1, keepdims=True)
    powers = node.each(functions.exp, below)
    total = np.add.accumulate(powers, axis=-1, dtype=np.float32)[..., -1:]
    return np.asarray(below - node.each(functions.log, total), np.float32)
