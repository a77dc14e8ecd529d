"""REDUCE_MIN: the smallest over axes; of zeros the first, and a NaN is never the smallest."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from codegen.graph.description import Operator
from codegen.reference.graph.node import Array
from codegen.reference.graph.operators.sum import in_front


def compute(operator: Operator, given: Sequence[Array | None]) -> Array:
    """The output of what is given."""
    first = in_front(given)
    most = np.inf if first.dtype == np.float32 else np.iinfo(first.dtype).max
    found = np.full(first.shape[1], most, first.dtype)
    for row in first:
        found = np.where(row < found, row, found)
    return found.reshape(operator.outputs[0].shape)
