"""SUM over axes, added in order."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from codegen.graph.description import Operator
from codegen.reference.graph.node import Array


def compute(operator: Operator, given: Sequence[Array | None]) -> Array:
    """The output of what is given."""
    first = in_front(given)
    total = np.add.accumulate(first, axis=0, dtype=np.float32)[-1]
    return np.asarray(total.reshape(operator.outputs[0].shape))


def in_front(given: Sequence[Array | None]) -> Array:
    """Numbers [those of the axes, all others]."""
    x, said = given
    assert x is not None and said is not None
    axes = sorted({int(axis) % x.ndim for axis in said.ravel()})
    count = int(np.prod([x.shape[axis] for axis in axes]))
    return np.moveaxis(x, axes, range(len(axes))).reshape(count, -1)
